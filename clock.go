package headcount

import (
	"sync/atomic"
	"time"
)

// A clock tells children when they began. Reading the machine's clock is a tenth of what a short child costs, so where
// children come fast a tick is read instead: then most begin at the last one, up to a millisecond early, or as late as
// the supervisor's own goroutine was kept from the processors.
//
// It has two states. At rest tick is zero, and all read the machine's clock. Who finds that children come fast asks for
// ticks; the goroutine of the supervisor's life makes them until children come slowly again.
type clock struct {
	epoch  time.Time
	wanted chan struct{}
	_      cacheLine    // read by all starts, and written seldom
	tick   atomic.Int64 // the time of the last tick and one; zero at rest
	_      cacheLine
}

const (
	tickEvery = time.Millisecond
	// Children come fast where a shard of the registry gets a block of them in this time, until there is less than one in a
	// tick.
	fastBlock = 10 * time.Millisecond
)

func newClock(epoch time.Time) *clock { return &clock{epoch: epoch, wanted: make(chan struct{}, 1)} }

// now is the time since the epoch: it is read from the monotonic clock.
func (c *clock) now() time.Duration { return time.Since(c.epoch) }

// roughly gives the last tick, and false at rest.
func (c *clock) roughly() (time.Duration, bool) {
	t := c.tick.Load()
	return time.Duration(t - 1), t != 0
}

// noteBlock is told how long a shard took to get a block of children, and asks for ticks if that is fast.
func (c *clock) noteBlock(took time.Duration) {
	if c.tick.Load() == 0 && took < fastBlock {
		notify(c.wanted)
	}
}

// run makes ticks when they are wanted, until one of the channels is closed or has something. started counts the starts.
func (c *clock) run(started func() uint64, done, failed <-chan struct{}) {
	ticker := time.NewTicker(time.Hour)
	ticker.Stop()
	defer ticker.Stop()
	defer c.tick.Store(0)
	var before uint64
	var last time.Duration
	for {
		select {
		case <-done:
			return
		case <-failed:
			return
		case <-c.wanted:
			if c.tick.Load() != 0 {
				continue
			}
			before, last = started(), c.now()
			ticker.Reset(tickEvery)
			c.tick.Store(int64(last) + 1)
		case <-ticker.C:
			n, now := started(), c.now()
			if n-before < uint64((now-last)/tickEvery) {
				ticker.Stop()
				c.tick.Store(0)
				continue
			}
			c.tick.Store(int64(now) + 1)
			before, last = n, now
		}
	}
}
