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

// S1
func TestSupervisorStartsInOrderAndReturnsWhenAllAreReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		for _, x := range []*actor{a, b, c} {
			x.begin = func(int) error {
				d.note("?" + x.name)
				time.Sleep(time.Second)
				return nil
			}
		}
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a, b, c)
		took(t, 3*time.Second, func() { start(t, top) })
		d.expect(t, "?a +a ?b +b ?c +c")
	})
}

// S2
func TestAwaitReadyIsAHandshake(t *testing.T) {
	slow := func(ctx context.Context) error {
		select {
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		headcount.Ready(ctx)
		return until(ctx)
	}
	for _, c := range []struct {
		name string
		spec headcount.ChildSpec
		took time.Duration
		ok   bool
	}{
		{"not awaited", headcount.ChildSpec{Name: "a", Run: slow}, 0, true},
		{"awaited", headcount.ChildSpec{Name: "a", Run: slow, AwaitReady: true}, 2 * time.Second, true},
		{"in time", headcount.ChildSpec{Name: "a", Run: slow, AwaitReady: true, ReadyWithin: 3 * time.Second}, 2 * time.Second, true},
		{"too late", headcount.ChildSpec{Name: "a", Run: slow, AwaitReady: true, ReadyWithin: time.Second}, time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, c.spec)
				took(t, c.took, func() {
					err := top.Start(context.Background())
					if (err == nil) != c.ok {
						t.Errorf("Start returned %v", err)
					}
					if err != nil {
						wantStartError(t, err, "top/a")
					}
				})
				if err := top.Stop(context.Background()); err != nil {
					t.Errorf("Stop: %v", err)
				}
			})
		})
	}
}

// S2
func TestWhatARunReturnsBeforeReadyIsTheStartsResult(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin func() error
		is    error
	}{
		{"error", fails, errBoom},
		{"goexit", goexits, headcount.ErrGoexit},
		{"panic", panics, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				a.begin = func(int) error { return c.begin() }
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a)
				err := top.Start(context.Background())
				wantStartError(t, err, "top/a")
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("Start returned %v, want it to wrap %v", err, c.is)
				}
				var panicked *headcount.PanicError
				if c.name == "panic" && (!errors.As(err, &panicked) || panicked.Value != errBoom || len(panicked.Stack) == 0) {
					t.Errorf("Start returned %v, want the panic with its stack", err)
				}
			})
		})
	}
}

// S3
func TestIgnoreAtBootKeepsTheSpecWithoutAProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, ignored, forgotten, b := d.actor("a"), d.actor("ignored"), d.actor("forgotten"), d.actor("b")
		ignored.begin = func(run int) error {
			if run == 1 {
				return headcount.ErrIgnore
			}
			return nil
		}
		forgotten.begin = func(int) error { return headcount.ErrIgnore }
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a, ignored, forgotten.as(headcount.Temporary), b)
		start(t, top)
		d.expect(t, "+a !ignored !forgotten +b")
		wantState(t, top, "ignored", "stopped")
		wantState(t, top, "forgotten", "no spec")
		if _, err := top.RestartChild(t.Context(), "ignored"); err != nil {
			t.Errorf("RestartChild of an ignored child: %v", err)
		}
		d.expect(t, "+ignored")
	})
}

// S4
func TestSupervisorRollsBackInReverseWhenAStartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c, never := d.actor("a"), d.actor("b"), d.actor("c"), d.actor("never")
		c.begin = func(int) error { return errBoom }
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a, b, c, never)
		err := top.Start(context.Background())
		d.expect(t, "+a +b !c -b -a")
		wantStartError(t, err, "top/c")
		if !errors.Is(err, errBoom) {
			t.Errorf("%v does not wrap boom", err)
		}
		time.Sleep(time.Hour)
		d.expect(t, "") // no retry, now or later
	})
}

// S4: the failure of a start deep in the tree is named by its own path, and undoes the whole start.
func TestSupervisorRollsBackTheWholeTreeWhenADeepStartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b, c := d.actor("a"), d.actor("b"), d.actor("c")
		c.begin = func(int) error { return errBoom }
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{}, b, c)
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a, inner)
		err := top.Start(context.Background())
		d.expect(t, "+a +b !c -b -a")
		wantStartError(t, err, "top/inner/c")
		if !errors.Is(err, errBoom) {
			t.Errorf("%v does not wrap boom", err)
		}
	})
}

// S10
func TestStartingTwiceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a)
		start(t, top)
		if err := top.Start(t.Context()); err == nil {
			t.Error("a second Start returned nil")
		}
		d.expect(t, "+a")
		isRunning(t, top)
	})
}

// Own types are children by one method (E2).
type ticker struct{ d *diary }

func (k ticker) ChildSpec() headcount.ChildSpec {
	return headcount.ChildSpec{Name: "ticker", AwaitReady: true, Run: func(ctx context.Context) error {
		k.d.note("+ticker")
		headcount.Ready(ctx)
		return until(ctx)
	}}
}

// E2
func TestSpecsSupervisorsAndOwnTypesMixInOneList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		overridden := a.ChildSpec()
		overridden.Name = "renamed"
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{},
			ticker{&d},
			overridden,
			headcount.NewSupervisor("inner", headcount.SupervisorConfig{}, b),
			headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(1)),
			headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1), headcount.MaxPerKey(1)),
		)
		start(t, top)
		d.expect(t, "+ticker +a +b")
		var got []string
		for _, c := range top.Children() {
			got = append(got, c.Path)
		}
		if want := "top/ticker top/renamed top/inner top/pool top/users"; strings.Join(got, " ") != want {
			t.Errorf("children: %v, want %s", got, want)
		}
	})
}
