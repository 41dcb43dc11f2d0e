package headcount

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// named finds the ConfigError of the field in what may be several errors, and fails the test if it says too little.
func named(t *testing.T, err error, path, field string) {
	t.Helper()
	var all []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	} else {
		all = []error{err}
	}
	for _, err := range all {
		var c *ConfigError
		if errors.As(err, &c) && c.Field == field {
			if c.Path != path || c.Problem == "" || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: path %q, want %q; problem %q; as text %q", field, c.Path, path, c.Problem, err)
			}
			return
		}
	}
	t.Errorf("no error names %s: %v", field, err)
}

func TestBadInputIsAnErrorThatNamesTheField(t *testing.T) {
	run := func(context.Context) error { return nil }
	spec := func(change func(*ChildSpec)) Node {
		s := ChildSpec{Name: "child", Run: run}
		change(&s)
		return NewSupervisor("root", SupervisorConfig{}, s)
	}
	cfg := func(c SupervisorConfig, children ...Specifier) Node { return NewSupervisor("root", c, children...) }
	dyn := func(o ...Option) Node { return NewDynamicSupervisor("root", MaxChildren(1), o...) }
	keyed := func(o ...Option) Node { return NewKeyedSupervisor[string]("root", MaxChildren(1), MaxPerKey(1), o...) }
	for _, c := range []struct {
		node        Node
		path, field string
	}{
		{NewDynamicSupervisor("", MaxChildren(1)), "", "name"},
		{NewDynamicSupervisor("a/b", MaxChildren(1)), "a/b", "name"},
		{NewSupervisor(strings.Repeat("x", 129), SupervisorConfig{}), strings.Repeat("x", 129), "name"},
		{NewDynamicSupervisor("root", MaxChildren(-1)), "root", "max_children"},
		{NewDynamicSupervisor("root", MaxChildren(MaxLimit+1)), "root", "max_children"},
		{NewDynamicSupervisor("root", MaxChildren(5, Ceiling(4))), "root", "max_children"},
		{NewDynamicSupervisor("root", MaxChildren(0, Ceiling(-1))), "root", "max_children"},
		{NewKeyedSupervisor[string]("root", MaxChildren(1), MaxPerKey(-1)), "root", "max_per_key"},
		{dyn(MaxDescendants(-1)), "root", "max_descendants"},
		{dyn(Wait(-1, time.Second)), "root", "Wait.n"},
		{dyn(Wait(maxQueue+1, time.Second)), "root", "Wait.n"},
		{dyn(Wait(1, 0)), "root", "Wait.d"},
		{dyn(Wait(1, -1)), "root", "Wait.d"},
		{dyn(Classes()), "root", "Classes"},
		{dyn(Classes(0.5)), "root", "Classes"},
		{dyn(Classes(0, 1)), "root", "Classes[0]"},
		{dyn(Classes(0.5, 0.4, 1)), "root", "Classes[1]"},
		{dyn(Classes(math.NaN(), 1)), "root", "Classes[0]"},
		{dyn(KeyShare(2)), "root", "KeyShare"},
		{dyn(SecretKeys()), "root", "SecretKeys"},
		{dyn(KeyName(func(string) string { return "" })), "root", "KeyName"},
		{dyn(MaxPerKeyFunc(func(string, int) int { return 1 })), "root", "MaxPerKeyFunc"},
		{keyed(KeyShare(0)), "root", "KeyShare"},
		{keyed(KeyShare(-1)), "root", "KeyShare"},
		{keyed(KeyShare(math.NaN())), "root", "KeyShare"},
		{keyed(KeyName(func(int) string { return "" })), "root", "KeyName"},
		{keyed(MaxPerKeyFunc(func(int, int) int { return 1 })), "root", "MaxPerKeyFunc"},
		{dyn(RestartIntensity(-1, time.Second)), "root", "RestartIntensity.Restarts"},
		{dyn(RestartIntensity(1, 0)), "root", "RestartIntensity.Within"},
		{dyn(Escalate(1, -1)), "root", "Escalate.Within"},
		{dyn(WithBackoff(Backoff{Min: -1})), "root", "WithBackoff.Min"},
		{dyn(WithBackoff(Backoff{Min: 2, Max: 1})), "root", "WithBackoff.Max"},
		{dyn(ShutdownWithin(-3)), "root", "ShutdownWithin"},
		{dyn(Reserve(-1)), "root", "Reserve"},
		{dyn(MaxBytes(0)), "root", "MaxBytes"},
		{cfg(SupervisorConfig{Strategy: 3}), "root", "Strategy"},
		{cfg(SupervisorConfig{AutoShutdown: 3}), "root", "AutoShutdown"},
		{cfg(SupervisorConfig{Intensity: Intensity{Restarts: -1}}), "root", "Intensity.Restarts"},
		{cfg(SupervisorConfig{Backoff: Backoff{Stable: -1}}), "root", "Backoff.Stable"},
		{cfg(SupervisorConfig{Shutdown: -3}), "root", "Shutdown"},
		{cfg(SupervisorConfig{MaxBytes: -1}), "root", "MaxBytes"},
		{cfg(SupervisorConfig{MaxChildren: MaxChildren(-1)}), "root", "max_children"},
		{cfg(SupervisorConfig{MaxDescendants: MaxDescendants(-1)}), "root", "max_descendants"},
		{cfg(SupervisorConfig{Reserve: -1}), "root", "Reserve"},
		{cfg(SupervisorConfig{}, nil), "root", "children[0]"},
		{cfg(SupervisorConfig{}, (*DynamicSupervisor)(nil)), "root", "children[0]"},
		{cfg(SupervisorConfig{MaxChildren: MaxChildren(1)}, ChildSpec{Name: "a", Run: run}, ChildSpec{Name: "b", Run: run}), "root", "max_children"},
		{cfg(SupervisorConfig{}, ChildSpec{Name: "a", Run: run}, ChildSpec{Name: "a", Run: run}), "root", "ChildSpec.Name"},
		{spec(func(s *ChildSpec) { s.Name = "" }), "root", "ChildSpec.Name"},
		{spec(func(s *ChildSpec) { s.Name = "a b" }), "root", "ChildSpec.Name"},
		{spec(func(s *ChildSpec) { s.Run = nil }), "root/child", "ChildSpec.Run"},
		{spec(func(s *ChildSpec) { s.Restart = 3 }), "root/child", "ChildSpec.Restart"},
		{spec(func(s *ChildSpec) { s.Shutdown = -3 }), "root/child", "ChildSpec.Shutdown"},
		{spec(func(s *ChildSpec) { s.Significant = true }), "root/child", "ChildSpec.Significant"},
		{spec(func(s *ChildSpec) { s.Significant, s.Restart = true, Transient }), "root/child", "ChildSpec.Significant"},
		{spec(func(s *ChildSpec) { s.AwaitReady, s.ReadyWithin = true, -1 }), "root/child", "ChildSpec.ReadyWithin"},
		{spec(func(s *ChildSpec) { s.ReadyWithin = 1 }), "root/child", "ChildSpec.ReadyWithin"},
		{spec(func(s *ChildSpec) { s.Intensity = Intensity{Restarts: 1, Within: 1} }), "root/child", "ChildSpec.Intensity"},
		{spec(func(s *ChildSpec) { s.Backoff = Backoff{Min: -1} }), "root/child", "ChildSpec.Backoff.Min"},
		{spec(func(s *ChildSpec) { s.MaxLifetime = -1 }), "root/child", "ChildSpec.MaxLifetime"},
		{spec(func(s *ChildSpec) { s.MaxBytes = -1 }), "root/child", "ChildSpec.MaxBytes"},
	} {
		named(t, Check(c.node), c.path, c.field)
		named(t, c.node.Start(t.Context()), c.path, c.field)
		below := NewSupervisor("top", SupervisorConfig{}, c.node) // and deeper in a tree
		if err := Check(below); err == nil {
			t.Errorf("%s: not found below another supervisor", c.field)
		}
		if err := c.node.Stop(t.Context()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s: stop of what was never started: %v", c.field, err)
		}
	}
	named(t, Check(nil), "(root)", "node")
	named(t, Check((*Supervisor)(nil)), "(root)", "node")
}

func TestABadArgumentOfAStartIsAnErrorThatNamesTheField(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run := func(context.Context) error { return nil }
		d := NewDynamicSupervisor("jobs", MaxChildren(5), Classes(0.5, 1))
		k := NewKeyedSupervisor[string]("users", MaxChildren(5), MaxPerKey(5))
		app := up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, d, k))
		var none context.Context
		for _, s := range []struct {
			path string
			Starter
		}{{"app/jobs", d}, {"app/users", k.At("a")}} {
			start := func(field string, ctx context.Context, fn func(context.Context) error, o ...StartOption) {
				t.Helper()
				_, err := s.Go(ctx, fn, o...)
				named(t, err, s.path, field)
				named(t, s.Do(ctx, fn, o...), s.path, field)
			}
			start("ctx", none, run)
			start("fn", t.Context(), nil)
			start("WithRestart", t.Context(), run, WithRestart(7))
			start("Named", t.Context(), run, Named("a/b"))
			start("WithValues", t.Context(), run, WithValues(nilContext))
			start("WithLifetime", t.Context(), run, WithLifetime(0))
			start("StartOption", t.Context(), run, StartOption{})
			_, err := s.StartChild(none, ChildSpec{Run: run})
			named(t, err, s.path, "ctx")
			_, err = s.StartChild(t.Context(), nil)
			named(t, err, s.path, "child")
			_, err = s.StartChild(t.Context(), ChildSpec{Name: "b"})
			named(t, err, s.path+"/b", "ChildSpec.Run")
			_, err = s.StartChild(t.Context(), ChildSpec{Run: run, Significant: true, Restart: Temporary})
			named(t, err, s.path, "ChildSpec.Significant")
		}
		_, err := d.Go(t.Context(), run, InClass(2))
		named(t, err, "app/jobs", "InClass")
		_, err = d.StartChild(t.Context(), ChildSpec{Run: run, Class: 2})
		named(t, err, "app/jobs", "ChildSpec.Class")
		_, err = app.StartChild(none, ChildSpec{Name: "a", Run: run})
		named(t, err, "app", "ctx")
		_, err = app.RestartChild(none, "jobs")
		named(t, err, "app", "ctx")
		named(t, app.TerminateChild(none, "jobs"), "app", "ctx")
		named(t, app.DeleteChild(none, "jobs"), "app", "ctx")
		named(t, app.Stop(none), "app", "ctx")
		named(t, app.Wait(none), "app", "ctx")
		named(t, app.Start(none), "app", "ctx")
		named(t, k.At("a").Terminate(none), "app/users", "ctx")
		c := started(t)(d.Go(t.Context(), obedient))
		named(t, c.Stop(none), c.Path(), "ctx")
		named(t, c.Wait(none), c.Path(), "ctx")
		if n := d.Counts().Running + k.Counts().Running; n > 1 {
			t.Errorf("%d slots are held after starts that came to nothing", n)
		}
	})
}

func TestABadChangeOfALimitChangesNothing(t *testing.T) {
	d := NewDynamicSupervisor("jobs", MaxChildren(5, Ceiling(10)))
	l := d.MaxChildren()
	for _, c := range []struct {
		field string
		err   error
	}{
		{"max_children value", l.Set(-1, Change{})},
		{"max_children value", l.Set(11, Change{})},
		{"max_children value", l.Set(Unlimited, Change{})},
		{"max_children Change.Expires", l.Set(6, Change{Expires: time.Now().Add(-time.Second)})},
		{"max_children cap name", l.Cap("", 1, "")},
		{"max_children cap a", l.Cap("a", -1, "")},
	} {
		named(t, c.err, "jobs", c.field)
	}
	for i := range maxCaps {
		if err := l.Cap(strings.Repeat("x", i+1), 7, ""); err != nil {
			t.Fatal(err)
		}
	}
	named(t, l.Cap("one more", 1, ""), "jobs", "max_children cap one more")
	if l.Value() != 5 || d.own.limit() != 5 {
		t.Errorf("the limit is %d, in the word %d, want 5", l.Value(), d.own.limit())
	}
}

func TestASupervisorUnderTwoParentsIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := NewDynamicSupervisor("jobs", MaxChildren(5))
		one := NewSupervisor("one", SupervisorConfig{}, d)
		two := NewSupervisor("two", SupervisorConfig{}, d)
		named(t, Check(NewSupervisor("root", SupervisorConfig{}, one, two)), "root/two/jobs", "parent")
		up(t, NewSupervisor("live", SupervisorConfig{Logger: quiet}, one))
		named(t, NewSupervisor("other", SupervisorConfig{Logger: quiet}, two).Start(t.Context()), "other/two/jobs", "parent")
		other := up(t, NewDynamicSupervisor("dynamic", MaxChildren(5), WithLogger(quiet)))
		_, err := other.StartChild(t.Context(), d)
		named(t, err, "dynamic/jobs", "parent")
		if n := other.Counts().Running; n != 0 {
			t.Errorf("%d slots are held", n)
		}
		is(t, d.Start(t.Context()), ErrAlreadyStarted)
		loop := NewDynamicSupervisor("loop", MaxChildren(5), WithLogger(quiet))
		up(t, loop)
		if _, err := loop.StartChild(t.Context(), loop); err == nil {
			t.Error("a supervisor became its own child")
		}
	})
}

func TestAStopFromInsideDoesNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := NewDynamicSupervisor("jobs", MaxChildren(9))
		k := NewKeyedSupervisor[string]("users", MaxChildren(9), MaxPerKey(9))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d, k)
		for name, stop := range map[string]func(ctx context.Context) error{
			"own child":  func(ctx context.Context) error { return childOf(ctx).Stop(ctx) },
			"Terminate":  func(ctx context.Context) error { return d.Terminate(ctx, childOf(ctx).ID()) },
			"supervisor": func(ctx context.Context) error { return d.Stop(ctx) },
			"declared":   func(ctx context.Context) error { return app.TerminateChild(ctx, "jobs") },
			"root":       func(ctx context.Context) error { return app.Stop(ctx) },
			"nested Do": func(ctx context.Context) error {
				return k.At("a").Do(ctx, func(ctx context.Context) error { return app.Stop(ctx) })
			},
			"derived": func(ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				return app.Stop(ctx)
			},
			"helper": func(ctx context.Context) error {
				got := make(chan error)
				if err := Go(ctx, func(ctx context.Context) error { got <- app.Stop(ctx); return nil }); err != nil {
					return err
				}
				return <-got
			},
		} {
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			var err error
			began := time.Now()
			started(t)(d.Go(t.Context(), func(ctx context.Context) error { err = stop(ctx); return nil })).Wait(t.Context())
			if !errors.Is(err, ErrWithin) || time.Since(began) != 0 {
				t.Errorf("%s: got %v after %v", name, err, time.Since(began))
			}
			down(t, app)
			allFree(t, app, d, k)
		}
	})
}

func TestAStartIsToldWhereTheSupervisorIsInItsLife(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := NewDynamicSupervisor("jobs", MaxChildren(9), Wait(5, time.Hour))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d)
		try := func(want error) {
			t.Helper()
			_, err := d.Go(t.Context(), obedient)
			is(t, err, want)
			_, err = d.StartChild(t.Context(), ChildSpec{Run: obedient})
			is(t, err, want)
			is(t, d.Do(t.Context(), obedient), want)
			_, err = app.StartChild(t.Context(), ChildSpec{Name: "a", Run: obedient})
			is(t, err, want)
		}
		try(ErrNotRunning)
		is(t, app.Stop(t.Context()), ErrNotRunning)
		is(t, app.Wait(t.Context()), ErrNotRunning)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		is(t, app.Start(t.Context()), ErrAlreadyStarted)
		is(t, d.Start(t.Context()), ErrAlreadyStarted)
		down(t, app)
		try(ErrStopped)
		down(t, app)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.MaxChildren().Set(0, Change{})
		waiting := make(chan error)
		go func() { _, err := d.Go(t.Context(), obedient); waiting <- err }()
		synctest.Wait()
		go app.Stop(context.Background())
		is(t, <-waiting, ErrStopped)
		down(t, app)
	})
}
