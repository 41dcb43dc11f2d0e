package endpoint

import (
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount"
)

// A heldGate is a gate on what each key holds.
type heldGate[K comparable] struct {
	gate      *headcount.Gate
	table     *heldTable[K]
	observing bool
}

func newHeldGate[K comparable](name string, most int, observing bool) *heldGate[K] {
	g := &heldGate[K]{table: newHeldTable[K](most), observing: observing}
	g.gate = newGate(name, most, observing, g.table.setMost)
	return g
}

func newGate(name string, n int, observing bool, enforce func(int)) *headcount.Gate {
	g := headcount.NewGate(name, n, enforce)
	if observing {
		return g.Observing()
	}
	return g
}

// take takes a slot of the key, or refuses. What was taken must be left.
func (g *heldGate[K]) take(key K) error {
	if g.observing {
		if g.table.takeAnyway(key) {
			_ = g.gate.Refuse()
		}
		return nil
	}
	if !g.table.take(key) {
		return g.gate.Refuse()
	}
	return nil
}

func (g *heldGate[K]) leave(key K) { g.table.leave(key) }

// A gaugeGate is a gate on what one fixed place holds.
type gaugeGate struct {
	gate      *headcount.Gate
	gauge     *gauge
	observing bool
}

func newGaugeGate(name string, most int, observing bool) *gaugeGate {
	g := &gaugeGate{gauge: newGauge(most), observing: observing}
	g.gate = newGate(name, most, observing, g.gauge.setMost)
	return g
}

func (g *gaugeGate) take() error { return g.takeShare(1) }

// takeShare takes a slot for somebody who may fill only a share of the limit.
func (g *gaugeGate) takeShare(share float64) error {
	if g.observing {
		if g.gauge.takeShareAnyway(share) {
			_ = g.gate.Refuse()
		}
		return nil
	}
	if !g.gauge.takeShare(share) {
		return g.gate.Refuse()
	}
	return nil
}

// full reports whether nobody would be admitted now.
func (g *gaugeGate) full() bool { return !g.observing && gaugeFull(g.gauge.word.Load(), 1) }

func (g *gaugeGate) leave() { g.gauge.leave() }

// A rateGate is a gate on how many a client may start per second.
type rateGate struct {
	gate  *headcount.Gate
	table *rateTable
	rate  atomic.Uint64 // float64, per second; infinite for no limit
	burst int
	epoch time.Time
}

// rateCells is the length of a row of the table of rates, which has four: half a megabyte.
const rateCells = 16384

func newRateGate(name string, perSecond, burst int, observing bool) *rateGate {
	g := &rateGate{table: newRateTable(rateCells), burst: burst, epoch: time.Now()}
	g.gate = newGate(name, perSecond, observing, func(n int) {
		rate := float64(n)
		if n == headcount.Unlimited {
			rate = math.Inf(1)
		}
		if was := math.Float64frombits(g.rate.Swap(math.Float64bits(rate))); rate > was {
			g.table.clear() // what was used up is told in times of the rate that was
		}
	})
	return g
}

// take counts a start of the client. A refusal comes with the time after which the next would be admitted.
func (g *rateGate) take(client netip.Addr) (wait time.Duration, err error) {
	rate := math.Float64frombits(g.rate.Load())
	if math.IsInf(rate, 1) {
		return 0, nil
	}
	wait, ok := g.table.take(rateKey(g.table, client), time.Since(g.epoch), rate, g.burst)
	if ok {
		return 0, nil
	}
	return wait, g.gate.Refuse()
}
