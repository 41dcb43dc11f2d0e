package headcount

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestUnderATripleOverloadCoDelKeepsTheGoodput has 3,000 starts a second come to 10 slots for 10 ms each. The clients
// give up 50 ms after they asked; a job that was begun goes on to its end, as most do. A job is good if its client is
// still there at its end.
func TestUnderATripleOverloadCoDelKeepsTheGoodput(t *testing.T) {
	const patience, work, seconds, warm = 50 * ms, 10 * ms, 3, 200 * ms
	const possible = int((seconds*time.Second - warm) / work * 10)
	run := func(opts ...Option) (good int, waits []time.Duration) {
		inBubble(t, func(t *testing.T) {
			d := up(t, NewDynamicSupervisor("jobs", MaxChildren(10), append(opts, Wait(1000, time.Second), WithLogger(quiet))...))
			var mu sync.Mutex
			var clients sync.WaitGroup
			for i := range 3000 * seconds {
				clients.Go(func() {
					at := time.Duration(i) * time.Second / 3000
					time.Sleep(at)
					began := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					d.Do(ctx, func(context.Context) error {
						waited := time.Since(began)
						time.Sleep(work)
						if at < warm {
							return nil
						}
						mu.Lock()
						defer mu.Unlock()
						waits = append(waits, waited)
						if time.Since(began) < patience {
							good++
						}
						return nil
					})
				})
			}
			clients.Wait()
		})
		slices.Sort(waits)
		return good, waits
	}
	plain, plainWaits := run()
	good, waits := run(CoDel(5*ms, 100*ms))
	t.Logf("of %d jobs possible: with Wait alone %d were good, the median waited %v; with CoDel %d, %v", possible, plain, plainWaits[len(plainWaits)/2], good, waits[len(waits)/2])
	if plain > possible/20 || plainWaits[len(plainWaits)/2] < patience-work {
		t.Errorf("with Wait alone %d jobs were good, after a wait of %v: this is no overload", plain, plainWaits[len(plainWaits)/2])
	}
	if good < possible*98/100 {
		t.Errorf("with CoDel %d of %d jobs were good", good, possible)
	}
	if longest := waits[len(waits)-1]; longest >= 5*ms {
		t.Errorf("a job with CoDel waited for %v", longest)
	}
}

// TestTheTimersOfCoDelRaceWithFreedSlots has starts preempted at the gaps while their short times run out.
func TestTheTimersOfCoDelRaceWithFreedSlots(t *testing.T) {
	preempt(t)
	starts := 2000
	if testing.Short() {
		starts = 300
	}
	d := NewDynamicSupervisor("jobs", MaxChildren(2), Wait(6, time.Second), CoDel(20*time.Microsecond, 200*time.Microsecond), Classes(0.5, 1), WithLogger(quiet))
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	inside := &gauge{}
	inside.allow(2)
	var calls sync.WaitGroup
	var timeouts atomic.Uint64
	for i := range 8 {
		calls.Go(func() {
			for range starts {
				err := d.Do(t.Context(), func(context.Context) error {
					inside.enter()
					defer inside.leave()
					runtime.Gosched()
					return nil
				}, InClass(Class(i%2)))
				switch {
				case errors.Is(err, ErrWaitTimeout):
					timeouts.Add(1)
				case err != nil && !errors.Is(err, ErrQueueFull):
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	if n := inside.exceeded.Load(); n != 0 {
		t.Errorf("%d ran at once", n)
	}
	t.Logf("%d starts were refused because their time was over", timeouts.Load())
	if n := d.Counts().Refused.WaitTimeout; n != timeouts.Load() {
		t.Errorf("%d refusals were counted, the callers had %d", n, timeouts.Load())
	}
	down(t, d)
	allFree(t, d)
}
