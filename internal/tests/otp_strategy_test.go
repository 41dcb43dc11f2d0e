package tests

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// S28
func TestOneForOneRestartsOnlyTheFailedChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		start(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a, b, c))
		b.ends(fails)
		d.expect(t, "+a +b +c -b +b")
	})
}

// S29
func TestOneForAllStopsInReverseAndStartsEverySpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		finished, terminated, ignored, temporary := d.actor("finished"), d.actor("terminated"), d.actor("ignored"), d.actor("temporary")
		ignored.begin = func(run int) error {
			if run == 1 {
				return headcount.ErrIgnore
			}
			return nil
		}
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.OneForAll},
			a, finished.as(headcount.Transient), terminated, ignored, b, temporary.as(headcount.Temporary), c)
		start(t, top)
		finished.ends(finishes)
		if err := top.TerminateChild(t.Context(), "terminated"); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "+a +finished +terminated !ignored +b +temporary +c -finished -terminated")
		b.ends(fails)
		d.expect(t, "-b -c -temporary -a +a +finished +terminated +ignored +b +c")
		wantState(t, top, "temporary", "no spec")
	})
}

// S29: the others stop one at a time, each within its own allowance.
func TestOneForAllStopsOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		b.linger, c.linger = time.Second, time.Second
		start(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.OneForAll}, a, b, c))
		d.expect(t, "+a +b +c")
		a.ends(fails)
		d.expect(t, "-a")
		time.Sleep(time.Second)
		d.expect(t, "-c")
		time.Sleep(time.Second)
		d.expect(t, "-b +a +b +c")
	})
}

// S30
func TestRestForOneRestartsTheFailedChildAndTheLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, finished, c, temporary := d.actor("a"), d.actor("b"), d.actor("finished"), d.actor("c"), d.actor("temporary")
		early := d.actor("early")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.RestForOne},
			early.as(headcount.Transient), a, b, finished.as(headcount.Transient), c, temporary.as(headcount.Temporary))
		start(t, top)
		early.ends(finishes)
		finished.ends(finishes)
		d.expect(t, "+early +a +b +finished +c +temporary -early -finished")
		b.ends(fails)
		d.expect(t, "-b -temporary -c +b +finished +c")
		wantState(t, top, "early", "stopped")
		wantState(t, top, "temporary", "no spec")
	})
}

// S31: five children that fail at the same time, with a budget of one.
func TestAGroupRestartCostsOneAndAbsorbsSiblingExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		boom := make(chan struct{})
		var children []headcount.Specifier
		var actors []*actor
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			x := d.actor(name)
			actors = append(actors, x)
			children = append(children, headcount.ChildSpec{Name: name, AwaitReady: true, Run: func(ctx context.Context) error {
				headcount.Ready(ctx)
				if x.runs.Add(1) > 1 {
					return until(ctx)
				}
				<-boom
				return errBoom
			}})
		}
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Strategy: headcount.OneForAll, Intensity: headcount.Intensity{Restarts: 1, Within: time.Minute},
		}, children...)
		start(t, top)
		close(boom)
		synctest.Wait()
		isRunning(t, top)
		for _, x := range actors {
			if x.runs.Load() != 2 {
				t.Errorf("%s was run %d times, want 2", x.name, x.runs.Load())
			}
		}
	})
}

// S32, S33
func TestAFailedStartInAGroupRestartIsRetriedAndCallsAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		b.begin = failsOn(2, 3, 4, 5, 6, 7, 8)
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.RestForOne, Backoff: longBackoff}, a, b, c)
		start(t, top)
		d.expect(t, "+a +b +c")
		a.ends(fails)
		d.expect(t, "-a -c -b +a !b")
		wantState(t, top, "a", "running")
		wantState(t, top, "b", "restarting")
		wantState(t, top, "c", "stopped")
		took(t, 0, func() {
			if _, err := top.StartChild(t.Context(), d.actor("new")); err != nil {
				t.Errorf("StartChild between the attempts: %v", err)
			}
			if err := top.Stop(t.Context()); err != nil {
				t.Errorf("Stop between the attempts: %v", err)
			}
		})
		d.expect(t, "+new -new -a")
	})
}

// S32: each attempt costs one restart of the budget.
func TestEachFailedStartInAGroupRestartCostsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		b.begin = func(run int) error {
			if run > 1 {
				return errBoom
			}
			return nil
		}
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Strategy: headcount.RestForOne, Backoff: quick, Intensity: headcount.Intensity{Restarts: 3, Within: time.Minute},
		}, a, b)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		a.ends(fails)
		settle()
		if over, err := ended(top); !over || err == nil {
			t.Errorf("ended: %v, %v; want it to have given up", over, err)
		}
		d.expect(t, "+a +b -a -b +a !b !b !b -a") // one for a, two more for b
	})
}

// S33
func TestOneForAllRetryBeginsTheRoundAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		b.begin = failsOn(2)
		start(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Strategy: headcount.OneForAll, Backoff: headcount.Backoff{Min: time.Second, Max: time.Second},
		}, a, b, c))
		d.expect(t, "+a +b +c")
		c.ends(fails)
		time.Sleep(time.Second)
		d.expect(t, "-c -b -a +a !b -a +a +b +c")
	})
}

// S33
func TestRestForOneRetryGoesOnFromTheFailedChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		b.begin = failsOn(2)
		start(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Strategy: headcount.RestForOne, Backoff: headcount.Backoff{Min: time.Second, Max: time.Second},
		}, a, b, c))
		d.expect(t, "+a +b +c")
		a.ends(fails)
		time.Sleep(time.Second)
		d.expect(t, "-a -c -b +a !b +b +c")
	})
}

// S34
func TestTerminatingTheRetriedChildLeavesTheLaterOnesStopped(t *testing.T) {
	for _, strategy := range []headcount.Strategy{headcount.OneForAll, headcount.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
				b.begin = failsOn(2)
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: strategy, Backoff: longBackoff}, a, b, c)
				start(t, top)
				a.ends(fails)
				d.expect(t, "+a +b +c -a -c -b +a !b")
				if err := top.TerminateChild(t.Context(), "b"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Hour)
				d.expect(t, "")
				wantState(t, top, "c", "stopped")
				if _, err := top.RestartChild(t.Context(), "b"); err != nil {
					t.Fatal(err)
				}
				d.expect(t, "+b")
				wantState(t, top, "c", "stopped")
				if _, err := top.RestartChild(t.Context(), "c"); err != nil {
					t.Fatal(err)
				}
				d.expect(t, "+c")
			})
		})
	}
}
