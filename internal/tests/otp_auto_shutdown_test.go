package tests

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func (a *actor) significant(r headcount.Restart) headcount.ChildSpec {
	spec := a.as(r)
	spec.Significant = true
	return spec
}

// wantAutoShutdown checks that the supervisor has ended by itself, and that this is no failure.
func wantAutoShutdown(t *testing.T, n headcount.Node) {
	t.Helper()
	if over, err := ended(n); !over || err != nil {
		t.Errorf("ended: %v, %v; want a normal end", over, err)
	}
}

// S48
func TestAnySignificantStopsTheSupervisor(t *testing.T) {
	for _, c := range []struct {
		name    string
		restart headcount.Restart
		how     func() error
	}{
		{"transient ends cleanly", headcount.Transient, finishes},
		{"temporary ends cleanly", headcount.Temporary, finishes},
		{"temporary fails", headcount.Temporary, fails},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a, b, w := d.actor("a"), d.actor("b"), d.actor("w")
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{AutoShutdown: headcount.AnySignificant},
					w, a.significant(c.restart), b.significant(c.restart))
				if err := top.Start(context.Background()); err != nil {
					t.Fatal(err)
				}
				a.ends(c.how)
				d.expect(t, "+w +a +b -a -b -w")
				wantAutoShutdown(t, top)
			})
		})
	}
}

// S48
func TestAllSignificantStopsAtTheLastOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, w := d.actor("a"), d.actor("b"), d.actor("w")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{AutoShutdown: headcount.AllSignificant},
			w, a.significant(headcount.Transient), b.significant(headcount.Temporary))
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		a.ends(finishes)
		d.expect(t, "+w +a +b -a")
		isRunning(t, top)
		b.ends(fails)
		d.expect(t, "-b -w")
		wantAutoShutdown(t, top)
	})
}

// S50
func TestWhatDoesNotTriggerAutoShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, temporary, w := d.actor("a"), d.actor("temporary"), d.actor("w")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			AutoShutdown: headcount.AnySignificant, Strategy: headcount.OneForAll, Backoff: quick,
		}, w, a.significant(headcount.Transient), temporary.significant(headcount.Temporary))
		start(t, top)
		d.expect(t, "+w +a +temporary")
		a.ends(fails) // restarted, and its group with it
		settle()
		d.expect(t, "-a -temporary -w +w +a")
		isRunning(t, top)
		w.ends(fails) // a sibling's group restart
		settle()
		d.expect(t, "-w -a +w +a")
		isRunning(t, top)
		if err := top.TerminateChild(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "-a")
		time.Sleep(time.Minute)
		isRunning(t, top)
	})
}

// S51
func TestTerminatedSignificantChildrenDoNotHoldTheSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, w := d.actor("a"), d.actor("b"), d.actor("w")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{AutoShutdown: headcount.AllSignificant},
			w, a.significant(headcount.Transient), b.significant(headcount.Transient))
		start(t, top)
		for _, name := range []string{"a", "b"} { // the last one goes by hand: the supervisor stays
			if err := top.TerminateChild(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		isRunning(t, top)
		if _, err := top.RestartChild(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		b.ends(finishes) // a does not count: b is the last
		wantAutoShutdown(t, top)
	})
}

// S51: a significant child that waits for its restart counts.
func TestARestartingSignificantChildHoldsTheSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{AutoShutdown: headcount.AllSignificant, Backoff: longBackoff},
			a.significant(headcount.Transient), b.significant(headcount.Transient))
		start(t, top)
		a.backsOff()
		b.ends(finishes)
		isRunning(t, top)
		time.Sleep(time.Hour)
		a.ends(finishes)
		wantAutoShutdown(t, top)
	})
}

// S52
func TestAutoShutdownEscalates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, w := d.actor("a"), d.actor("w")
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{AutoShutdown: headcount.AnySignificant}, a.significant(headcount.Transient))
		spec := inner.ChildSpec()
		spec.Restart, spec.Significant = headcount.Transient, true
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{AutoShutdown: headcount.AnySignificant}, w, spec)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		a.ends(finishes)
		d.expect(t, "+w +a -a -w")
		wantAutoShutdown(t, top)
	})
}
