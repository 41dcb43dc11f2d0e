package tests

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// longBackoff keeps a child that has failed twice between two runs for at least half an hour.
var longBackoff = headcount.Backoff{Min: time.Hour, Max: time.Hour, Stable: 2 * time.Hour}

// backsOff makes a fail twice: its first restart is at once, for the second it waits.
func (a *actor) backsOff() {
	a.ends(fails)
	a.ends(fails)
}

// S12
func TestStartChildUnderATakenNameKeepsTheOldSpec(t *testing.T) {
	for _, c := range []struct {
		state headcount.State
		bring func(t *testing.T, top *headcount.Supervisor, a *actor)
	}{
		{"running", func(*testing.T, *headcount.Supervisor, *actor) {}},
		{"stopped", func(t *testing.T, top *headcount.Supervisor, _ *actor) {
			if err := top.TerminateChild(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}},
		{"restarting", func(_ *testing.T, _ *headcount.Supervisor, a *actor) { a.backsOff() }},
	} {
		t.Run(string(c.state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a, other := d.actor("a"), d.actor("a")
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: longBackoff}, a)
				start(t, top)
				c.bring(t, top, a)
				wantState(t, top, "a", c.state)
				_, err := top.StartChild(t.Context(), other)
				if err == nil || !strings.Contains(err.Error(), "top/a") && !strings.Contains(err.Error(), `"a"`) {
					t.Errorf("StartChild returned %v, want an error that names the child", err)
				}
				wantState(t, top, "a", c.state)
				if other.runs.Load() != 0 {
					t.Error("the new spec was run")
				}
			})
		})
	}
}

// S13
func TestStartChildAppendsLastInStartOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.OneForAll}, a, b)
		start(t, top)
		if child, err := top.StartChild(t.Context(), c); err != nil || child.Path() != "top/c" {
			t.Fatalf("StartChild: %v, %v", child, err)
		}
		d.expect(t, "+a +b +c")
		a.ends(fails)
		d.expect(t, "-a -c -b +a +b +c")
		if err := top.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		d.expect(t, "-c -b -a")
	})
}

// S13: an explicit start that fails is no restart.
func TestStartChildThatFailsLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		b.begin = func(int) error { return errBoom }
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: headcount.Backoff{Max: time.Nanosecond}}, a)
		start(t, top)
		for range 10 {
			if _, err := top.StartChild(t.Context(), b); !errors.Is(err, errBoom) {
				t.Fatalf("StartChild returned %v, want boom", err)
			}
			wantState(t, top, "b", "no spec")
		}
		time.Sleep(time.Millisecond)
		if b.runs.Load() != 10 {
			t.Errorf("b was run %d times for 10 starts", b.runs.Load())
		}
		for range 3 { // the default budget is whole
			a.ends(fails)
			time.Sleep(time.Millisecond)
		}
		isRunning(t, top)
		wantState(t, top, "a", "running")
	})
}

// S13
func TestStartChildThatIsIgnoredKeepsTheSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		kept, forgotten := d.actor("kept"), d.actor("forgotten")
		kept.begin = func(run int) error {
			if run == 1 {
				return headcount.ErrIgnore
			}
			return nil
		}
		forgotten.begin = func(int) error { return headcount.ErrIgnore }
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{})
		start(t, top)
		for _, spec := range []headcount.ChildSpec{kept.ChildSpec(), forgotten.as(headcount.Temporary)} {
			child, err := top.StartChild(t.Context(), spec)
			wantIgnored(t, child, err)
		}
		wantState(t, top, "kept", "stopped")
		wantState(t, top, "forgotten", "no spec")
		if _, err := top.RestartChild(t.Context(), "kept"); err != nil {
			t.Error(err)
		}
		wantState(t, top, "kept", "running")
	})
}

// S15
func TestRestartChildWantsAStoppedChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Strategy: headcount.RestForOne, Backoff: longBackoff}, a, b, c)
		start(t, top)
		c.backsOff()
		for name, want := range map[string]headcount.State{"a": "running", "c": "restarting", "nobody": "no spec"} {
			wantState(t, top, name, want)
			if _, err := top.RestartChild(t.Context(), name); err == nil {
				t.Errorf("RestartChild of %s, which is %s, returned nil", name, want)
			}
			wantState(t, top, name, want)
		}
		if err := top.TerminateChild(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "+a +b +c -c +c -c -b")
		child, err := top.RestartChild(t.Context(), "b")
		if err != nil || child.Path() != "top/b" {
			t.Errorf("RestartChild returned %v, %v", child, err)
		}
		d.expect(t, "+b") // that child only, whatever the strategy
	})
}

// S15
func TestRestartChildThatFailsLeavesItStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		a.begin = failsOn(2, 3, 4, 5, 6)
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a)
		start(t, top)
		if err := top.TerminateChild(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		for range 5 { // more than the budget, which an explicit start does not use
			if _, err := top.RestartChild(t.Context(), "a"); !errors.Is(err, errBoom) {
				t.Fatalf("RestartChild returned %v, want boom", err)
			}
			wantState(t, top, "a", "stopped")
		}
		time.Sleep(time.Hour)
		if a.runs.Load() != 6 {
			t.Errorf("run %d times, want 6: no retry is scheduled", a.runs.Load())
		}
		isRunning(t, top)
	})
}

// S16
func TestDeleteChildWantsAStoppedChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: longBackoff}, a, b)
		start(t, top)
		b.backsOff()
		for _, name := range []string{"a", "b", "nobody"} {
			before := state(t, top, name)
			if err := top.DeleteChild(t.Context(), name); err == nil {
				t.Errorf("DeleteChild of %s, which is %s, returned nil", name, before)
			}
			wantState(t, top, name, before)
		}
		if err := top.TerminateChild(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if err := top.DeleteChild(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		wantState(t, top, "a", "no spec")
		if _, err := top.StartChild(t.Context(), a); err != nil { // its name is free again
			t.Error(err)
		}
	})
}

// S17
func TestTerminateChildKeepsTheSpecAndTouchesNoSibling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c, temporary := d.actor("a"), d.actor("b"), d.actor("c"), d.actor("temporary")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Strategy: headcount.OneForAll, Backoff: headcount.Backoff{Max: time.Nanosecond},
		}, a, b, c, temporary.as(headcount.Temporary))
		start(t, top)
		d.expect(t, "+a +b +c +temporary")
		for _, name := range []string{"b", "b", "temporary"} { // twice: idempotent
			if err := top.TerminateChild(t.Context(), name); err != nil {
				t.Errorf("TerminateChild of %s: %v", name, err)
			}
		}
		d.expect(t, "-b -temporary")
		wantState(t, top, "b", "stopped")
		wantState(t, top, "temporary", "no spec")
		if err := top.TerminateChild(t.Context(), "nobody"); err == nil {
			t.Error("TerminateChild of nobody returned nil")
		}
		for range 10 { // no budget is used
			if _, err := top.RestartChild(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			if err := top.TerminateChild(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
		}
		d.expect(t, strings.TrimSpace(strings.Repeat("+b -b ", 10)))
		for range 3 {
			a.ends(fails)
			time.Sleep(time.Millisecond)
		}
		isRunning(t, top)
	})
}

// S17
func TestTerminateChildCancelsAPendingRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: longBackoff}, a)
		start(t, top)
		a.backsOff()
		wantState(t, top, "a", "restarting")
		took(t, 0, func() {
			if err := top.TerminateChild(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
		wantState(t, top, "a", "stopped")
		time.Sleep(2 * time.Hour)
		d.expect(t, "+a -a +a -a")
	})
}

// S19
func TestChildrenAreListedInStartOrderWithTheirState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c, a, b := d.actor("c"), d.actor("a"), d.actor("b")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: longBackoff}, c, a, b)
		start(t, top)
		if _, err := top.StartChild(t.Context(), d.actor("Z")); err != nil {
			t.Fatal(err)
		}
		a.backsOff()
		if err := top.TerminateChild(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, child := range top.Children() {
			got = append(got, child.Name+" "+string(child.State))
		}
		if want := "c running, a restarting, b stopped, Z running"; strings.Join(got, ", ") != want {
			t.Errorf("got %q, want %q", strings.Join(got, ", "), want)
		}
	})
}

// S21
func TestCountsOfASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c, e := d.actor("a"), d.actor("b"), d.actor("c"), d.actor("e")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: longBackoff}, a, b.as(headcount.Transient), c, e)
		start(t, top)
		b.ends(finishes)
		c.backsOff()
		if err := top.TerminateChild(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
		got := top.Counts()
		if got.Running != 2 || got.Restarting != 1 {
			t.Errorf("%d running and %d restarting, want a and c running, c of them restarting", got.Running, got.Restarting)
		}
		if got.Exits != (headcount.ExitCounts{Normal: 1, Stopped: 1}) { // of children; c goes on
			t.Errorf("exits %+v; want b's normal exit and e's stop", got.Exits)
		}
		time.Sleep(time.Hour)
		if got := top.Counts(); got.Restarts != 2 || got.Restarting != 0 || got.Started != 4 {
			t.Errorf("%d restarts, %d restarting, %d started; want c's two restarts and four starts", got.Restarts, got.Restarting, got.Started)
		}
	})
}

// S20
func TestStopFromInsideReturnsErrWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		b := d.actor("b")
		var top *headcount.Supervisor
		result := make(chan error, 1)
		top = headcount.NewSupervisor("top", headcount.SupervisorConfig{}, b, headcount.ChildSpec{Name: "a", Run: func(ctx context.Context) error {
			headcount.Ready(ctx)
			result <- top.Stop(ctx)
			return until(ctx)
		}})
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := <-result; !errors.Is(err, headcount.ErrWithin) {
			t.Errorf("Stop from inside returned %v, want ErrWithin", err)
		}
		if err := top.Wait(context.Background()); err != nil {
			t.Errorf("the supervisor ended with %v", err)
		}
		d.expect(t, "+b -b")
	})
}

// S20: the same for a child that terminates itself.
func TestTerminateFromInsideReturnsErrWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var top *headcount.Supervisor
		result := make(chan error, 1)
		top = headcount.NewSupervisor("top", headcount.SupervisorConfig{}, headcount.ChildSpec{Name: "a", Run: func(ctx context.Context) error {
			result <- top.TerminateChild(ctx, "a")
			return until(ctx)
		}})
		start(t, top)
		if err := <-result; !errors.Is(err, headcount.ErrWithin) {
			t.Errorf("TerminateChild from inside returned %v, want ErrWithin", err)
		}
		wantState(t, top, "a", "stopped")
		isRunning(t, top)
	})
}
