package tests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// S18, D13
func TestTerminateCancelsAPendingRestartOfADynamicChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		pool := newPool(t, 1, headcount.WithBackoff(longBackoff))
		child, err := pool.StartChild(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		a.backsOff()
		if s := child.Info().State; s != "restarting" {
			t.Errorf("the child is %s, want restarting", s)
		}
		wantRunning(t, pool, 1)
		took(t, 0, func() {
			if err := pool.Terminate(t.Context(), child.ID()); err != nil {
				t.Error(err)
			}
		})
		wantRunning(t, pool, 0)
		time.Sleep(2 * time.Hour)
		d.expect(t, "+a -a +a -a")
	})
}

// D13: a restart whose start fails keeps the child under its id, and costs its budget.
func TestAFailingRestartKeepsTheChildUnderItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		a.begin = failsOn(2, 3)
		pool := newPool(t, 1, headcount.WithBackoff(headcount.Backoff{Min: time.Second, Max: time.Second}),
			headcount.RestartIntensity(3, time.Minute))
		child, err := pool.StartChild(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		a.ends(fails)
		for range 3 {
			wantRunning(t, pool, 1)
			time.Sleep(time.Second)
		}
		d.expect(t, "+a -a !a !a +a")
		if again, ok := pool.Lookup(child.ID()); !ok || again.Info().State != "running" || again.Info().Restarts != 3 {
			t.Errorf("looked up %v, %v; want the child running after three restarts", again, ok)
		}
		a.ends(fails) // the fourth is above the budget
		time.Sleep(time.Minute)
		d.expect(t, "-a")
		wantRunning(t, pool, 0)
	})
}

// S36, D13
func TestIgnoreOnRestartRemovesADynamicChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		a.begin = func(run int) error {
			if run == 2 {
				return headcount.ErrIgnore
			}
			return nil
		}
		pool := newPool(t, 1)
		events := pool.Events(100)
		defer events.Close()
		child, err := pool.StartChild(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		a.ends(fails)
		d.expect(t, "+a -a !a")
		if _, found := pool.Lookup(child.ID()); found {
			t.Error("the ignored child is still listed")
		}
		wantRunning(t, pool, 0)
		for _, e := range drain(events) {
			if _, bad := e.(headcount.ChildGivenUp); bad {
				t.Errorf("reported as a failure: %v", e)
			}
		}
	})
}

// D14, law 6
func TestOneChildsBudgetTouchesNoSibling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, sibling := d.actor("a"), d.actor("sibling")
		pool := newPool(t, 2, headcount.WithBackoff(quick), headcount.RestartIntensity(3, time.Minute))
		events := pool.Events(100)
		defer events.Close()
		child, err := pool.StartChild(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.StartChild(t.Context(), sibling); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			a.ends(fails)
			settle()
		}
		d.expect(t, "+a +sibling -a +a -a +a -a +a -a")
		wantRunning(t, pool, 1)
		if err := child.Wait(t.Context()); !errors.Is(err, errBoom) {
			t.Errorf("the child that was given up ended with %v", err)
		}
		givenUp := 0
		for _, e := range drain(events) {
			if e, ok := e.(headcount.ChildGivenUp); ok {
				givenUp++
				if e.ID != child.ID() || !errors.Is(e.Err, errBoom) || e.Restarts != 3 {
					t.Errorf("got %+v", e)
				}
			}
		}
		if givenUp != 1 {
			t.Errorf("%d events of giving up, want 1", givenUp)
		}
		isRunning(t, pool)
	})
}

// D14: each child has its own, also from its spec.
func TestAChildsSpecMayHaveItsOwnBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		pool := newPool(t, 2, headcount.WithBackoff(quick), headcount.RestartIntensity(1, time.Minute))
		own := b.ChildSpec()
		own.Intensity = headcount.Intensity{Restarts: 2, Within: time.Minute}
		for _, s := range []headcount.Specifier{a, own} {
			if _, err := pool.StartChild(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		for _, x := range []*actor{a, b, a, b, b} {
			x.ends(fails)
			settle()
		}
		if a.runs.Load() != 2 || b.runs.Load() != 3 {
			t.Errorf("a was run %d times, b %d times; want 2 and 3", a.runs.Load(), b.runs.Load())
		}
	})
}

// D14
func TestEscalateIsTheCommonBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, sibling := d.actor("a"), d.actor("b"), d.actor("sibling")
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(3), headcount.Escalate(1, time.Minute))
		if err := pool.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, x := range []*actor{a, b, sibling} {
			if _, err := pool.StartChild(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		a.ends(fails)
		isRunning(t, pool)
		b.ends(fails) // each failed once
		var gaveUp *headcount.IntensityError
		if over, err := ended(pool); !over || !errors.As(err, &gaveUp) || !errors.Is(err, errBoom) || gaveUp.Path != "pool" {
			t.Errorf("ended: %v, %v; want an IntensityError of pool that wraps boom", over, err)
		}
		if n := a.alive.Load() + b.alive.Load() + sibling.alive.Load(); n != 0 {
			t.Errorf("%d children live on", n)
		}
	})
}
