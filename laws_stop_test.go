package headcount

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopTellsOfAStuckChildBelowASupervisorThatWasTerminatedBefore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		d := NewDynamicSupervisor("jobs", MaxChildren(3))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := started(t)(d.Go(t.Context(), run))
		if err := app.TerminateChild(t.Context(), "jobs"); !errors.As(err, new(*StuckError)) {
			t.Fatalf("terminate: %v", err)
		}
		var stuck *StuckError
		if err := app.Stop(t.Context()); !errors.As(err, &stuck) || stuck.Total != 1 || stuck.Paths[0] != c.Path() {
			t.Errorf("stop with a stuck child left: %v", err)
		}
		release()
		synctest.Wait()
		if err := app.Stop(t.Context()); err != nil {
			t.Errorf("stop after it has returned: %v", err)
		}
		allFree(t, app, d)
	})
}

func TestStopTellsOfAStuckChildBelowASupervisorThatWasDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		d := NewDynamicSupervisor("jobs", MaxChildren(3))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		started(t)(d.Go(t.Context(), run))
		app.TerminateChild(t.Context(), "jobs")
		if err := app.DeleteChild(t.Context(), "jobs"); err != nil {
			t.Fatal(err)
		}
		if err := app.Stop(t.Context()); !errors.As(err, new(*StuckError)) {
			t.Errorf("stop with a stuck child left: %v", err)
		}
		release()
		synctest.Wait()
		down(t, app)
		allFree(t, app, d)
	})
}

func TestStopDoesNotTellOfAStuckChildThatHasReturned(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		inner := NewDynamicSupervisor("inner", MaxChildren(3))
		outer := NewDynamicSupervisor("outer", MaxChildren(3))
		if err := outer.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := started(t)(outer.StartChild(t.Context(), inner))
		started(t)(inner.Go(t.Context(), run))
		if err := c.Stop(t.Context()); !errors.As(err, new(*StuckError)) {
			t.Fatalf("stop of the inner one: %v", err)
		}
		release()
		synctest.Wait()
		if err := outer.Stop(t.Context()); err != nil {
			t.Errorf("nothing is left, but stop says %v", err)
		}
		allFree(t, inner, outer)
	})
}

func TestStopWaitsForAChildWhoseStartWasGivenUp(t *testing.T) {
	for _, again := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			run, release := deaf()
			app := NewSupervisor("app", SupervisorConfig{Logger: quiet})
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := app.StartChild(t.Context(), ChildSpec{Name: "slow", Run: run, AwaitReady: true, ReadyWithin: time.Second})
			is(t, err, ErrNotReady)
			if again { // also when the stop is that of the next life
				app.Stop(t.Context())
				if err := app.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var stuck *StuckError
			if err := app.Stop(t.Context()); !errors.As(err, &stuck) || stuck.Total != 1 || stuck.Paths[0] != "app/slow" {
				t.Errorf("stop with a child left: %v", err)
			}
			release()
			synctest.Wait()
			down(t, app)
			allFree(t, app)
		})
	}
}

func TestStopTellsOfAnAddedChildThatIsStuckSinceAnEarlierLife(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet})
		for range 2 {
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if app.own.count() == 0 {
				started(t)(app.StartChild(t.Context(), ChildSpec{Name: "added", Run: run}))
			}
			if err := app.Stop(t.Context()); !errors.As(err, new(*StuckError)) {
				t.Errorf("stop with a child left: %v", err)
			}
		}
		release()
		synctest.Wait()
		allFree(t, app)
	})
}

func TestAStopIsNotHeldUpByAStartThatCameToNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		hook := hookGaps(t)
		d := NewDynamicSupervisor("jobs", MaxChildren(3))
		app := NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(2), Logger: quiet}, d)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan error, 1)
		hook.once(beforeLevel, func() { // the start holds its supervisor's slot, that of the level above it will not get
			app.descendants.setLimit(0)
			go func() { stopped <- app.Stop(context.Background()) }()
			time.Sleep(time.Millisecond)
		})
		began := time.Now()
		if _, err := d.Go(t.Context(), obedient); !errors.Is(err, ErrMaxDescendants) {
			t.Fatalf("got %v", err)
		}
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("the stop took %v", took)
		}
		allFree(t, app, d)
	})
}

func TestAUserErrorThatPanicsDoesNotReachTheTail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		inner := NewSupervisor("inner", SupervisorConfig{Intensity: Intensity{Restarts: 0, Within: time.Second}},
			ChildSpec{Name: "bad", Run: func(context.Context) error { time.Sleep(time.Second); return brokenError{} }})
		outer := up(t, NewDynamicSupervisor("outer", MaxChildren(3), WithLogger(quiet)))
		spec := inner.ChildSpec()
		spec.Restart = Temporary
		c := started(t)(outer.StartChild(t.Context(), spec))
		if err := c.Wait(t.Context()); !isIntensity(err) {
			t.Errorf("got %T", err)
		}
	})
}

// isIntensity looks at the error itself: its chain panics.
func isIntensity(err error) bool { _, ok := err.(*IntensityError); return ok }

// A brokenError panics wherever the user's code is asked.
type brokenError struct{}

func (brokenError) Error() string { panic("Error") }
func (brokenError) As(any) bool   { panic("As") }

func TestASupervisorWithStuckChildrenDoesNotChangeTrees(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		d := NewDynamicSupervisor("jobs", MaxChildren(3))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		started(t)(d.Go(t.Context(), run))
		if err := app.Stop(t.Context()); !errors.As(err, new(*StuckError)) {
			t.Fatalf("stop: %v", err)
		}
		root := up(t, NewSupervisor("root", SupervisorConfig{MaxDescendants: MaxDescendants(10), Logger: quiet}))
		if _, err := root.StartChild(t.Context(), app); !errors.As(err, new(*ConfigError)) {
			t.Errorf("a supervisor with a stuck child moved into another tree: %v", err)
		}
		release()
		synctest.Wait()
		if n := root.descendants.count(); n != 0 {
			t.Errorf("the other tree counts %d descendants, want 0", n)
		}
		started(t)(root.StartChild(t.Context(), app))
	})
}

func TestARefusedPlaceLeavesTheSupervisorAsItWas(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		d := NewDynamicSupervisor("jobs", MaxChildren(3), WithLogger(quiet))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		started(t)(d.Go(t.Context(), run))
		app.Stop(t.Context())
		if err := d.Start(t.Context()); !errors.As(err, new(*ConfigError)) {
			t.Fatalf("start as a root with a child stuck in another tree: %v", err)
		}
		release()
		synctest.Wait()
		up(t, d)
	})
}
