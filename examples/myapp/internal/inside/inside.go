// Package inside counts what runs, from within the functions that run.
//
// Headcount has counters of its own. These exist so that its limits can be checked by somebody who does not trust them:
// a function that is running has counted itself, whatever any supervisor believes.
package inside

import (
	"sync"
	"sync/atomic"
)

// Gauge is a number that goes up and down and remembers its peak. The zero value is ready.
type Gauge struct{ now, peak atomic.Int64 }

// Enter counts one more; the caller must call Leave.
func (g *Gauge) Enter() {
	n := g.now.Add(1)
	for {
		peak := g.peak.Load()
		if n <= peak || g.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

// Leave counts one less.
func (g *Gauge) Leave() { g.now.Add(-1) }

// Now returns how many are inside.
func (g *Gauge) Now() int64 { return g.now.Load() }

// Peak returns the highest number that were inside at once.
func (g *Gauge) Peak() int64 { return g.peak.Load() }

// Counts holds the gauges of myapp. The zero value is ready.
type Counts struct {
	WS, UserChildren, Jobs, Requests Gauge

	perUser struct {
		sync.Mutex
		now  map[string]int // holds only users who have something running
		peak int
	}
}

// EnterUser counts one more child of a user; the caller must call LeaveUser.
func (c *Counts) EnterUser(user string) {
	c.UserChildren.Enter()
	c.perUser.Lock()
	defer c.perUser.Unlock()
	if c.perUser.now == nil {
		c.perUser.now = make(map[string]int)
	}
	c.perUser.now[user]++
	c.perUser.peak = max(c.perUser.peak, c.perUser.now[user])
}

// LeaveUser counts one less child of a user.
func (c *Counts) LeaveUser(user string) {
	c.UserChildren.Leave()
	c.perUser.Lock()
	defer c.perUser.Unlock()
	if c.perUser.now[user]--; c.perUser.now[user] == 0 {
		delete(c.perUser.now, user)
	}
}

// PerUserPeak returns the highest number of children that one user had at once.
func (c *Counts) PerUserPeak() int {
	c.perUser.Lock()
	defer c.perUser.Unlock()
	return c.perUser.peak
}
