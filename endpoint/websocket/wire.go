package websocket

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// errOver is what the library gets from the socket once the end has begun.
var errOver = errors.New("the connection is being closed")

// A wire is the socket as the library sees it: every byte in either direction passes here, with its deadline, and the
// frames that come are counted before the library handles them.
//
// Its states are open, over (the end has begun: reads fail at once, writes have until the end of CloseWithin) and shut
// (the library is done with it: writes fail too). The socket itself stays open until hangUp, which the goroutine that
// writes calls last.
type wire struct {
	net.Conn
	c *Conn

	// These belong to who reads: the goroutine in Read, that is, whoever holds the library's lock for reading. After the
	// library has been closed, it is the goroutine that writes.
	early  []byte // came with the request
	frames frames
	asked  time.Time // when the handler last came to Read

	mu        sync.Mutex
	over      bool
	shut      bool
	cutAt     time.Time // when over: the end of CloseWithin
	readUntil time.Time // the deadline that is set
	waiting   time.Time // since when somebody waits on the socket; zero if nobody does
	heard     time.Time // when the last bytes came
	messageBy time.Time // the end of WriteWithin for the message that is being written
	writing   int
	stalled   bool // the library gave up while something was being written
}

func newWire(conn net.Conn, early []byte, c *Conn) *wire {
	now := time.Now()
	most := c.cfg.MaxMessage
	if c.cfg.Compression {
		most += most/8 + 1024 // what does not compress grows a little
	}
	return &wire{
		Conn:   conn,
		c:      c,
		early:  early,
		frames: frames{rate: newBucket(c.cfg.FrameRate, c.cfg.FrameBurst, now), most: uint64(most)},
		asked:  now,
		heard:  now,
	}
}

// Read gives the library what has come, unless a bound is broken by it.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.receive(p)
	if n > 0 {
		w.frames.scan(p[:n], time.Now())
		if r := w.frames.broken; r != "" {
			w.c.end(&ClosedError{Reason: r})
		}
	}
	if w.isOver() {
		return 0, errOver
	}
	return n, err
}

func (w *wire) receive(p []byte) (int, error) {
	if len(w.early) > 0 {
		n := copy(p, w.early)
		w.early = w.early[n:]
		return n, nil
	}
	until, reason := w.patience()
	w.mu.Lock()
	if w.over || w.shut {
		w.mu.Unlock()
		return 0, errOver
	}
	// Under the lock, or this deadline could replace the one by which the end wakes us.
	if !until.Equal(w.readUntil) {
		_ = w.Conn.SetReadDeadline(until)
		w.readUntil = until
	}
	w.waiting = time.Now()
	w.mu.Unlock()

	n, err := w.Conn.Read(p)

	w.mu.Lock()
	w.waiting = time.Time{}
	if n > 0 {
		w.heard = time.Now()
	}
	expired := !w.over && !w.shut && errors.Is(err, os.ErrDeadlineExceeded)
	w.mu.Unlock()
	if expired {
		w.c.end(&ClosedError{Reason: reason})
	}
	return n, err
}

// patience is until when the next bytes must come, and what to say if they do not. Time in which the handler did not
// read is not the peer's.
func (w *wire) patience() (until time.Time, reason Reason) {
	cfg := &w.c.cfg
	if cfg.IdleWithin > 0 {
		until, reason = w.asked.Add(cfg.IdleWithin), ReasonIdle
	}
	if w.frames.underway() {
		since := w.frames.began
		if since.Before(w.asked) {
			since = w.asked
		}
		if by := since.Add(cfg.MessageWithin); until.IsZero() || by.Before(until) {
			until, reason = by, ReasonSlowMessage
		}
	}
	return until, reason
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.shut {
		w.mu.Unlock()
		return 0, errOver
	}
	_ = w.Conn.SetWriteDeadline(w.writeByLocked())
	w.writing++
	w.mu.Unlock()

	n, err := w.Conn.Write(p)

	w.mu.Lock()
	w.writing--
	w.mu.Unlock()
	return n, err
}

// writeByLocked is the deadline of a write: that of its message, or its own if it is a control frame.
func (w *wire) writeByLocked() time.Time {
	by := w.messageBy
	if by.IsZero() {
		by = time.Now().Add(w.c.cfg.WriteWithin)
	}
	if w.over && w.cutAt.Before(by) {
		by = w.cutAt
	}
	return by
}

// beginMessage starts the time of a message, which may take several writes; endMessage ends it.
func (w *wire) beginMessage() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messageBy = time.Now().Add(w.c.cfg.WriteWithin)
}

func (w *wire) endMessage() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messageBy = time.Time{}
}

// Close is the library's: it makes its reads and writes fail. The peer may still be owed an end.
func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		return nil
	}
	w.shut = true
	w.stalled = w.writing > 0 && !w.over
	return w.Conn.SetDeadline(past)
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// finish begins the end: who reads is woken and reads no more, and what is being written has until the end of CloseWithin.
func (w *wire) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.over = true
	w.cutAt = time.Now().Add(w.c.cfg.CloseWithin)
	_ = w.Conn.SetReadDeadline(past)
	if w.writing > 0 && !w.shut {
		_ = w.Conn.SetWriteDeadline(w.writeByLocked())
	}
}

func (w *wire) isOver() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over || w.shut
}

func (w *wire) isShut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shut
}

// isStalled tells whether the library gave up, or would have to, because something could not be written.
func (w *wire) isStalled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stalled || w.writing > 0
}

// quiet tells since when nothing has come, and since when somebody has waited for it.
func (w *wire) quiet() (heard, waiting time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.heard, w.waiting
}

// mostDrained is how much of what a peer still sends is read for the sake of its goodbye. It is only counted, not looked
// at, so it costs little more than the copy.
const mostDrained = 256 << 10

// hangUp waits for the peer's close frame or end, as long as is left of CloseWithin, and closes the socket. If bytes are
// left unread when a socket is closed, TCP resets it, and the peer may lose the close frame that tells it why.
func (w *wire) hangUp() {
	w.mu.Lock()
	by := w.cutAt
	w.mu.Unlock()
	_ = w.Conn.SetReadDeadline(by)
	answered := w.frames.closed
	var buf [4096]byte
	for drained := 0; !answered && drained < mostDrained; {
		n, err := w.Conn.Read(buf[:])
		drained += n
		w.frames.scan(buf[:n], time.Now())
		answered = w.frames.closed
		if err != nil {
			answered = answered || !errors.Is(err, os.ErrDeadlineExceeded)
			break
		}
	}
	if !answered {
		w.cut()
	}
	_ = w.Conn.Close()
}

// cut has the kernel forget what the peer has not taken. Otherwise it would keep that, with the connection, long after
// the close.
func (w *wire) cut() {
	for conn := w.Conn; conn != nil; {
		switch c := conn.(type) {
		case interface{ SetLinger(sec int) error }:
			_ = c.SetLinger(0)
			return
		case interface{ NetConn() net.Conn }: // TLS, or what a listener has put around it
			conn = c.NetConn()
		default:
			return
		}
	}
}
