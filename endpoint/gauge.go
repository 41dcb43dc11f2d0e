package endpoint

import (
	"math"
	"sync/atomic"

	"github.com/headcount-go/headcount"
)

// A gauge is one limit with its count, for a fixed place such as a class of routes. Its zero value admits nothing.
//
// Count and limit are one atomic word, from the top bit down:
//
//	limit 32 | count 32
//
// Invariant: count < limit at the instant of each take that admits. All changes are atomic operations on the one word,
// so a new limit is in force for every take that ends after setMost has returned, and no take has to be given back.
type gauge struct {
	word atomic.Uint64
}

const (
	gaugeShift     = 32
	gaugeCount     = 1<<gaugeShift - 1
	gaugeUnlimited = 1<<(64-gaugeShift) - 1
)

func newGauge(most int) *gauge {
	g := &gauge{}
	g.setMost(most)
	return g
}

// take admits one, if that keeps to the limit.
func (g *gauge) take() bool { return g.takeShare(1) }

// takeShare admits one, if that keeps to this share of the limit.
func (g *gauge) takeShare(share float64) bool {
	for {
		w := g.word.Load()
		if gaugeFull(w, share) {
			return false
		}
		if g.word.CompareAndSwap(w, w+1) {
			return true
		}
	}
}

// takeAnyway admits one whatever the limit says, and reports whether take would have refused: for a limit that only
// observes.
func (g *gauge) takeAnyway() (above bool) { return g.takeShareAnyway(1) }

// takeShareAnyway is to takeShare what takeAnyway is to take.
func (g *gauge) takeShareAnyway(share float64) (above bool) {
	return gaugeFull(g.word.Add(1)-1, share)
}

// leave gives back what one take, or takeAnyway, has taken.
func (g *gauge) leave() {
	if before := g.word.Add(^uint64(0)) + 1; before&gaugeCount == 0 {
		panic("endpoint: a gauge was left more often than taken")
	}
}

// setMost puts n in force: [headcount.Unlimited] for no limit, zero or less to admit nothing. What is held above a
// lowered limit stays until it leaves.
func (g *gauge) setMost(n int) {
	limit := uint64(gaugeUnlimited)
	if n != headcount.Unlimited {
		limit = uint64(min(max(n, 0), headcount.MaxLimit))
	}
	for {
		w := g.word.Load()
		if g.word.CompareAndSwap(w, w&gaugeCount|limit<<gaugeShift) {
			return
		}
	}
}

func (g *gauge) count() int { return int(g.word.Load() & gaugeCount) }

// gaugeFull reports whether a share of the limit is taken. It is rounded up as [headcount.Classes] has it: a share is
// meant to a millionth.
func gaugeFull(w uint64, share float64) bool {
	limit := w >> gaugeShift
	if limit == gaugeUnlimited {
		return false
	}
	if share < 1 {
		limit = uint64(math.Ceil(share*float64(limit) - 1e-6))
	}
	return w&gaugeCount >= limit
}
