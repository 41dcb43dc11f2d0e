package attack

import (
	"context"
	"fmt"
	"net"
	"time"
)

// SpoofedAddresses is one client who asks n times and says each time that it is somebody else, an honest user too.
func SpoofedAddresses(n int, from Clients) Attack {
	return Attack{
		Name:  "spoofed X-Forwarded-For",
		About: fmt.Sprintf("one client asks %d times, each time in the name of another client, honest ones among them", n),
		Shots: n, Workers: 4,
		gun: func(_ Attack, t Target, _ int, tally *Tally, _ *hold) gun {
			return &spoofer{addr: t.Addr, from: t.From.Addr(from.number(0)), tally: tally}
		},
	}
}

type spoofer struct {
	addr  string
	from  net.Addr
	tally *Tally
	line  *line // nil after one that was not to be used again
}

func (s *spoofer) fire(ctx context.Context, shot int) (kept bool) {
	if s.line == nil {
		l, err := dial(ctx, s.from, s.addr)
		if err != nil {
			s.tally.note(ctx, err)
			return false
		}
		s.line = l
	}
	l := s.line
	defer context.AfterFunc(ctx, func() { l.conn.SetDeadline(time.Unix(1, 0)) })()
	l.conn.SetDeadline(time.Now().Add(tryWithin))
	claim := fmt.Sprintf("127.1.%d.1", shot%256) // where honest users come from
	if shot%2 == 1 {
		claim = fmt.Sprintf("198.51.%d.%d", shot>>8&255, shot&255)
	}
	_, err := fmt.Fprintf(l.conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\nForwarded: for=%s\r\n\r\n", claim, claim)
	reusable := false
	if err == nil {
		_, reusable, err = l.answer()
	}
	s.tally.note(ctx, err)
	if !reusable {
		hangUp(l.conn)
		s.line = nil
	}
	return false
}

func (s *spoofer) putDown() {
	if s.line != nil {
		hangUp(s.line.conn)
	}
}
