// Package honest drives the users for whose sake there are limits: they keep websockets open, open new ones, hand in
// jobs, and write and fetch messages, while somebody else attacks.
//
// The load is open: each operation has an intended time that does not depend on how the one before it went, and its
// latency counts from then. A server that stalls for a second is seen by everything that was meant to happen in that
// second, not by one slow call ("coordinated omission" is what the other way of measuring is called).
package honest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
)

// Config says what the honest users do. Each user keeps one websocket open all the time.
type Config struct {
	// Users is their number.
	Users int
	// From are the addresses that they come from, each from one of its own.
	From loopback.From
	// EchoEvery is the time between two echo checks of one user.
	EchoEvery time.Duration
	// OpenEvery, JobEvery and MailEvery are the times between two such operations of the whole crowd; users take turns.
	OpenEvery, JobEvery, MailEvery time.Duration
	// Patience is how long after its intended time an operation may be done. Later it has failed.
	Patience time.Duration
}

// maxUnderWay bounds the operations under way at once, apart from echoes. What cannot begin for it has failed.
const maxUnderWay = 512

// Crowd is the honest users of one application, at work from Join to Leave.
type Crowd struct {
	cfg   Config
	addr  string
	users []*user

	phase    atomic.Pointer[Phase]
	underWay chan struct{}

	schedules sync.WaitGroup // what begins operations
	running   sync.WaitGroup // operations, and readers of kept websockets
	stop      context.CancelFunc
	lifetime  context.Context // of the operations: ends when waiting for them is over
	cutOff    context.CancelFunc
}

type user struct {
	name, token string
	api         *api.Client
	dialer      *http.Client // for websockets
	kept        *keptWebsocket
	// mailbox is held by the one operation that reads the user's queue; two would take each other's messages.
	mailbox chan struct{}
}

// Join signs the users in, opens their websockets and sets them to work. It fails if one of them cannot be opened.
// token returns the token of a proven user.
func Join(ctx context.Context, addr string, cfg Config, token func(user string) string) (*Crowd, error) {
	c := &Crowd{
		cfg: cfg, addr: addr,
		underWay: make(chan struct{}, maxUnderWay),
	}
	c.lifetime, c.cutOff = context.WithCancel(ctx)
	scheduling, stop := context.WithCancel(c.lifetime)
	c.stop = stop
	c.phase.Store(newPhase("joining"))

	for i := range cfg.Users {
		name := fmt.Sprintf("honest-%02d", i+1)
		from := cfg.From.Addr(i)
		u := &user{name: name, token: token(name), mailbox: make(chan struct{}, 1), api: api.NewFrom(from, addr, maxUnderWay)}
		// Without keep-alive each dial is a connection of its own, so that a websocket opened under attack has to pass
		// the listener as a newcomer does.
		u.dialer = &http.Client{Transport: &http.Transport{
			Proxy: nil, DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: from}).DialContext,
		}}
		u.kept = newKeptWebsocket(c, u)
		c.users = append(c.users, u)
		if err := u.kept.connect(c.lifetime); err != nil {
			c.Leave(0)
			return nil, fmt.Errorf("honest user %s cannot open a websocket: %w", name, err)
		}
	}
	for i, u := range c.users {
		// Spread over the period, or every user would speak at the same instant.
		offset := cfg.EchoEvery * time.Duration(i) / time.Duration(cfg.Users)
		c.running.Go(func() { u.kept.run(c.lifetime) })
		c.every(scheduling, cfg.EchoEvery, offset, func(at time.Time) { u.kept.echo(at) })
	}
	c.takeTurns(scheduling, cfg.OpenEvery, Open, c.openAndEcho)
	c.takeTurns(scheduling, cfg.JobEvery, Job, c.jobUntilDone)
	c.takeTurns(scheduling, cfg.MailEvery, Mail, c.mailToOneself)
	return c, nil
}

// Begin ends the phase before and begins another. What users set out to do from now on belongs to it.
func (c *Crowd) Begin(name string) *Phase {
	p := newPhase(name)
	c.phase.Store(p)
	return p
}

// Leave stops beginning operations, waits up to patience for those under way, closes the websockets in order and
// returns when nothing of the crowd is left. Operations not done by then are abandoned, not failed.
func (c *Crowd) Leave(patience time.Duration) {
	c.stop()
	c.schedules.Wait()
	for _, u := range c.users {
		c.running.Go(func() { u.kept.leave(patience) })
	}
	done := make(chan struct{})
	go func() { c.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * patience): // once for the answers, once for closing in order
	}
	c.cutOff()
	<-done
	for _, u := range c.users {
		u.api.Close()
	}
}

// AwaitLoss waits, but not longer than d, until every user has noticed that the application is gone, so that each of
// those websockets is counted as dropped and not as left.
func (c *Crowd) AwaitLoss(d time.Duration) {
	const look = 5 * time.Millisecond
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(look) {
		if !slices.ContainsFunc(c.users, func(u *user) bool { return u.kept.connected() }) {
			return
		}
	}
}

// every calls begin once for each intended time until ctx is done. When it is late it calls for the missed times at
// once, each with the time that was meant. begin must not block.
func (c *Crowd) every(ctx context.Context, period, offset time.Duration, begin func(intended time.Time)) {
	c.schedules.Go(func() {
		next := time.Now().Add(offset)
		timer := time.NewTimer(offset)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			for now := time.Now(); !next.After(now); next = next.Add(period) {
				begin(next)
			}
			timer.Reset(time.Until(next))
		}
	})
}

// takeTurns schedules an operation of the crowd, done by one user after the other.
func (c *Crowd) takeTurns(ctx context.Context, period time.Duration, kind Kind, do func(context.Context, *user, string) error) {
	turn := 0
	offset := time.Duration(rand.Int64N(int64(period)))
	c.every(ctx, period, offset, func(intended time.Time) {
		u := c.users[turn%len(c.users)]
		name := fmt.Sprintf("%s-%s-%d", u.name, kind, turn)
		turn++
		op := c.phase.Load().plan(kind, intended)
		select {
		case c.underWay <- struct{}{}:
		default:
			op.end(backlog)
			return
		}
		c.running.Go(func() {
			defer func() { <-c.underWay }()
			op.begins()
			ctx, cancel := context.WithDeadline(c.lifetime, intended.Add(c.cfg.Patience))
			defer cancel()
			err := do(ctx, u, name)
			if err != nil && c.lifetime.Err() != nil {
				op.abandon()
				return
			}
			op.end(err)
		})
	})
}
