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

// H4: an option without an effect is a defect. Options that have a test of their own elsewhere are not here.
func TestOptionsHaveAnEffect(t *testing.T) {
	for name, test := range map[string]func(t *testing.T){
		"ShutdownWithin": func(t *testing.T) {
			pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(1), headcount.ShutdownWithin(7*time.Second))
			stopsStuckAfter(t, pool, 7*time.Second)
		},
		"SupervisorConfig.Shutdown": func(t *testing.T) {
			release := make(chan struct{})
			top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Shutdown: 7 * time.Second}, stubborn("a", 0, release))
			if err := top.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			took(t, 7*time.Second, func() { wantStuck(t, top.Stop(t.Context()), "top/a") })
			close(release)
		},
		"WithLifetime": func(t *testing.T) {
			pool := newPool(t, 1)
			took(t, time.Minute, func() {
				if err := mustGo(t, pool, headcount.WithLifetime(time.Minute)).Wait(t.Context()); err != nil {
					t.Errorf("the end of its life: %v", err)
				}
			})
		},
		"MaxLifetime": func(t *testing.T) {
			pool := newPool(t, 1)
			took(t, time.Minute, func() {
				child, err := pool.StartChild(t.Context(), headcount.ChildSpec{Run: until, Restart: headcount.Temporary, MaxLifetime: time.Minute})
				if err != nil {
					t.Fatal(err)
				}
				_ = child.Wait(t.Context())
			})
		},
		"WithRestart": func(t *testing.T) {
			var d diary
			a := d.actor("a")
			pool := newPool(t, 1)
			if _, err := pool.Go(t.Context(), a.Run, headcount.WithRestart(headcount.Permanent)); err != nil {
				t.Fatal(err)
			}
			a.ends(finishes)
			d.expect(t, "+a -a +a")
		},
		"Around": func(t *testing.T) {
			var d diary
			pool := newPool(t, 1, headcount.Around(wrapping(&d)))
			child, err := pool.Go(t.Context(), d.actor("a").Run)
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.expect(t, "before +a -a after")
		},
		"SupervisorConfig.Around": func(t *testing.T) {
			var d diary
			top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Around: wrapping(&d)}, d.actor("a"))
			if err := top.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := top.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.expect(t, "before +a -a after")
		},
		"Classes": func(t *testing.T) {
			pool := newPool(t, 10, headcount.Classes(0.5, 1))
			for range 5 {
				mustGo(t, pool)
			}
			_, err := pool.Go(t.Context(), until)
			wantRefusal(t, err, headcount.ReasonPriority, headcount.ErrPriority)
			for range 5 {
				mustGo(t, pool, headcount.InClass(1))
			}
			_, err = pool.Go(t.Context(), until, headcount.InClass(1))
			wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		},
		"SupervisorConfig.MaxChildren": func(t *testing.T) {
			var d diary
			top := headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxChildren: headcount.MaxChildren(2)}, d.actor("a"))
			start(t, top)
			if _, err := top.StartChild(t.Context(), d.actor("b")); err != nil {
				t.Fatal(err)
			}
			_, err := top.StartChild(t.Context(), d.actor("c"))
			wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		},
		"Reserve": func(t *testing.T) {
			kept := headcount.NewDynamicSupervisor("kept", headcount.MaxChildren(10), headcount.Reserve(2))
			other := headcount.NewDynamicSupervisor("other", headcount.MaxChildren(10))
			start(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(6)}, kept, other))
			mustGo(t, other) // six, less two supervisors, less two kept
			mustGo(t, other)
			_, err := other.Go(t.Context(), until)
			wantRefusal(t, err, headcount.ReasonMaxDescendants, headcount.ErrMaxDescendants)
			mustGo(t, kept)
			mustGo(t, kept)
			_, err = kept.Go(t.Context(), until)
			wantRefusal(t, err, headcount.ReasonMaxDescendants, headcount.ErrMaxDescendants)
		},
		"KeyName": func(t *testing.T) {
			users := newUsers(t, 1, 1, headcount.KeyName(func(key string) string { return "u-" + key }))
			if path := mustGo(t, users.At("alice")).Path(); !strings.HasPrefix(path, "users/u-alice") {
				t.Errorf("the path is %s", path)
			}
		},
		"no KeyName": func(t *testing.T) {
			users := newUsers(t, 1, 1)
			path := mustGo(t, users.At("../admin\n"+strings.Repeat("x", 1000))).Path()
			if strings.Count(path, "/") > 2 || strings.Contains(path, "\n") || len(path) > 120 {
				t.Errorf("a hostile key is shown as %q", path)
			}
		},
		"SecretKeys": func(t *testing.T) {
			users := newUsers(t, 2, 1, headcount.SecretKeys())
			child := mustGo(t, users.At("alice"))
			if info := child.Info(); strings.Contains(info.Path+info.Key+info.Name, "alice") || info.Key == "" {
				t.Errorf("a secret key is shown: %+v", info)
			}
			if other := mustGo(t, users.At("bob")).Info(); other.Key == child.Info().Key {
				t.Error("two keys look the same")
			}
		},
		"Values": func(t *testing.T) {
			pool := newPool(t, 1)
			got := make(chan any, 1)
			if _, err := pool.StartChild(t.Context(), headcount.ChildSpec{
				Restart: headcount.Temporary, Values: context.WithValue(t.Context(), askedFor{}, "alice"),
				Run: func(ctx context.Context) error { got <- ctx.Value(askedFor{}); return nil },
			}); err != nil {
				t.Fatal(err)
			}
			if v := <-got; v != "alice" {
				t.Errorf("the value inside is %v", v)
			}
		},
		"ReadyWithin": func(t *testing.T) {
			pool := newPool(t, 1)
			took(t, time.Second, func() {
				_, err := pool.StartChild(t.Context(), headcount.ChildSpec{Run: until, AwaitReady: true, ReadyWithin: time.Second})
				if !errors.Is(err, headcount.ErrNotReady) {
					t.Errorf("StartChild returned %v, want ErrNotReady", err)
				}
			})
		},
		"expiry of a setting": func(t *testing.T) {
			pool := newPool(t, 3)
			if err := pool.MaxChildren().Set(1, headcount.Change{Expires: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			if n := pool.MaxChildren().Value(); n != 1 {
				t.Errorf("%d in force, want 1", n)
			}
			time.Sleep(time.Hour + time.Second)
			if n := pool.MaxChildren().Value(); n != 3 {
				t.Errorf("%d in force after the expiry, want 3", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
	}
}

// stopsStuckAfter checks the allowance that a stop gives a child that has none of its own.
func stopsStuckAfter(t *testing.T, pool *headcount.DynamicSupervisor, allowance time.Duration) {
	t.Helper()
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	child, err := pool.StartChild(t.Context(), stubborn("", 0, release))
	if err != nil {
		t.Fatal(err)
	}
	took(t, allowance, func() { wantStuck(t, pool.Stop(t.Context()), child.Path()) })
	close(release)
}

func wrapping(d *diary) headcount.AroundFunc {
	return func(ctx context.Context, info headcount.ChildInfo, next func(context.Context) error) error {
		d.note("before")
		defer d.note("after")
		return next(ctx)
	}
}
