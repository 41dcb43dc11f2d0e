package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	coder "github.com/coder/websocket"
	"github.com/headcount-go/headcount"
)

// A Conn is one websocket, from its upgrade to the return of [Serve]. Its methods may be called from many goroutines.
//
// It is open until somebody finds a reason to end it; the first one stays. Then its context has ended, Read and Send
// return the reason, and the goroutine beside the handler closes the connection.
type Conn struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelCauseFunc
	ws     *coder.Conn
	wire   *wire
	beside beside

	ending chan struct{} // closed when there is a reason
	work   chan struct{} // holds one if something waits to be sent
	room   chan struct{} // holds one if there may be room in the queue

	reading  sync.Mutex // held while one reads; guards the next two
	messages bucket
	left     time.Time // when the handler last left Read

	mu      sync.Mutex // guards the rest
	queue   queue
	dropped uint64
	reason  *ClosedError // nil while it is open
	text    string       // for the close frame
	flush   bool         // what waits is to be sent before it
}

func newConn(ctx context.Context, cfg Config) *Conn {
	now := time.Now()
	c := &Conn{
		cfg:      cfg,
		beside:   beside{upgraded: make(chan struct{}), forgone: make(chan struct{}), ended: make(chan struct{})},
		ending:   make(chan struct{}),
		work:     make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		messages: newBucket(cfg.MessageRate, cfg.MessageBurst, now),
		left:     now,
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

// Context ends when the connection does. Its cause is then the [ClosedError].
func (c *Conn) Context() context.Context { return c.ctx }

// Subprotocol is the one that was agreed on, or empty.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// Dropped is how many messages DropOldest has dropped.
func (c *Conn) Dropped() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// Read waits for a message and returns all of it; the bytes are the caller's. It ends with a [ClosedError] when the
// connection does, and by nothing else. A second call at the same time waits for the first.
func (c *Conn) Read() (MessageType, []byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if err := c.closed(); err != nil {
		return 0, nil, err
	}
	now := time.Now()
	away := now.Sub(c.left)
	c.messages.absent(away)
	c.wire.frames.rate.absent(away)
	c.wire.asked = now

	// The library closes a connection whose context ends; the deadlines of the wire do that here, and cost less.
	kind, data, err := c.ws.Read(context.Background())

	c.left = time.Now()
	switch {
	case err != nil:
		c.end(c.whyNot(err))
	case !c.messages.take(c.left):
		c.end(&ClosedError{Reason: ReasonMessageRate})
	}
	if err := c.closed(); err != nil {
		return 0, nil, err
	}
	return kind, data, nil
}

// whyNot finds the reason in an error of the library's Read. If the wire has given one already, that stays.
func (c *Conn) whyNot(err error) *ClosedError {
	var told coder.CloseError
	var network net.Error
	switch {
	case errors.As(err, &told):
		return &ClosedError{Reason: ReasonPeerClosed, Code: told.Code, Err: told}
	case errors.Is(err, coder.ErrMessageTooBig):
		return &ClosedError{Reason: ReasonMessageTooBig}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &ClosedError{Reason: ReasonWriteStall} // of a pong: the wire tells when a read takes too long
	case errors.Is(err, context.DeadlineExceeded), c.wire.isShut():
		// The library gives 5 s to a control frame and to its answer.
		if c.wire.isStalled() {
			return &ClosedError{Reason: ReasonWriteStall}
		}
		return &ClosedError{Reason: ReasonSlowMessage}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), errors.As(err, &network):
		return &ClosedError{Reason: ReasonPeerClosed, Code: StatusAbnormalClosure, Err: err}
	}
	return &ClosedError{Reason: ReasonProtocol, Err: err}
}

// Send puts a message into the queue and never blocks. The bytes must not change afterwards; one slice may be sent to
// many. If the queue is full, the Config's SlowConsumer decides. It returns a [ClosedError] if the connection has ended,
// now or before; [ErrTooLong]; or, with ChargeQueue, what [headcount.Charge] says: then the message is not sent.
func (c *Conn) Send(kind MessageType, data []byte) error {
	return c.send(message{kind, data}, c.cfg.SlowConsumer)
}

// SendWait is Send, but waits for room in the queue until ctx ends, and then returns the cause of that.
func (c *Conn) SendWait(ctx context.Context, kind MessageType, data []byte) error {
	for {
		err := c.send(message{kind, data}, waitForRoom)
		if !errors.Is(err, errFull) {
			return err
		}
		select {
		case <-c.room:
		case <-c.ending:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// waitForRoom is the policy of SendWait: nothing happens to the connection, and errFull is returned.
const waitForRoom SlowConsumer = 255

var errFull = errors.New("websocket: the send queue is full")

func (c *Conn) send(m message, policy SlowConsumer) error {
	if m.kind != MessageText && m.kind != MessageBinary {
		return fmt.Errorf("websocket: %v is not a type of message", m.kind)
	}
	if len(m.data) > c.cfg.SendQueueBytes {
		return fmt.Errorf("%w: %d bytes of %d", ErrTooLong, len(m.data), c.cfg.SendQueueBytes)
	}
	// Before the lock is taken: a refusal is told with a path, and a path may be the user's code.
	if err := c.charge(len(m.data)); err != nil {
		return err
	}
	dropped, err := c.enqueue(m, policy == DropOldest)
	if err != nil {
		dropped += len(m.data)
	}
	c.uncharge(dropped)
	if errors.Is(err, errFull) && policy == CloseSlow {
		c.end(&ClosedError{Reason: ReasonSlowConsumer})
		return c.closed()
	}
	return err
}

// enqueue returns how many bytes it has dropped to make room.
func (c *Conn) enqueue(m message, drop bool) (dropped int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != nil {
		return 0, c.reason
	}
	for c.queue.n == c.cfg.SendQueue || len(m.data) > c.cfg.SendQueueBytes-c.queue.bytes {
		if !drop {
			return 0, errFull
		}
		old, _ := c.queue.pop()
		dropped += len(old.data)
		c.dropped++
	}
	c.queue.push(m)
	signal(c.work)
	if c.queue.n < c.cfg.SendQueue {
		signal(c.room) // several may wait, and one was woken
	}
	return dropped, nil
}

// dequeue is for the goroutine that writes.
func (c *Conn) dequeue() (message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.queue.pop()
	if ok {
		signal(c.room)
	}
	return m, ok
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (c *Conn) charge(bytes int) error {
	if !c.cfg.ChargeQueue {
		return nil
	}
	return headcount.Charge(c.ctx, int64(bytes))
}

func (c *Conn) uncharge(bytes int) {
	if c.cfg.ChargeQueue && bytes > 0 {
		_ = headcount.Charge(c.ctx, -int64(bytes))
	}
}

// Close ends the connection: what waits in the queue is sent, then the code and the reason, which is cut at 123 bytes. It
// does not wait for that; Serve does. A connection that has ended already keeps its reason.
func (c *Conn) Close(code StatusCode, reason string) {
	if len(reason) > mostReason {
		reason = strings.ToValidUTF8(reason[:mostReason], "")
	}
	c.endWith(&ClosedError{Reason: ReasonClosed, Code: code}, reason, true)
}

// mostReason is what a close frame has room for beside the code. The library would send StatusInternalError instead.
const mostReason = 123

// end ends the connection for a reason. What waits is sent only to a peer that has broken no bound.
func (c *Conn) end(e *ClosedError) {
	code, text := e.Reason.status()
	if e.Code == 0 {
		e.Code = code
	}
	c.endWith(e, text, e.Reason == ReasonGoingAway)
}

func (c *Conn) endWith(e *ClosedError, text string, flush bool) {
	c.mu.Lock()
	first := c.reason == nil
	if first {
		c.reason, c.text, c.flush = e, text, flush
	}
	c.mu.Unlock()
	if !first {
		return
	}
	close(c.ending)
	c.wire.finish()
	c.cancel(e)
}

func (c *Conn) closed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == nil {
		return nil
	}
	return c.reason
}
