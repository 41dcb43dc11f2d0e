package tests

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/headcount-go/headcount"
)

// raise keeps the highest value seen.
func raise(peak *atomic.Int64, n int64) {
	for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
	}
}

// RA2, law 1: many callers, a limit that moves, and the peak seen from inside.
func TestTheLimitIsExactUnderContention(t *testing.T) {
	const callers, rounds, most = 16, 300, 10
	pool := newPool(t, most)
	var inside, peak atomic.Int64
	work := func(context.Context) error {
		raise(&peak, inside.Add(1))
		defer inside.Add(-1)
		runtime.Gosched()
		return nil
	}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range rounds {
				err := pool.Do(context.Background(), work)
				if err != nil && !errors.Is(err, headcount.ErrMaxChildren) {
					t.Error(err)
				}
				if child, err := pool.Go(context.Background(), work); err == nil {
					_ = child.Wait(context.Background())
				}
			}
		})
	}
	wg.Go(func() {
		for i := range rounds {
			if err := pool.MaxChildren().Set([]int{1, most, 0, 5}[i%4], headcount.Change{}); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	})
	wg.Wait()
	if n := peak.Load(); n > most || n == 0 {
		t.Errorf("%d were inside at once, want at most %d", n, most)
	}
	if n := inside.Load(); n != 0 {
		t.Errorf("%d inside at the end", n)
	}
	wantRunning(t, pool, 0)
}

// Law 1: a new limit is in force when Set has returned, whoever is starting meanwhile.
func TestALoweredLimitIsInForceWhenSetReturns(t *testing.T) {
	pool := newPool(t, 64)
	var period atomic.Int64 // odd while the limit is 0
	var admitted, refused atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := period.Load()
				err := pool.Do(context.Background(), func(context.Context) error { return nil })
				if before%2 == 1 && period.Load() == before { // all of it was within one period of limit 0
					if err == nil {
						admitted.Add(1)
					} else {
						refused.Add(1)
					}
				}
				runtime.Gosched() // on one core too, the limit moves on
			}
		})
	}
	for range 500 {
		if err := pool.MaxChildren().Set(0, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		period.Add(1)
		for range 5 {
			runtime.Gosched()
		}
		period.Add(1)
		if err := pool.MaxChildren().Set(64, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	close(stop)
	wg.Wait()
	if admitted.Load() != 0 || refused.Load() == 0 {
		t.Errorf("%d starts were admitted at limit 0, %d refused", admitted.Load(), refused.Load())
	}
}

// P5, TI2, RA1, RA10: one limit for all callers, used to the last slot.
func TestATotalIsATotal(t *testing.T) {
	const limit, callers = 500, 16
	pool := newPool(t, limit)
	var admitted, refused, inside atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range limit {
				_, err := pool.Go(context.Background(), func(ctx context.Context) error {
					inside.Add(1)
					return until(ctx)
				})
				switch {
				case err == nil:
					admitted.Add(1)
				case errors.Is(err, headcount.ErrMaxChildren):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if admitted.Load() != limit || refused.Load() != callers*limit-limit {
		t.Errorf("admitted %d and refused %d, want %d and %d", admitted.Load(), refused.Load(), limit, callers*limit-limit)
	}
	for inside.Load() < limit {
		runtime.Gosched()
	}
	if n := pool.Counts().Refused.MaxChildren; n != uint64(refused.Load()) {
		t.Errorf("%d refusals counted, %d returned", n, refused.Load())
	}
}
