package users

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
)

// The errors of a mailbox that callers act on.
var (
	ErrQueueFull = errors.New("users: the queue is full")
	ErrClosed    = errors.New("users: the queue is closed")
)

// Message is what one user writes to another.
type Message struct {
	From string    `json:"from"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// overhead is what a message takes beside its text, for the account of memory.
const overhead = 128

func (m Message) size() int64 { return int64(len(m.From) + len(m.Text) + overhead) }

// Mailbox is the bounded queue of one user. It is a child of the user's: it takes a slot, and it ends when nobody has
// used it for some time. Its methods are safe for concurrent use; several readers share the messages, each gets some.
type Mailbox struct {
	room   int
	idle   time.Duration
	child  context.Context // of the child that the mailbox is, to charge what it holds; set before opened is closed
	opened chan struct{}   // closed once err or child is set
	err    error           // why it could not be opened
	closed chan struct{}   // closed when it ends
	filled chan struct{}   // holds a token while a message may be there

	mu struct {
		sync.Mutex
		messages []Message
		readers  int
		used     time.Time
		over     bool
	}
}

func newMailbox(room int, idle time.Duration) *Mailbox {
	b := &Mailbox{room: room, idle: idle, opened: make(chan struct{}), closed: make(chan struct{}), filled: make(chan struct{}, 1)}
	b.mu.used = time.Now()
	return b
}

// Put adds a message. It returns ErrQueueFull, ErrClosed, or headcount.ErrMaxBytes if all queues together hold too much.
func (b *Mailbox) Put(m Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.over {
		return ErrClosed
	}
	if len(b.mu.messages) >= b.room {
		return ErrQueueFull
	}
	if err := headcount.Charge(b.child, m.size()); err != nil {
		return err
	}
	b.mu.messages = append(b.mu.messages, m)
	b.mu.used = time.Now()
	b.signal()
	return nil
}

// signal wakes one reader, or the next one to come.
func (b *Mailbox) signal() {
	select {
	case b.filled <- struct{}{}:
	default:
	}
}

// Take waits until there are messages and returns up to n of them. It returns ctx's error, or ErrClosed.
func (b *Mailbox) Take(ctx context.Context, n int) ([]Message, error) {
	b.reading(1)
	defer b.reading(-1)
	for {
		if messages := b.take(n); len(messages) > 0 {
			return messages, nil
		}
		select {
		case <-b.filled:
		case <-b.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *Mailbox) take(n int) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, len(b.mu.messages))
	taken := append([]Message(nil), b.mu.messages[:n]...)
	rest := append(b.mu.messages[:0], b.mu.messages[n:]...)
	clear(b.mu.messages[len(rest):]) // the texts taken must not live on in the unused part
	b.mu.messages = rest
	if len(rest) > 0 {
		b.signal() // for another reader
	}
	var size int64
	for _, m := range taken {
		size += m.size()
	}
	if size > 0 {
		_ = headcount.Charge(b.child, -size) // giving back is not refused
	}
	return taken
}

func (b *Mailbox) reading(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.readers += n
	b.mu.used = time.Now()
}

// run is the life of the mailbox as a child: until ctx ends, or nobody has read or written for the idle time.
func (b *Mailbox) run(ctx context.Context) error {
	timer := time.NewTimer(b.idle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			b.end()
			return ctx.Err()
		case <-timer.C:
			left, over := b.endIfIdle()
			if over {
				return nil
			}
			timer.Reset(left)
		}
	}
}

// endIfIdle ends the mailbox if it is idle, in one step with the check, so that no message is taken in between.
func (b *Mailbox) endIfIdle() (left time.Duration, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.readers > 0 {
		return b.idle, false
	}
	if left = b.idle - time.Since(b.mu.used); left > 0 {
		return left, false
	}
	b.endLocked()
	return 0, true
}

func (b *Mailbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endLocked()
}

func (b *Mailbox) endLocked() {
	if !b.mu.over {
		b.mu.over = true
		b.mu.messages = nil
		close(b.closed)
	}
}
