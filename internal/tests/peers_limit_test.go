package tests

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// ants: the running count exceeded the capacity.
func TestMoreCallersThanCoresNeverExceedTheLimit(t *testing.T) {
	for _, limit := range []int{1, 2, 7} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			pool := newPool(t, limit, headcount.Wait(1000, time.Minute))
			var inside, peak, ran atomic.Int64
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					for range 50 {
						err := pool.Do(context.Background(), func(context.Context) error {
							raise(&peak, inside.Add(1))
							defer inside.Add(-1)
							ran.Add(1)
							runtime.Gosched()
							return nil
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if int(peak.Load()) > limit || ran.Load() != 64*50 {
				t.Errorf("%d at once and %d in all, want at most %d and %d", peak.Load(), ran.Load(), limit, 64*50)
			}
		})
	}
}

// pond v2: a task that waits on its own subpool deadlocks. A start waits for a bounded time, and never while it holds a
// slot of another level.
func TestAChildThatStartsBelowItsOwnFullLimitDoesNotDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(5), headcount.Wait(5, time.Second))
		parts := headcount.NewDynamicSupervisor("parts", headcount.MaxChildren(5), headcount.Wait(5, time.Second))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(4)}, jobs, parts)
		start(t, top)
		results := make(chan error, 2)
		for range 2 { // both hold the last two slots of the tree, and want one more each
			if _, err := jobs.Go(t.Context(), func(ctx context.Context) error {
				time.Sleep(time.Millisecond)
				results <- parts.Do(ctx, func(context.Context) error { return nil })
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if c := parts.Counts(); c.Running != 0 || c.Waiting != 2 {
			t.Errorf("%d running and %d waiting, want none and two: what waits does not run", c.Running, c.Waiting)
		}
		if n := jobs.Counts().Running; n != 2 {
			t.Errorf("%d jobs run, want 2", n)
		}
		took(t, time.Second-9*time.Millisecond, func() {
			wantRefusal(t, <-results, headcount.ReasonWaitTimeout, headcount.ErrWaitTimeout)
		})
		<-results // refused too, or admitted to the slot of the other
		if err := parts.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("room for all, but Do returned %v", err)
		}
	})
}

// sentinel: a limit per key of 5 reached 6, and a threshold of 5 reached 1997 running. One key, and many, hammered.
func TestThePerKeyLimitIsExactUnderContention(t *testing.T) {
	const perKey, keys = 5, 3
	users := newUsers(t, 1000, perKey)
	var inside [keys]atomic.Int64
	var peaks [keys]atomic.Int64
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for j := range 300 {
				k := (i + j) % keys
				err := users.At(fmt.Sprint(k)).Do(context.Background(), func(context.Context) error {
					raise(&peaks[k], inside[k].Add(1))
					defer inside[k].Add(-1)
					runtime.Gosched()
					return nil
				})
				if err != nil && !errors.Is(err, headcount.ErrMaxPerKey) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for k := range peaks {
		if n := peaks[k].Load(); n > perKey || n == 0 {
			t.Errorf("key %d had %d at once, want at most %d", k, n, perKey)
		}
	}
	wantNoKeys(t, users)
}

func wantNoKeys(t *testing.T, users *headcount.KeyedSupervisor[string]) {
	t.Helper()
	if top := users.TopKeys(10); len(top) != 0 || users.Counts().Running != 0 {
		t.Errorf("keys that hold nothing are kept: %+v", top)
	}
}

// sentinel: evicting a busy key loses its count. A key that holds a child is never forgotten, however many others come
// and go; a key that holds none is not kept.
func TestABusyKeyIsNeverForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := newUsers(t, 1000, 2)
		mustGo(t, users.At("busy"))
		mustGo(t, users.At("busy"))
		for i := range 100_000 {
			if err := users.At(fmt.Sprint("k", i)).Do(t.Context(), func(context.Context) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		_, err := users.At("busy").Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxPerKey, headcount.ErrMaxPerKey)
		if n := users.At("busy").Count(); n != 2 {
			t.Errorf("busy holds %d, want 2", n)
		}
		if top := users.TopKeys(10); len(top) != 1 || top[0].Key != "busy" {
			t.Errorf("keys that hold a child: %+v, want busy alone", top)
		}
	})
}

// go-concurrency-limits, failsafe-go: a panic in the handler leaks the permit until everything is refused.
func TestHoweverAChildEndsItsSlotIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		users := newUsers(t, 1, 1)
		for _, s := range []headcount.Starter{pool, users.At("k")} {
			for name, how := range map[string]func() error{"finishes": finishes, "fails": fails, "panics": panics, "goexits": goexits} {
				for range 100 {
					child, err := s.Go(t.Context(), func(context.Context) error { return how() })
					if err != nil {
						t.Fatalf("Go after a child that %s: %v", name, err)
					}
					_ = child.Wait(t.Context())
					gone := make(chan error, 1)
					go func() { // Goexit ends the goroutine of the caller
						err := errors.New("did not return")
						defer func() { gone <- err }()
						err = s.Do(context.Background(), func(context.Context) error { return how() })
					}()
					if err := <-gone; errors.Is(err, headcount.ErrRefused) {
						t.Fatalf("Do after a child that %s: %v", name, err)
					}
				}
			}
		}
		for _, n := range []headcount.Node{pool, users} {
			if c := n.Counts(); c.Running != 0 || c.Exits.Total() != 800 {
				t.Errorf("%s: %d running, %d exits counted, want 0 and 800", n.Path(), c.Running, c.Exits.Total())
			}
		}
	})
}

// go-concurrency-limits: raising the limit wakes no waiter, and a waiter granted in the wrong instant is lost. Waiters
// give up, slots come free and the limit moves, all at the same instants; at the end nothing waits or is held.
func TestNoWaiterAndNoSlotIsLost(t *testing.T) {
	pool := newPool(t, 2, headcount.Wait(1000, time.Minute))
	var inside, peak, ran, gaveUp atomic.Int64
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for j := range 100 {
				ctx, cancel := context.WithCancel(context.Background())
				if (i+j)%2 == 0 {
					wg.Go(func() {
						for range (i + j) % 7 {
							runtime.Gosched()
						}
						cancel()
					})
				}
				err := pool.Do(ctx, func(context.Context) error {
					raise(&peak, inside.Add(1))
					defer inside.Add(-1)
					ran.Add(1)
					return nil
				})
				switch {
				case err == nil:
				case errors.Is(err, context.Canceled):
					gaveUp.Add(1)
				default:
					t.Error(err)
				}
				cancel()
			}
		})
	}
	stop := make(chan struct{})
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := pool.MaxChildren().Set([]int{2, 0, 1}[i%3], headcount.Change{}); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	}()
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(time.Minute):
		t.Fatalf("waiters were lost: %+v", pool.Counts())
	}
	close(stop)
	<-moved
	if c := pool.Counts(); c.Running != 0 || c.Waiting != 0 || peak.Load() > 2 {
		t.Errorf("%d running, %d waiting, peak %d; want none and at most 2", c.Running, c.Waiting, peak.Load())
	}
	if err := pool.MaxChildren().Set(2, headcount.Change{}); err != nil {
		t.Fatal(err)
	}
	mustGo(t, pool)
	mustGo(t, pool)
}

// errgroup: a blocked Go cannot be cancelled; changing the limit while goroutines run panics.
func TestAWaitingStartEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1, headcount.Wait(10, time.Hour))
		mustGo(t, pool)
		for name, begin := range map[string]func(context.Context) error{
			"Go": func(ctx context.Context) error { _, err := pool.Go(ctx, until); return err },
			"Do": func(ctx context.Context) error { return pool.Do(ctx, until) },
			"StartChild": func(ctx context.Context) error {
				_, err := pool.StartChild(ctx, headcount.ChildSpec{Run: until})
				return err
			},
			"Async": func(ctx context.Context) error { _, err := headcount.Async(ctx, pool, answer); return err },
		} {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			took(t, time.Second, func() {
				if err := begin(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s returned %v, want the end of its context", name, err)
				}
			})
			cancel()
			if n := pool.Counts().Waiting; n != 0 {
				t.Errorf("%s: %d still wait", name, n)
			}
		}
	})
}

// Elixir: partitions multiply the limit, and one slow init blocks everything; one hammered full sibling refuses nobody
// else (the first half is TestATotalIsATotal).
func TestAFullSiblingCostsNobodyElseAStart(t *testing.T) {
	full := headcount.NewDynamicSupervisor("full", headcount.MaxChildren(1))
	free := headcount.NewDynamicSupervisor("free", headcount.MaxChildren(10))
	top := headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(10)}, full, free)
	start(t, top)
	mustGo(t, full)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := full.Go(context.Background(), until); !errors.Is(err, headcount.ErrMaxChildren) {
					t.Errorf("the full one returned %v", err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	for i := range 5_000 {
		if err := free.Do(context.Background(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("start %d beside a full sibling: %v", i, err)
			break
		}
	}
	close(stop)
	wg.Wait()
}
