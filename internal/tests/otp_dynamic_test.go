package tests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// newPool starts a dynamic supervisor and stops it at the end of the test.
func newPool(t *testing.T, limit int, opts ...headcount.Option) *headcount.DynamicSupervisor {
	t.Helper()
	pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(limit), opts...)
	start(t, pool)
	return pool
}

// mustGo starts a child that lives until it is stopped.
func mustGo(t *testing.T, s headcount.Starter, opts ...headcount.StartOption) *headcount.Child {
	t.Helper()
	child, err := s.Go(t.Context(), until, opts...)
	if err != nil {
		t.Fatalf("Go: %v", err)
	}
	return child
}

// wantRefusal checks the type, the reason and the sentinels of a refusal.
func wantRefusal(t *testing.T, err error, reason headcount.Reason, sentinel error) {
	t.Helper()
	var refusal *headcount.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != reason || !errors.Is(err, headcount.ErrRefused) || !errors.Is(err, sentinel) {
		t.Errorf("got %v, want a refusal with reason %v", err, reason)
	}
}

func wantRunning(t *testing.T, pool *headcount.DynamicSupervisor, want int) {
	t.Helper()
	if got := pool.Counts().Running; got != want {
		t.Errorf("%d running, want %d", got, want)
	}
}

// S9, D1
func TestDynamicSupervisorStartsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 3)
		if c := pool.Counts(); c.Running != 0 || c.Started != 0 || c.Limit != 3 {
			t.Errorf("counts of a new supervisor: %+v", c)
		}
		if infos, next := pool.Children(headcount.Query{}); len(infos) != 0 || next != 0 {
			t.Errorf("children of a new supervisor: %v", infos)
		}
	})
}

// T1, RA7
func TestGoIsTemporary(t *testing.T) {
	for name, how := range map[string]func() error{"finishes": finishes, "fails": fails, "panics": panics, "goexits": goexits} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				pool := newPool(t, 1)
				child, err := pool.Go(t.Context(), a.Run)
				if err != nil {
					t.Fatal(err)
				}
				a.ends(how)
				if err := child.Wait(t.Context()); (err == nil) != (name == "finishes") {
					t.Errorf("Wait returned %v", err)
				}
				time.Sleep(time.Hour)
				d.expect(t, "+a -a")
				wantRunning(t, pool, 0)
			})
		})
	}
	t.Run("five seconds of shutdown", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, 1)
			release := make(chan struct{})
			child, err := pool.Go(t.Context(), stubborn("", 0, release).Run)
			if err != nil {
				t.Fatal(err)
			}
			took(t, 5*time.Second, func() { wantStuck(t, child.Stop(t.Context()), child.Path()) })
			close(release)
		})
	})
}

// S14, D8, C3
func TestDynamicStartResults(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func() error
		is   error
	}{
		{"error", fails, errBoom},
		{"ignore", func() error { return headcount.ErrIgnore }, headcount.ErrIgnore},
		{"panic", panics, errBoom},
		{"goexit", goexits, headcount.ErrGoexit},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, 1)
				for range 10 { // more than any budget
					child, err := pool.StartChild(t.Context(), headcount.ChildSpec{AwaitReady: true, Run: func(context.Context) error { return c.run() }})
					if c.is == headcount.ErrIgnore {
						wantIgnored(t, child, err)
					} else if !errors.Is(err, c.is) {
						t.Fatalf("StartChild returned %v, want %v", err, c.is)
					}
					if errors.Is(err, headcount.ErrRefused) {
						t.Fatal("the start before kept its slot")
					}
					wantRunning(t, pool, 0)
				}
				if infos, _ := pool.Children(headcount.Query{}); len(infos) != 0 {
					t.Errorf("left in the list: %v", infos)
				}
				time.Sleep(time.Hour)
				if n := pool.Counts().Restarts; n != 0 {
					t.Errorf("%d restarts of failed starts", n)
				}
			})
		})
	}
}

// D9
func TestABadSpecIsRefusedBeforeAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 0)
		for _, spec := range []headcount.ChildSpec{{}, {Run: until, Restart: 9}, {Run: until, Name: "a/b"}} {
			if _, err := pool.StartChild(t.Context(), spec); configErrors(err) == nil {
				t.Errorf("StartChild returned %v, want a ConfigError", err)
			}
		}
		if _, err := pool.Go(t.Context(), nil); configErrors(err) == nil {
			t.Errorf("Go(nil) returned %v, want a ConfigError", err)
		}
		if err := pool.Do(t.Context(), nil); configErrors(err) == nil {
			t.Errorf("Do(nil) returned %v, want a ConfigError", err)
		}
		if n := pool.Counts().Refused.Total(); n != 0 {
			t.Errorf("%d refusals counted", n)
		}
	})
}

// D10
func TestDynamicNamesAreOptionalAndMayRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 3)
		seen := map[uint64]bool{}
		for _, opts := range [][]headcount.StartOption{nil, {headcount.Named("x")}, {headcount.Named("x")}} {
			child := mustGo(t, pool, opts...)
			if seen[child.ID()] {
				t.Error("two children have one id")
			}
			seen[child.ID()] = true
			if len(opts) > 0 && child.Info().Name != "x" {
				t.Errorf("named %q, want x", child.Info().Name)
			}
		}
	})
}

// S25, D12
func TestDynamicRestartTypes(t *testing.T) {
	for _, c := range []struct {
		restart headcount.Restart
		how     func() error
		again   bool
	}{
		{headcount.Permanent, finishes, true},
		{headcount.Permanent, fails, true},
		{headcount.Transient, finishes, false},
		{headcount.Transient, panics, true},
		{headcount.Temporary, fails, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			a := d.actor("a")
			pool := newPool(t, 1)
			child, err := pool.StartChild(t.Context(), a.as(c.restart))
			if err != nil {
				t.Fatal(err)
			}
			a.ends(c.how)
			if again := a.runs.Load() == 2; again != c.again {
				t.Errorf("%v: run again: %v, want %v", c.restart, again, c.again)
			}
			if _, found := pool.Lookup(child.ID()); found != c.again {
				t.Errorf("%v: still listed: %v, want %v", c.restart, found, c.again)
			}
		})
	}
}

// S18
func TestTerminateByIDEndsOneDynamicChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		pool := newPool(t, 3)
		var ids []uint64
		for _, name := range []string{"a", "b", "c"} {
			child, err := pool.StartChild(t.Context(), d.actor(name))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, child.ID())
		}
		d.expect(t, "+a +b +c")
		if err := pool.Terminate(t.Context(), ids[1]); err != nil {
			t.Fatal(err)
		}
		wantRunning(t, pool, 2) // the slot is free at return, and a permanent child stays ended
		time.Sleep(time.Hour)
		d.expect(t, "-b")
		if err := pool.Terminate(t.Context(), 1<<60); !errors.Is(err, headcount.ErrNotFound) {
			t.Errorf("Terminate of an id that never was returned %v", err)
		}
		wantRunning(t, pool, 2)
	})
}
