package tests

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// The traps that public libraries of this field fell into, each reproduced or read there. A trap whose test is one of a
// rule of OTP is listed at the end with its name.

// oversight v2: under one_for_all with a child that ignores its context, thirty copies of it ran at once while the list
// of children said two.
func TestAStuckChildIsNeverDoubled(t *testing.T) {
	for _, strategy := range []headcount.Strategy{headcount.OneForAll, headcount.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				var copies, peak atomic.Int64
				release := make(chan struct{})
				a := d.actor("a")
				deaf := headcount.ChildSpec{Name: "deaf", Shutdown: time.Second, Run: func(ctx context.Context) error {
					raise(&peak, copies.Add(1))
					defer copies.Add(-1)
					select {
					case <-release: // from now on it obeys
						return until(ctx)
					default:
					}
					<-release
					return nil
				}}
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: strategy}, a, deaf)
				start(t, top)
				events := top.Events(1000)
				defer events.Close()
				a.ends(fails)
				time.Sleep(time.Hour) // no budget is used while the group waits
				if copies.Load() != 1 || peak.Load() != 1 {
					t.Errorf("%d copies run, %d at once, want one", copies.Load(), peak.Load())
				}
				if n := top.Counts().Stuck; n != 1 {
					t.Errorf("%d counted as stuck, want 1", n)
				}
				wantState(t, top, "deaf", "stuck")
				halted := 0
				for _, e := range drain(events) {
					if e, ok := e.(headcount.GroupHalted); ok {
						halted++
						if e.Path != "top" || !strings.HasSuffix(e.Child, "deaf") {
							t.Errorf("got %+v", e)
						}
					}
				}
				if halted != 1 {
					t.Errorf("%d events of the halted group, want 1", halted)
				}
				close(release)
				synctest.Wait()
				d.expect(t, "+a -a +a") // the restart goes on when it has returned
				wantState(t, top, "deaf", "running")
				if peak.Load() != 1 {
					t.Errorf("%d copies at once", peak.Load())
				}
			})
		})
	}
}

// suture v4: a hung grandchild is missing from the root's report.
func TestAHungGrandchildIsInTheRootsReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(5))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{},
			headcount.NewSupervisor("middle", headcount.SupervisorConfig{},
				stubborn("hung", time.Second, release),
				headcount.NewSupervisor("inner", headcount.SupervisorConfig{}, stubborn("deep", 2*time.Second, release)),
				pool))
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		dynamic, err := pool.StartChild(t.Context(), stubborn("x", 3*time.Second, release))
		if err != nil {
			t.Fatal(err)
		}
		wantStuck(t, top.Stop(t.Context()), "top/middle/hung", "top/middle/inner/deep", dynamic.Path())
		close(release)
		synctest.Wait()
		if err := top.Stop(t.Context()); err != nil {
			t.Errorf("all have returned, but Stop says %v", err)
		}
	})
}

// Law 5: a report lists the first hundred, and says how many there are.
func TestAReportOfStuckChildrenIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(1000))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, pool)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 250 {
			if _, err := pool.StartChild(t.Context(), stubborn("", time.Second, release)); err != nil {
				t.Fatal(err)
			}
		}
		var stuck *headcount.StuckError
		took(t, time.Second, func() {
			if err := top.Stop(t.Context()); !errors.As(err, &stuck) || len(stuck.Paths) != 100 || stuck.Total != 250 {
				t.Errorf("Stop returned %.200v, want a hundred paths of 250", err)
			}
		})
		close(release)
	})
}

// suture v4: event hooks run on the supervisor's loop, so that a slow one stalls supervision. Here nobody reads.
func TestASlowReaderOfEventsStallsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: quick, Intensity: plenty}, a)
		start(t, top)
		events := top.Events(1)
		defer events.Close()
		for i := range 100 {
			a.ends(fails)
			settle()
			if got := int(a.runs.Load()); got != i+2 {
				t.Fatalf("run %d times after %d failures", got, i+1)
			}
		}
		if events.Dropped() == 0 {
			t.Error("nothing was dropped: the buffer is not bounded")
		}
	})
}

// capataz, goverseer: a sibling's restart backoff blocks the start of another child for its whole length.
func TestASiblingsBackoffDelaysNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: longBackoff}, a, b)
		start(t, top)
		pool := newPool(t, 5, headcount.WithBackoff(longBackoff))
		c := d.actor("c")
		if _, err := pool.StartChild(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		a.backsOff()
		c.backsOff()
		took(t, 0, func() {
			if _, err := top.StartChild(t.Context(), d.actor("new")); err != nil {
				t.Error(err)
			}
			if err := top.TerminateChild(t.Context(), "b"); err != nil {
				t.Error(err)
			}
			if _, err := top.RestartChild(t.Context(), "b"); err != nil {
				t.Error(err)
			}
			mustGo(t, pool)
			if n := len(top.Children()); n != 3 {
				t.Errorf("%d children, want 3", n)
			}
		})
		b.ends(fails) // its own restart is not delayed either
		wantState(t, top, "b", "running")
		wantState(t, top, "a", "restarting")
	})
}

// The same for a slow start, a stuck stop and a terminated child that takes its time.
func TestASlowSiblingDelaysNoCallOfAStaticSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		slow, b := d.actor("slow"), d.actor("b")
		slow.linger = 3 * time.Second
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, slow, b)
		start(t, top)
		terminated, started := make(chan error, 1), make(chan error, 1)
		go func() { terminated <- top.TerminateChild(context.Background(), "slow") }()
		go func() {
			starting := d.actor("starting")
			starting.begin = func(int) error { time.Sleep(3 * time.Second); return nil }
			_, err := top.StartChild(context.Background(), starting)
			started <- err
		}()
		synctest.Wait()
		took(t, 0, func() {
			if _, err := top.StartChild(t.Context(), d.actor("new")); err != nil {
				t.Error(err)
			}
			b.ends(fails)
			wantState(t, top, "b", "running")
			wantState(t, top, "slow", "stopping")
			wantState(t, top, "starting", "starting")
		})
		if err := <-terminated; err != nil {
			t.Error(err)
		}
		if err := <-started; err != nil {
			t.Error(err)
		}
	})
}

// capataz, goverseer: a worker that returns after its shutdown timeout leaks its goroutine, and Stop returns while
// children run. Here it is told, and gone without a trace once it has returned; goleak watches the goroutines.
func TestAChildThatReturnsAfterItsAllowanceLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		release := make(chan struct{})
		child, err := pool.StartChild(t.Context(), stubborn("a", time.Second, release))
		if err != nil {
			t.Fatal(err)
		}
		wantStuck(t, pool.Terminate(t.Context(), child.ID()), child.Path())
		if c := pool.Counts(); c.Stuck != 1 || c.Running != 1 {
			t.Errorf("%d stuck and %d running, want it counted as both", c.Stuck, c.Running)
		}
		if info := child.Info(); info.State != "stuck" {
			t.Errorf("the child is %s", info.State)
		}
		_, err = pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren) // it keeps its slot
		close(release)
		<-child.Done()
		if c := pool.Counts(); c.Stuck != 0 || c.Running != 0 {
			t.Errorf("%d stuck and %d running after its return", c.Stuck, c.Running)
		}
		mustGo(t, pool)
	})
}

// hollywood: passing the maximum of restarts crashes the whole process. Here it is a value that Wait returns.
func TestGivingUpIsAnErrorAndNotACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: quick},
			headcount.ChildSpec{Name: "a", Run: func(context.Context) error { panic("again and again") }})
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		err := top.Wait(context.Background())
		var gaveUp *headcount.IntensityError
		var panicked *headcount.PanicError
		if !errors.As(err, &gaveUp) || !errors.As(err, &panicked) || panicked.Value != "again and again" {
			t.Errorf("Wait returned %v, want an IntensityError that wraps the panic", err)
		}
	})
}

// ergo: a dynamic child restarts with the template's arguments, its own are lost; the restart type is the supervisor's.
func TestAChildRestartsFromItsOwnSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		pool := newPool(t, 3)
		crash := make(chan struct{})
		for _, c := range []struct {
			argument string
			restart  headcount.Restart
		}{{"one", headcount.Permanent}, {"two", headcount.Transient}, {"three", headcount.Temporary}} {
			if _, err := pool.StartChild(t.Context(), headcount.ChildSpec{Restart: c.restart, Run: func(ctx context.Context) error {
				d.note(c.argument)
				select {
				case <-crash:
					return errBoom
				case <-ctx.Done():
					return ctx.Err()
				}
			}}); err != nil {
				t.Fatal(err)
			}
			d.expect(t, c.argument)
			crash <- struct{}{}
			d.expect(t, map[bool]string{true: c.argument}[c.restart != headcount.Temporary])
			for _, info := range first(pool.Children(headcount.Query{})) {
				if err := pool.Terminate(t.Context(), info.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func first[A, B any](a A, _ B) A { return a }

// goakt: a supervisor object supplied by the user and shared was wiped. Specs are values, and are never changed.
func TestASpecMayBeSharedAndIsNeverChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		spec := a.ChildSpec()
		list := []headcount.Specifier{spec}
		one := headcount.NewSupervisor("one", headcount.SupervisorConfig{}, list...)
		two := headcount.NewSupervisor("two", headcount.SupervisorConfig{}, list...)
		list[0] = headcount.ChildSpec{} // too late to matter
		start(t, one)
		start(t, two)
		pool := newPool(t, 2)
		for range 2 {
			if _, err := pool.StartChild(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
		}
		d.expect(t, "+a +a +a +a")
		if spec.Name != "a" || spec.Restart != headcount.Permanent || spec.Shutdown != 0 || !spec.AwaitReady || spec.Values != nil {
			t.Errorf("the spec was changed: %+v", spec)
		}
		if err := one.TerminateChild(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		wantState(t, two, "a", "running")
	})
}

// Where the other traps are shown:
//
//	suture v4, random order of stops       TestStopIsInReverseOneByOneWithItsOwnAllowance
//	suture v4, only one_for_one            TestOneForAll..., TestRestForOne...
//	suture before 4.0.6, foreign Canceled  TestAForeignCancellationIsAbnormal
//	ants, growing wakes no waiter          TestRaisingALimitWakesTheWaiters
//	ants, tuning a multi-pool              TestATotalIsATotal
//	Kubernetes, limit 0 admits one         TestLimitZeroAdmitsNothing
//	Elixir up to 1.6.5, leaking counter    TestTheCountSurvivesCrashRestarts
//	Elixir, the reply overtakes the exit   TestTheSlotIsFreeWhenAwaitReturns, TestTheSlotIsFreeWhenTheExitIsSeen
//	Elixir, one slow init blocks all       TestASlowStartDelaysNobody
//	Elixir, refusals leave no trace        TestARefusalIsTypedAndCounted, TestASpellOfRefusalsIsTwoEvents
//	Ranch, a soft limit                    TestTheLimitIsExactUnderContention
//	Horde, an option without effect        TestOptionsHaveAnEffect
//	errgroup, changing the limit panics    TestTheLimitChangesWhileRunning
//	errgroup, the panic rule               TestATasksFailureIsItsAwaitsError, TestPanicAndGoexitAreAbnormal
//
// Thousand Island, netutil.LimitListener and the HTTP middlewares are about listeners, Horde's failover about clusters:
// their tests come with those parts.
