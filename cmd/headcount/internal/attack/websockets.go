package attack

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// WebsocketsOfOneUser is one signed-up user who opens n websockets.
func WebsocketsOfOneUser(n int) Attack {
	return Attack{
		Name:    "one user, many websockets",
		About:   fmt.Sprintf("one new user tries to open %d websockets and keeps every one that it gets", n),
		Shots:   n,
		Workers: 32,
		gun: func(_ Attack, t Target, worker int, tally *Tally, held *hold) gun {
			token := t.Token("mallory")
			from := t.From.Addr(worker)
			return &opener{addr: t.Addr, tally: tally, held: held, token: func(int) string { return token }, from: func(int) net.Addr { return from }}
		},
	}
}

// WebsocketsOfNewUsers is n newly signed-up users, each with a token of its own, who open one websocket each.
func WebsocketsOfNewUsers(n int) Attack {
	return Attack{
		Name:    "many new users",
		About:   fmt.Sprintf("%d newly signed-up users with valid tokens open a websocket each and keep it", n),
		Shots:   n,
		Workers: 32,
		gun: func(_ Attack, t Target, _ int, tally *Tally, held *hold) gun {
			return &opener{addr: t.Addr, tally: tally, held: held, from: t.From.Addr, token: func(shot int) string {
				return t.Token("new-" + strconv.Itoa(shot))
			}}
		},
	}
}

// opener opens websockets. A connection whose upgrade was refused is used again for the next try: that is cheaper for
// the attacker and gives the application no rest between two tries.
type opener struct {
	addr  string
	from  func(shot int) net.Addr
	token func(shot int) string
	tally *Tally
	held  *hold
	line  *line // a connection kept from a refusal, nil if there is none
}

// tryWithin bounds one try, so that an application that has stopped answering does not stop the attacker.
const tryWithin = 5 * time.Second

func (o *opener) fire(ctx context.Context, shot int) (kept bool) {
	line := o.line
	o.line = nil
	if line == nil {
		var err error
		if line, err = dial(ctx, o.from(shot), o.addr); err != nil {
			o.tally.note(ctx, err)
			return false
		}
	}
	// The end of the attack must not wait for an answer.
	stop := context.AfterFunc(ctx, func() { line.conn.SetDeadline(time.Unix(1, 0)) })
	line.conn.SetDeadline(time.Now().Add(tryWithin))
	reusable, err := line.upgrade(o.token(shot))
	if !stop() {
		// The attack is over. Whatever came back, it was not held while the attack went on.
		hangUp(line.conn)
		return false
	}
	o.tally.note(ctx, err)
	switch {
	case err == nil:
		line.conn.SetDeadline(time.Time{})
		return o.held.keep(line.conn, line.serve, nil)
	case reusable:
		o.line = line
	default:
		hangUp(line.conn)
	}
	return false
}

func (o *opener) putDown() {
	if o.line != nil {
		hangUp(o.line.conn)
	}
}
