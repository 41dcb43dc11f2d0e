package endpoint

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/headcount-go/headcount"
)

func TestGaugeAdmitsUpToItsLimit(t *testing.T) {
	g := newGauge(2)
	for range 2 {
		if !g.take() {
			t.Fatal("refused below the limit")
		}
	}
	if g.take() {
		t.Fatal("admitted above the limit")
	}
	g.leave()
	if !g.take() {
		t.Fatal("refused after one had left")
	}
	if n := g.count(); n != 2 {
		t.Fatalf("count is %d, want 2", n)
	}
}

func TestGaugeOfZeroAdmitsNothing(t *testing.T) {
	for _, g := range []*gauge{{}, newGauge(0), newGauge(-1)} {
		if g.take() {
			t.Error("admitted one")
		}
	}
}

func TestGaugeWithoutLimitAdmitsAll(t *testing.T) {
	g := newGauge(headcount.Unlimited)
	for range 100_000 {
		if !g.take() || g.takeAnyway() {
			t.Fatal("refused")
		}
	}
	if n := g.count(); n != 200_000 {
		t.Fatalf("count is %d, want 200000", n)
	}
}

func TestGaugeThatObservesTakesAboveTheLimitAndSaysSo(t *testing.T) {
	g := newGauge(1)
	if g.takeAnyway() {
		t.Fatal("the first one is not above the limit")
	}
	if !g.takeAnyway() {
		t.Fatal("the second one is above the limit")
	}
	if n := g.count(); n != 2 {
		t.Fatalf("count is %d, want 2", n)
	}
	g.leave()
	if g.take() {
		t.Fatal("admitted at the limit")
	}
}

func TestGaugeKeepsWhatIsHeldAboveALoweredLimit(t *testing.T) {
	g := newGauge(3)
	for range 3 {
		g.take()
	}
	g.setMost(1)
	g.leave()
	g.leave()
	if g.take() {
		t.Fatal("admitted at the lowered limit")
	}
	g.leave()
	if !g.take() {
		t.Fatal("refused below the lowered limit")
	}
}

func TestGaugeLeftTooOftenPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	newGauge(1).leave()
}

// The count is kept outside, and compared with the highest limit that was in force while a take ran.
func TestGaugeIsExactForAnyNumberOfTakersWhileItsLimitChanges(t *testing.T) {
	const high = 20
	g := newGauge(high)
	var inside, above, admitted atomic.Int64
	var holders, changer sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		holders.Go(func() {
			for turn := 0; turn < 20_000 || admitted.Load() == 0; turn++ { // the limit may have been 0 all the while
				if !g.take() {
					continue
				}
				admitted.Add(1)
				if inside.Add(1) > high {
					above.Add(1)
				}
				inside.Add(-1)
				g.leave()
			}
		})
	}
	changer.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				g.setMost(rand.IntN(high + 1))
			}
		}
	})
	holders.Wait()
	close(done)
	changer.Wait()
	if above.Load() > 0 || g.count() != 0 || admitted.Load() == 0 {
		t.Fatalf("%d above the limit, %d held at the end, %d admitted", above.Load(), g.count(), admitted.Load())
	}
}

func TestLoweredGaugeAdmitsNoneOnceTheCallHasReturned(t *testing.T) {
	g := newGauge(headcount.Unlimited)
	var closed atomic.Bool
	var late atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50_000 {
				seen := closed.Load()
				if g.take() {
					if seen {
						late.Add(1)
					}
					g.leave()
				}
			}
		})
	}
	g.setMost(0)
	closed.Store(true)
	wg.Wait()
	if late.Load() > 0 {
		t.Fatalf("%d were admitted after the limit had been lowered to zero", late.Load())
	}
}

func BenchmarkGaugeTakeLeave(b *testing.B) {
	g := newGauge(1 << 20)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g.take()
			g.leave()
		}
	})
}
