package websocket

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// write is the life of the goroutine beside the handler: it sends what waits and pings who is silent, until there is a
// reason to end; then it says goodbye and closes the socket.
func (c *Conn) write() {
	ping := pinger{c: c, timer: time.NewTimer(c.cfg.PingEvery)}
	defer ping.timer.Stop()
	for open := true; open; {
		select {
		case <-c.ending:
			open = false
		case <-c.work:
			open = c.sendWaiting()
		case now := <-ping.timer.C:
			ping.look(now)
		}
	}
	c.sayGoodbye()
}

// sendWaiting sends what is in the queue. It returns false when the connection has ended.
func (c *Conn) sendWaiting() bool {
	for {
		select {
		case <-c.ending:
			return false
		default:
		}
		m, ok := c.dequeue()
		if !ok {
			return true
		}
		if err := c.transmit(m); err != nil {
			c.failed(err)
			return false
		}
	}
}

func (c *Conn) transmit(m message) error {
	defer c.uncharge(len(m.data))
	c.wire.beginMessage()
	defer c.wire.endMessage()
	return c.ws.Write(context.Background(), m.kind, m.data)
}

// failed ends the connection for an error in writing.
func (c *Conn) failed(err error) {
	switch {
	case errors.Is(err, errOver), errors.Is(err, net.ErrClosed), c.wire.isShut():
		// The library has closed it, or said goodbye, from inside Read, which knows why and is about to say so.
		<-c.ending
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.end(&ClosedError{Reason: ReasonWriteStall})
	default:
		c.end(&ClosedError{Reason: ReasonPeerClosed, Code: StatusAbnormalClosure, Err: err})
	}
}

// sayGoodbye ends all. From here on the library's reads fail, so its Close only writes the close frame and does not wait
// for the answer: hangUp does, without parsing what still comes.
func (c *Conn) sayGoodbye() {
	c.mu.Lock()
	e, text, flush := c.reason, c.text, c.flush
	c.mu.Unlock()
	for {
		m, ok := c.dequeue()
		if !ok {
			break
		}
		if !flush {
			c.uncharge(len(m.data))
		} else if c.transmit(m) != nil {
			flush = false
		}
	}
	code := e.Code
	if e.Reason == ReasonPeerClosed {
		code = StatusNormalClosure // it has been answered already, or is gone
	}
	_ = c.ws.Close(code, text)
	c.wire.hangUp()
}

// A pinger finds out whether a silent peer is still there. Anything that comes from it is a sign of life, so a peer that
// sends is never pinged.
type pinger struct {
	c     *Conn
	timer *time.Timer
	sent  time.Time // the ping that is not answered yet, or zero
}

func (p *pinger) look(now time.Time) {
	heard, waiting := p.c.wire.quiet()
	if heard.After(p.sent) {
		p.sent = time.Time{}
	}
	every, within := p.c.cfg.PingEvery, p.c.cfg.PongWithin
	switch {
	case p.sent.IsZero() && now.Sub(heard) < every:
		p.timer.Reset(heard.Add(every).Sub(now))
	case p.sent.IsZero():
		p.sent = now
		p.ping()
		p.timer.Reset(within)
	case waiting.IsZero():
		p.timer.Reset(within) // nobody reads: it may well have answered
	default:
		since := p.sent
		if waiting.After(since) {
			since = waiting
		}
		if now.Sub(since) < within {
			p.timer.Reset(since.Add(within).Sub(now))
			return
		}
		p.c.end(&ClosedError{Reason: ReasonNoPong})
	}
}

// ping writes the frame itself. The library's Ping would wait for the pong, on a goroutine of its own. Its frames cannot
// be torn by this: those of messages are written by this goroutine, and any other is a single write.
func (p *pinger) ping() {
	if _, err := p.c.wire.Write([]byte{0x89, 0x00}); err != nil {
		p.c.failed(err)
	}
}
