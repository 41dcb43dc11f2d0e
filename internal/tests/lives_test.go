package tests

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// A supervisor is one object for all its lives: what is stuck of one is counted in the next, and not doubled.
func TestASecondLifeWaitsForTheStuckChildOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var copies, peak atomic.Int64
		release := make(chan struct{})
		deaf := headcount.ChildSpec{Name: "deaf", Shutdown: time.Second, Run: func(ctx context.Context) error {
			raise(&peak, copies.Add(1))
			defer copies.Add(-1)
			select {
			case <-release:
				return until(ctx)
			default:
			}
			<-release
			return nil
		}}
		var d diary
		crash := d.actor("crash")
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{Intensity: headcount.Intensity{Within: time.Second}}, deaf, crash)
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, inner)
		start(t, top)
		crash.ends(fails) // inner gives up, and is restarted
		time.Sleep(time.Hour)
		if copies.Load() != 1 || peak.Load() != 1 {
			t.Errorf("%d copies run, %d at once, want one", copies.Load(), peak.Load())
		}
		if n := inner.Counts().Stuck; n != 1 {
			t.Errorf("%d counted as stuck in the second life, want 1", n)
		}
		d.expect(t, "+crash -crash")
		close(release)
		d.expect(t, "+crash")
		if copies.Load() != 1 || peak.Load() != 1 {
			t.Errorf("%d copies run, %d at once, want one", copies.Load(), peak.Load())
		}
	})
}

func TestASupervisorMayBeStartedAgainAfterItsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(2))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(4)}, d.actor("a"), pool)
		for range 3 {
			if err := top.Start(context.Background()); err != nil {
				t.Fatal(err)
			}
			mustGo(t, pool)
			mustGo(t, pool)
			if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrMaxChildren) {
				t.Errorf("a third child: %v", err)
			}
			if err := top.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
			d.expect(t, "+a -a")
			if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrStopped) && !errors.Is(err, headcount.ErrNotRunning) {
				t.Errorf("a start after the stop: %v", err)
			}
		}
	})
}

// Law 2, for specs: whatever becomes of one, its slots come back, at every level, once.
func TestASpecGivesItsSlotsBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{MaxChildren: headcount.MaxChildren(2)}, d.actor("a"))
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(10))
		// inner, a, pool and one to spare.
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(4)}, inner, pool)
		start(t, top)
		one := func(when string) {
			t.Helper()
			child, err := pool.Go(t.Context(), until)
			if err != nil {
				t.Fatalf("%s: no slot is free: %v", when, err)
			}
			if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrMaxDescendants) {
				t.Errorf("%s: more than one slot is free: %v", when, err)
			}
			if _, err := inner.StartChild(t.Context(), d.actor("x")); !errors.Is(err, headcount.ErrMaxDescendants) {
				t.Errorf("%s: a spec was admitted above the subtree limit: %v", when, err)
			}
			if err := child.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		one("at first")
		for range 5 {
			b := d.actor("b")
			b.begin = failsOn(1)
			if _, err := inner.StartChild(t.Context(), b); !errors.Is(err, errBoom) {
				t.Fatal(err)
			}
			one("after a failed start")
			if _, err := inner.StartChild(t.Context(), d.actor("a")); err == nil {
				t.Fatal("a taken name was admitted")
			}
			one("after a taken name")
			temporary := d.actor("b")
			if _, err := inner.StartChild(t.Context(), temporary.as(headcount.Temporary)); err != nil {
				t.Fatal(err)
			}
			temporary.ends(fails)
			one("after the end of a temporary child")
			if _, err := inner.StartChild(t.Context(), d.actor("b")); err != nil {
				t.Fatal(err)
			}
			if err := inner.TerminateChild(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrMaxDescendants) {
				t.Errorf("a terminated spec has lost its slot: %v", err)
			}
			if err := inner.DeleteChild(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			one("after a deletion")
			own := headcount.NewSupervisor("own", headcount.SupervisorConfig{})
			if _, err := inner.StartChild(t.Context(), own); err != nil {
				t.Fatal(err)
			}
			if err := inner.TerminateChild(t.Context(), "own"); err != nil {
				t.Fatal(err)
			}
			if err := inner.DeleteChild(t.Context(), "own"); err != nil {
				t.Fatal(err)
			}
			one("after the deletion of a supervisor")
		}
	})
}

// The closing mark decides: each start is stopped with the rest or refused, none is left running.
func TestAStartAgainstAStopIsStoppedOrRefused(t *testing.T) {
	for range 50 {
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(1000), headcount.Wait(10, time.Second))
		if err := pool.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		var inside atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					_, err := pool.Go(context.Background(), func(ctx context.Context) error {
						inside.Add(1)
						defer inside.Add(-1)
						return until(ctx)
					})
					if errors.Is(err, headcount.ErrStopped) {
						return
					}
					if err != nil && !errors.Is(err, headcount.ErrRefused) {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 20 {
			runtime.Gosched()
		}
		if err := pool.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if n := inside.Load(); n != 0 {
			t.Fatalf("%d children run after the stop", n)
		}
		wg.Wait()
		if n := pool.Counts().Running; n != 0 || inside.Load() != 0 {
			t.Fatalf("%d counted and %d inside after all have been told", n, inside.Load())
		}
	}
}

// Between two lives a start is told so, and not that all is over.
func TestAStartBetweenTwoLivesIsNotRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(10))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.OneForAll, Backoff: longBackoff}, a, pool)
		if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrNotRunning) {
			t.Errorf("before the start: %v", err)
		}
		start(t, top)
		a.backsOff()
		if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrNotRunning) {
			t.Errorf("between two lives: %v", err)
		}
		time.Sleep(time.Hour)
		mustGo(t, pool)
	})
}

// A start that gives up waiting for readiness returns at once; the child keeps its slot until it has returned.
func TestAStartThatGivesUpKeepsItsSlotUntilTheChildHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		release := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took(t, time.Second, func() {
			_, err := pool.StartChild(ctx, headcount.ChildSpec{AwaitReady: true, Run: func(ctx context.Context) error {
				<-ctx.Done()
				<-release
				return nil
			}})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("StartChild returned %v, want the end of its context", err)
			}
		})
		_, err := pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		time.Sleep(time.Minute)
		if n := pool.Counts().Stuck; n != 1 {
			t.Errorf("%d counted as stuck, want 1", n)
		}
		close(release)
		synctest.Wait()
		mustGo(t, pool)
	})
}

// Do's context ends with its caller's and with the child.
func TestDoEndsWithEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		took(t, time.Second, func() {
			if err := pool.Do(ctx, until); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Do returned %v, want the end of the caller's context", err)
			}
		})
		done := make(chan error, 1)
		go func() { done <- pool.Do(context.Background(), until) }()
		synctest.Wait()
		infos, _ := pool.Children(headcount.Query{})
		if len(infos) != 1 {
			t.Fatalf("%d children listed, want the one of Do", len(infos))
		}
		took(t, 0, func() {
			if err := pool.Terminate(t.Context(), infos[0].ID); err != nil {
				t.Error(err)
			}
			<-done
		})
		wantRunning(t, pool, 0)
	})
}

// Contexts derived from a child's start no goroutine.
func TestDerivedContextsStartNoGoroutine(t *testing.T) {
	pool := newPool(t, 1)
	err := pool.Do(context.Background(), func(ctx context.Context) error {
		before := runtime.NumGoroutine()
		var cancels []context.CancelFunc
		for range 1000 {
			_, cancel := context.WithCancel(ctx)
			cancels = append(cancels, cancel)
		}
		if after := runtime.NumGoroutine(); after > before+10 {
			t.Errorf("%d goroutines more for a thousand derived contexts", after-before)
		}
		for _, cancel := range cancels {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
