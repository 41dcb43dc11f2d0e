// Package attack holds the attacks that the demo makes on an application which it started itself: bounded in number,
// bounded in time, over real sockets of the loopback interface.
//
// An attack is counted on the attacker's side. What the defence says about itself proves nothing; how many websockets
// the attacker holds open at one instant does.
package attack

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
)

// Target is the application under attack.
type Target struct {
	// Addr is its "host:port". Run refuses anything but a loopback address.
	Addr string
	// Token returns a valid token for a newly signed-up user.
	Token func(user string) string
	// From are the addresses that the attacker has.
	From loopback.From
}

// Attack is one attack: a number of shots, each an attempt to make the application do or hold something.
type Attack struct {
	// Name is short, for tables.
	Name string
	// About says in one sentence what is done.
	About string
	// Shots is how often the attacker tries.
	Shots int
	// Workers is how many shots are under way at once, at most.
	Workers int
	// HoldAtMost ends the attack early once so many connections are held or tried for, because each costs a file descriptor of ours
	// and one of the application's. 0 means no such end.
	HoldAtMost int

	// gun makes the gun of a worker, who may come from an address of its own.
	gun   func(a Attack, t Target, worker int, tally *Tally, held *hold) gun
	keeps bool // the attacker holds what was accepted for good, though it is no websocket
}

// A gun belongs to one worker and keeps what a worker reuses between shots.
type gun interface {
	// fire reports whether the shot has put a connection into the hold.
	fire(ctx context.Context, shot int) (kept bool)
	putDown()
}

// Run makes the attack on t, spreads the shots evenly over the time given, and then keeps what it got until ctx is
// done. It has let everything go when it returns. A slow target or machine stretches the attack; ctx ends it.
func (a Attack) Run(ctx context.Context, t Target, over time.Duration, tally *Tally) {
	tally.planned.Store(int64(a.Shots))
	if !isLoopback(t.Addr) {
		tally.fail("not_loopback")
		return
	}
	held := &hold{tally: tally, atMost: a.HoldAtMost}
	defer held.dropAll()

	p := pace{start: time.Now(), shots: a.Shots, over: over}
	var workers sync.WaitGroup
	for worker := range min(a.Workers, a.Shots) {
		workers.Go(func() {
			g := a.gun(a, t, worker, tally, held)
			defer g.putDown()
			for {
				shot, ok := p.next(ctx)
				if !ok || !held.reserve() {
					return
				}
				tally.sent.Add(1)
				if kept := g.fire(ctx, shot); !kept {
					held.release()
				}
			}
		})
	}
	workers.Wait()
	<-ctx.Done()
	tally.heldAtEnd.Store(tally.held.Load())
}

// isLoopback holds for an address that cannot be anybody else's machine.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// pace gives out shots at an even rate to any number of workers. Shot i is due at start + i*over/shots; when the workers
// are behind, shots are given out at once until they have caught up.
type pace struct {
	start time.Time
	shots int
	over  time.Duration
	taken atomic.Int64
}

// next waits until a shot is due and returns its number. It returns false when there are no more or ctx is done.
func (p *pace) next(ctx context.Context) (int, bool) {
	shot := int(p.taken.Add(1)) - 1
	if shot >= p.shots {
		return 0, false
	}
	due := p.start.Add(time.Duration(int64(p.over) / int64(p.shots) * int64(shot)))
	// Timers are rounded up to about a millisecond; a shot a moment early keeps the rate true.
	if wait := time.Until(due); wait > time.Millisecond {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return shot, ctx.Err() == nil
}
