package honest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// keptWebsocket is the websocket that a user keeps open through everything. Texts are sent on schedule without waiting
// for the echo of the one before; the reader matches echoes in order.
//
// States: connected (conn is set) and lost (conn is nil). A lost one is counted as dropped, once, and is then opened
// again as often as it takes, because a user would; in between every echo that was due has failed.
type keptWebsocket struct {
	crowd *Crowd
	user  *user

	mu struct {
		sync.Mutex
		conn    *websocket.Conn
		waiting []pending // echoes sent and not yet returned, oldest first
		leaving bool
		sent    int
	}
}

type pending struct {
	op   operation
	text string
}

// maxPending bounds the unanswered echoes of one user.
const maxPending = 256

func newKeptWebsocket(c *Crowd, u *user) *keptWebsocket { return &keptWebsocket{crowd: c, user: u} }

func (k *keptWebsocket) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.crowd.cfg.Patience)
	defer cancel()
	conn, err := k.crowd.dial(ctx, k.user)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mu.leaving {
		conn.CloseNow()
		return connectionLost
	}
	k.mu.conn = conn
	return nil
}

// run reads until the user leaves or ctx is done, and opens the websocket again when it was lost.
func (k *keptWebsocket) run(ctx context.Context) {
	const retry = 250 * time.Millisecond
	for {
		k.mu.Lock()
		conn, leaving := k.mu.conn, k.mu.leaving
		k.mu.Unlock()
		switch {
		case leaving:
			return
		case conn != nil:
			k.read(ctx, conn)
		}
		if ctx.Err() != nil {
			return
		}
		if conn == nil && k.connect(ctx) == nil {
			continue
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return
		}
	}
}

// read matches echoes until the connection ends.
func (k *keptWebsocket) read(ctx context.Context, conn *websocket.Conn) {
	defer conn.CloseNow()
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			k.lost(ctx)
			return
		}
		k.returned(string(text))
	}
}

// echo sends the text that was due at the intended time. It does not block: the text fits into the socket's buffer,
// unless the application has not read for a long time, and that many are not sent.
func (k *keptWebsocket) echo(intended time.Time) {
	op := k.crowd.phase.Load().plan(Echo, intended)
	op.begins()
	k.mu.Lock()
	conn := k.mu.conn
	if conn == nil || len(k.mu.waiting) >= maxPending {
		k.mu.Unlock()
		if conn == nil {
			op.end(notConnected)
		} else {
			op.end(backlog)
		}
		return
	}
	k.mu.sent++
	text := fmt.Sprintf("%s-echo-%d", k.user.name, k.mu.sent)
	k.mu.waiting = append(k.mu.waiting, pending{op: op, text: text})
	k.mu.Unlock()

	// Written outside the lock, so that the reader is never held up. Only the schedule of this user writes, so the
	// order is that of waiting. A failed write ends the connection, which the reader sees and accounts for.
	ctx, cancel := context.WithTimeout(context.Background(), k.crowd.cfg.Patience)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		conn.CloseNow()
	}
}

// returned ends the oldest operation with the text that came back.
func (k *keptWebsocket) returned(text string) {
	k.mu.Lock()
	if len(k.mu.waiting) == 0 {
		k.mu.Unlock()
		return
	}
	first := k.mu.waiting[0]
	k.mu.waiting = k.mu.waiting[1:]
	k.mu.Unlock()
	switch {
	case text != first.text:
		first.op.end(wrongAnswer)
	case time.Since(first.op.intended) > k.crowd.cfg.Patience:
		first.op.end(tooLate)
	default:
		first.op.end(nil)
	}
}

// lost ends every pending echo. The websocket counts as dropped, unless the user or the run ended it.
func (k *keptWebsocket) lost(ctx context.Context) {
	k.mu.Lock()
	k.mu.conn = nil
	pending, leaving := k.mu.waiting, k.mu.leaving
	k.mu.waiting = nil
	k.mu.Unlock()
	over := leaving || ctx.Err() != nil
	if !over {
		k.crowd.phase.Load().drop()
	}
	for _, p := range pending {
		switch late := time.Since(p.op.intended) > k.crowd.cfg.Patience; {
		case late:
			p.op.end(tooLate) // it would have failed anyhow
		case over:
			p.op.abandon()
		default:
			p.op.end(connectionLost)
		}
	}
}

// leave waits up to patience for pending echoes and closes in order.
func (k *keptWebsocket) leave(patience time.Duration) {
	const look = 5 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end) && k.pending() > 0; {
		time.Sleep(look)
	}
	k.mu.Lock()
	conn := k.mu.conn
	k.mu.leaving = true
	k.mu.Unlock()
	if conn == nil {
		return
	}
	// Close waits some seconds for the answer of the other side, and an application under attack may not give it.
	closed := make(chan struct{})
	go func() { conn.Close(websocket.StatusNormalClosure, ""); close(closed) }()
	select {
	case <-closed:
	case <-time.After(min(patience, 200*time.Millisecond)):
		conn.CloseNow()
		<-closed
	}
}

func (k *keptWebsocket) connected() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mu.conn != nil
}

func (k *keptWebsocket) pending() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.mu.waiting)
}
