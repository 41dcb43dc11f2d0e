package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// The attacks of this file are on connections: what they send is little, slow or never whole. Each shot is a connection
// of its own.

// Clients says from where a flood of connections comes: so many networks (/24), with so many clients in each.
type Clients struct{ Networks, Each int }

// number gives the address of a shot, all of them in turn.
func (c Clients) number(shot int) int {
	return 256*(shot%c.Networks) + 1 + shot/c.Networks%c.Each
}

// dribble is the time between two bytes of an attacker who has time.
const dribble = 100 * time.Millisecond

// cutOff is the reason of a connection that the application ended without a word.
const cutOff = "cut off"

// ConnectionFlood is n connections that ask one thing and then stay.
func ConnectionFlood(n int, from Clients) Attack {
	return connections("connection flood", fmt.Sprintf("%d clients of %d networks open %d connections and keep every one that they get", from.Networks*from.Each, from.Networks, n),
		n, from, func(l *line, _ Target, _ int) error {
			if _, err := io.WriteString(l.conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				return err
			}
			_, _, err := l.answer()
			return err
		}, (*line).idle)
}

// SlowHeader is n connections whose request header never ends.
func SlowHeader(n int, from Clients) Attack {
	return connections("slow header", fmt.Sprintf("%d connections send a request header a line at a time and never end it", n),
		n, from, func(l *line, _ Target, _ int) error {
			_, err := io.WriteString(l.conn, "GET / HTTP/1.1\r\nHost: localhost\r\n")
			return err
		}, func(l *line) error { return l.send("X-A: b\r\n") })
}

// SlowBody is n new users who hand in a job whose body comes a byte at a time.
func SlowBody(n int, from Clients) Attack {
	return connections("slow body", fmt.Sprintf("%d new users hand in a job of which the body comes ten bytes a second", n),
		n, from, func(l *line, t Target, shot int) error {
			return l.post(t.Token(fmt.Sprint("slow-", shot)))
		}, func(l *line) error { return l.send(" ") })
}

// RefusedBody is n requests that are refused, since they carry no token, and whose body nobody wants, dribbles in.
func RefusedBody(n int, from Clients) Attack {
	return connections("refused bodies that dribble", fmt.Sprintf("%d requests without a token have a body that comes ten bytes a second", n),
		n, from, func(l *line, _ Target, _ int) error { return l.post("") }, func(l *line) error { return l.send(" ") })
}

// post begins to hand in a job.
func (l *line) post(token string) error {
	var b strings.Builder
	b.WriteString("POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n")
	if token != "" {
		b.WriteString("Authorization: Bearer " + token + "\r\n")
	}
	_, err := io.WriteString(l.conn, b.String()+"\r\n{")
	return err
}

// idle says nothing more, and waits for the end.
func (l *line) idle() error {
	_, err := l.in.ReadByte()
	return err
}

// send sends piece after piece until the application answers or ends the connection, and returns how.
func (l *line) send(piece string) error {
	for {
		l.conn.SetReadDeadline(time.Now().Add(dribble))
		if _, err := l.in.Peek(1); err == nil {
			l.conn.SetReadDeadline(time.Now().Add(tryWithin))
			if _, _, err := l.answer(); err != nil {
				return err
			}
			return errors.New("taken")
		} else if !isTimeout(err) {
			return err
		}
		if _, err := io.WriteString(l.conn, piece); err != nil {
			return err
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// connections is an attack of which each shot opens a connection with begin and keeps it with misuse, whose error tells
// how the application ended it.
func connections(name, about string, n int, from Clients, begin func(l *line, t Target, shot int) error, misuse func(*line) error) Attack {
	return Attack{
		Name: name, About: about, Shots: n, Workers: 32,
		gun: func(_ Attack, t Target, _ int, tally *Tally, held *hold) gun {
			return &liner{tally: tally, held: held, misuse: misuse,
				dial: func(ctx context.Context, shot int) (*line, error) {
					return dial(ctx, t.From.Addr(from.number(shot)), t.Addr)
				},
				begin: func(_ context.Context, l *line, shot int) error { return begin(l, t, shot) },
			}
		},
	}
}

// liner makes the shots of attacks on connections.
type liner struct {
	tally  *Tally
	held   *hold
	dial   func(ctx context.Context, shot int) (*line, error)
	begin  func(ctx context.Context, l *line, shot int) error
	misuse func(*line) error
}

func (o *liner) fire(ctx context.Context, shot int) (kept bool) {
	l, err := o.dial(ctx, shot)
	if err != nil {
		o.turnedDown(ctx, err)
		return false
	}
	// The end of the attack must not wait for an answer.
	stop := context.AfterFunc(ctx, func() { l.conn.SetDeadline(time.Unix(1, 0)) })
	l.conn.SetDeadline(time.Now().Add(tryWithin))
	err = o.begin(ctx, l, shot)
	switch {
	case !stop():
		hangUp(l.conn)
		return false
	case err != nil:
		hangUp(l.conn)
		o.turnedDown(ctx, err)
		return false
	}
	o.tally.accepted.Add(1)
	l.conn.SetDeadline(time.Time{})
	return o.held.keep(l.conn, func() error { return o.misuse(l) }, func(err error) {
		o.tally.accepted.Add(-1)
		o.turnedDown(ctx, err)
	})
}

func (o *liner) putDown() {}

// turnedDown counts how the application ended a connection, which for these attacks is a refusal in whatever form.
func (o *liner) turnedDown(ctx context.Context, err error) {
	var status *api.StatusError
	switch {
	case errors.As(err, &status):
		o.tally.refuse(api.Reason(err)) // also where it is no 429 and no 503
	case api.Lost(err):
		o.tally.refuse(cutOff)
	default:
		o.tally.note(ctx, err)
	}
}
