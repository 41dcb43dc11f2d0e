package tests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// crashing is a supervisor of one child, a, that restarts without waiting, under this budget.
func crashing(t *testing.T, a *actor, budget headcount.Intensity) *headcount.Supervisor {
	t.Helper()
	top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
		Intensity: budget, Backoff: headcount.Backoff{Max: time.Nanosecond, Stable: time.Second},
	}, a)
	if err := top.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return top
}

// S37
func TestIntensityIsCheckedBeforeTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := crashing(t, a, headcount.Intensity{Restarts: 2, Within: time.Minute})
		for range 3 {
			a.ends(fails)
			settle()
		}
		d.expect(t, "+a -a +a -a +a -a")
		if over, _ := ended(top); !over {
			t.Error("the supervisor did not give up")
		}
	})
}

// S38
func TestTheIntensityWindowIsExact(t *testing.T) {
	const within = 10 * time.Second
	for _, c := range []struct {
		name    string
		age     time.Duration // of the first restart at the time of the second
		givesUp bool
	}{
		{"younger than the period", within - time.Nanosecond, true},
		{"as old as the period", within, false},
		{"half a second older", within + time.Second/2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				time.Sleep(300 * time.Millisecond) // not on a whole second
				top := crashing(t, a, headcount.Intensity{Restarts: 1, Within: within})
				a.ends(fails)
				time.Sleep(c.age)
				a.ends(fails)
				over, err := ended(top)
				if over != c.givesUp {
					t.Errorf("gave up: %v, %v; want %v", over, err, c.givesUp)
				}
				if err := top.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// S39
func TestIntensityZeroGivesUpAtTheFirstFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := crashing(t, a, headcount.Intensity{Restarts: 0, Within: time.Second})
		a.ends(fails)
		d.expect(t, "+a -a")
		var gaveUp *headcount.IntensityError
		if over, err := ended(top); !over || !errors.As(err, &gaveUp) {
			t.Errorf("ended: %v, %v; want an IntensityError", over, err)
		}
	})
}

// S39
func TestOneBudgetForAllChildrenOfASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Intensity: headcount.Intensity{Restarts: 2, Within: time.Minute}}, a, b, c)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		a.ends(fails)
		b.ends(fails)
		isRunning(t, top)
		c.ends(fails)
		if over, _ := ended(top); !over {
			t.Error("three children that fail once each did not use up a budget of two")
		}
		d.expect(t, "+a +b +c -a +a -b +b -c -b -a")
	})
}

// S40
func TestGivingUpStopsTheRestAndNamesTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Backoff: quick, Intensity: headcount.Intensity{Restarts: 1, Within: time.Minute},
		}, a, b, c)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		b.ends(fails)
		settle()
		b.ends(fails)
		d.expect(t, "+a +b +c -b +b -b -c -a")
		over, err := ended(top)
		var gaveUp *headcount.IntensityError
		if !over || !errors.As(err, &gaveUp) {
			t.Fatalf("ended: %v, %v; want an IntensityError", over, err)
		}
		if gaveUp.Path != "top" || gaveUp.Child != "b" && gaveUp.Child != "top/b" || gaveUp.Restarts != 1 || gaveUp.Within != time.Minute {
			t.Errorf("got %+v, want supervisor, child, count and period", gaveUp)
		}
		if !errors.Is(err, errBoom) {
			t.Errorf("%v does not wrap the last error of the child", err)
		}
		if err := top.Stop(t.Context()); err != nil {
			t.Errorf("Stop of a supervisor that gave up: %v", err)
		}
	})
}

// S40
func TestATransientSupervisorThatGaveUpIsRestarted(t *testing.T) {
	for _, c := range []struct {
		restart headcount.Restart
		diary   string
	}{
		{headcount.Permanent, "+a -a +a"},
		{headcount.Transient, "+a -a +a"},
		{headcount.Temporary, "+a -a"},
	} {
		t.Run(c.restart.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{Intensity: headcount.Intensity{Within: time.Second}}, a)
				spec := inner.ChildSpec()
				spec.Restart = c.restart
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, spec)
				start(t, top)
				a.ends(fails)
				d.expect(t, c.diary)
				isRunning(t, top)
			})
		})
	}
}

// S40: what cannot be kept alive travels up to the root, and no further than a return value.
func TestACrashLoopTravelsUpToTheRoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{},
			headcount.NewSupervisor("middle", headcount.SupervisorConfig{},
				headcount.NewSupervisor("inner", headcount.SupervisorConfig{Backoff: quick},
					headcount.ChildSpec{Name: "a", Run: func(context.Context) error { return errBoom }})))
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		over, err := ended(top)
		if !over || !errors.Is(err, errBoom) {
			t.Errorf("ended: %v, %v; want boom wrapped", over, err)
		}
	})
}

// S41
func TestARestartedSupervisorHasItsDeclaredChildrenOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, deleted, added := d.actor("a"), d.actor("deleted"), d.actor("added")
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{Intensity: headcount.Intensity{Within: time.Second}}, a, deleted)
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(5))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.OneForAll}, inner, pool)
		start(t, top)
		if _, err := inner.StartChild(t.Context(), added); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Go(t.Context(), until); err != nil {
			t.Fatal(err)
		}
		if err := inner.TerminateChild(t.Context(), "deleted"); err != nil {
			t.Fatal(err)
		}
		if err := inner.DeleteChild(t.Context(), "deleted"); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "+a +deleted +added -deleted")
		a.ends(fails)
		d.expect(t, "-a -added +a +deleted")
		wantState(t, inner, "added", "no spec")
		if n := pool.Counts().Running; n != 0 {
			t.Errorf("the restarted pool has %d children, want none", n)
		}
	})
}

// E1
func TestTheDefaultIntensityIsThreeInFiveSeconds(t *testing.T) {
	for _, c := range []struct {
		name    string
		apart   time.Duration
		givesUp bool
	}{
		{"four failures within five seconds", 1600 * time.Millisecond, true},
		{"four failures in five seconds", 5 * time.Second / 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				top := crashing(t, a, headcount.Intensity{})
				a.ends(fails)
				for range 3 {
					time.Sleep(c.apart + 1)
					a.ends(fails)
				}
				if over, err := ended(top); over != c.givesUp {
					t.Errorf("gave up: %v, %v; want %v", over, err, c.givesUp)
				}
				if err := top.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
