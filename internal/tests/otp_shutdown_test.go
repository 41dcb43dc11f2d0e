package tests

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// stubborn is a child that ignores its context until it is released.
func stubborn(name string, allowance time.Duration, release <-chan struct{}) headcount.ChildSpec {
	return headcount.ChildSpec{Name: name, Shutdown: allowance, Run: func(context.Context) error {
		<-release
		return nil
	}}
}

// wantStuck checks that an error names exactly these children.
func wantStuck(t *testing.T, err error, paths ...string) {
	t.Helper()
	var stuck *headcount.StuckError
	if !errors.As(err, &stuck) {
		t.Errorf("got %v, want a StuckError", err)
		return
	}
	got := slices.Sorted(slices.Values(stuck.Paths))
	if slices.Sort(paths); !slices.Equal(got, paths) || stuck.Total != len(paths) {
		t.Errorf("stuck are %v, in all %d, want %v", got, stuck.Total, paths)
	}
}

// S42
func TestStopIsInReverseOneByOneWithItsOwnAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var children []headcount.Specifier
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			x := d.actor(name)
			x.linger = 200 * time.Millisecond
			spec := x.ChildSpec()
			spec.Shutdown = 300 * time.Millisecond
			children = append(children, spec)
		}
		release := make(chan struct{})
		children = slices.Insert(children, 2, headcount.Specifier(stubborn("stuck", time.Second, release)))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, children...)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		took(t, 5*200*time.Millisecond+time.Second, func() { wantStuck(t, top.Stop(t.Context()), "top/stuck") })
		d.expect(t, "+a +b +c +d +e -e -d -c -b -a")
		close(release)
	})
}

// S7
func TestChildSpecDefaultsToFiveSecondsOfShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, stubborn("a", 0, release))
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		took(t, 5*time.Second, func() { wantStuck(t, top.Stop(t.Context()), "top/a") })
		close(release)
	})
}

// S7, S43: a supervisor is waited for without end, as long as its own children are.
func TestChildSpecOfASupervisorDefaultsToShutdownWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		a.linger = time.Hour
		slow := a.ChildSpec()
		slow.Shutdown = 2 * time.Hour
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{},
			headcount.NewSupervisor("inner", headcount.SupervisorConfig{}, slow))
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		took(t, time.Hour, func() {
			if err := top.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

// S43
func TestShutdownAllowances(t *testing.T) {
	for _, c := range []struct {
		name      string
		allowance time.Duration
		took      time.Duration
		stuck     bool
	}{
		{"now", headcount.ShutdownNow, 0, true},
		{"a nanosecond", 1, 1, true},
		{"too short", time.Minute, time.Minute, true},
		{"long enough", 2 * time.Hour, time.Hour, false},
		{"without end", headcount.ShutdownInfinity, time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				a.linger = time.Hour
				spec := a.ChildSpec()
				spec.Shutdown = c.allowance
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, spec)
				if err := top.Start(context.Background()); err != nil {
					t.Fatal(err)
				}
				took(t, c.took, func() {
					err := top.Stop(t.Context())
					if c.stuck {
						wantStuck(t, err, "top/a")
					} else if err != nil {
						t.Error(err)
					}
				})
				time.Sleep(2 * time.Hour)
				d.expect(t, "+a -a")
			})
		})
	}
}

// S44, O3
func TestAStuckChildIsReportedAndThenUnstuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, stubborn("a", time.Second, release))
		events := top.Events(100)
		defer events.Close()
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		wantStuck(t, top.Stop(t.Context()), "top/a")
		if n := top.Counts().Stuck; n != 1 {
			t.Errorf("%d counted as stuck, want 1", n)
		}
		time.Sleep(time.Minute)
		wantStuck(t, top.Stop(t.Context()), "top/a") // still
		close(release)
		synctest.Wait()
		if n := top.Counts().Stuck; n != 0 {
			t.Errorf("%d counted as stuck after it has returned", n)
		}
		if err := top.Stop(t.Context()); err != nil {
			t.Errorf("nothing is left, but Stop returned %v", err)
		}
		var stuck, unstuck int
		for _, e := range drain(events) {
			switch e := e.(type) {
			case headcount.ChildStuck:
				stuck++
				if e.Path != "top/a" || e.After != time.Second {
					t.Errorf("got %+v", e)
				}
			case headcount.ChildUnstuck:
				unstuck++
				if e.Path != "top/a" || e.Stuck < time.Minute {
					t.Errorf("got %+v", e)
				}
			}
		}
		if stuck != 1 || unstuck != 1 {
			t.Errorf("%d times stuck, %d times unstuck, want once each", stuck, unstuck)
		}
	})
}

// drain takes what a subscription holds.
func drain(s *headcount.Subscription) (events []headcount.Event) {
	synctest.Wait()
	for {
		select {
		case e, ok := <-s.C():
			if !ok {
				return events
			}
			events = append(events, e)
		default:
			return events
		}
	}
}

// S46, D16, RA7
func TestDynamicChildrenStopAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(10))
		if err := pool.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			a := d.actor("a")
			a.linger = 200 * time.Millisecond
			if _, err := pool.StartChild(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		took(t, 200*time.Millisecond, func() {
			if err := pool.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
		d.expect(t, "+a +a +a +a +a -a -a -a -a -a")
	})
}

// D16: each child has its own allowance.
func TestDynamicChildrenHaveTheirOwnAllowances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(10))
		if err := pool.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		events := pool.Events(100)
		defer events.Close()
		release := make(chan struct{})
		for _, allowance := range []time.Duration{headcount.ShutdownNow, time.Second, 3 * time.Second} {
			if _, err := pool.StartChild(t.Context(), stubborn("a", allowance, release)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		took(t, 3*time.Second, func() {
			var stuck *headcount.StuckError
			if err := pool.Stop(t.Context()); !errors.As(err, &stuck) || stuck.Total != 3 {
				t.Errorf("Stop returned %v, want three stuck", err)
			}
		})
		var after []time.Duration
		for _, e := range drain(events) {
			if e, ok := e.(headcount.ChildStuck); ok {
				after = append(after, e.Time.Sub(began))
			}
		}
		if !slices.Equal(after, []time.Duration{0, time.Second, 3 * time.Second}) {
			t.Errorf("found stuck after %v, want each after its own allowance", after)
		}
		close(release)
	})
}

// S47
func TestAStopReachesEveryDepth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(5))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{},
			a, headcount.NewSupervisor("middle", headcount.SupervisorConfig{},
				b, headcount.NewSupervisor("inner", headcount.SupervisorConfig{}, c, pool)))
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.StartChild(t.Context(), d.actor("x")); err != nil {
			t.Fatal(err)
		}
		if err := top.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "+a +b +c +x -x -c -b -a")
		if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrStopped) && !errors.Is(err, headcount.ErrNotRunning) {
			t.Errorf("a start after the stop returned %v", err)
		}
	})
}

// S47: the context of the start call is not the life of the tree.
func TestTheContextOfAStartCallIsNotTheLifeOfTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithCancel(context.Background())
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, d.actor("a"))
		if err := top.Start(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		d.expect(t, "+a")
		isRunning(t, top)
		if err := top.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// E3
func TestStopEndsWithItsContextAndMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		a.linger = 3 * time.Second
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		took(t, time.Second, func() {
			if err := top.Stop(ctx); err == nil {
				t.Error("Stop returned nil while a child runs")
			}
		})
		took(t, 2*time.Second, func() {
			if err := top.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		for range 2 {
			if err := top.Stop(context.Background()); err != nil {
				t.Errorf("a further Stop: %v", err)
			}
		}
		if err := top.Wait(context.Background()); err != nil {
			t.Errorf("Wait after a stop: %v", err)
		}
	})
}
