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

// configErrors takes what Check joined apart.
func configErrors(err error) (all []*headcount.ConfigError) {
	switch e := err.(type) {
	case nil:
	case *headcount.ConfigError:
		all = append(all, e)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			all = append(all, configErrors(err)...)
		}
	case interface{ Unwrap() error }:
		all = configErrors(e.Unwrap())
	}
	return all
}

// wantConfigError checks that one error names this place and field, and that Start refuses for the same reason.
func wantConfigError(t *testing.T, n headcount.Node, path, field string) {
	t.Helper()
	err := headcount.Check(n)
	found := false
	for _, e := range configErrors(err) {
		found = found || e.Path == path && strings.Contains(e.Field, field) && e.Problem != ""
	}
	if !found {
		t.Errorf("Check returned %v, want a ConfigError with path %s and field %s", err, path, field)
	}
	if err := n.Start(context.Background()); configErrors(err) == nil {
		t.Errorf("Start returned %v, want a ConfigError", err)
		_ = n.Stop(context.Background())
	}
}

// S6
func TestCheckNamesInvalidSupervisorFlags(t *testing.T) {
	for field, cfg := range map[string]headcount.SupervisorConfig{
		"Strategy":     {Strategy: 9},
		"AutoShutdown": {AutoShutdown: 9},
		"Intensity":    {Intensity: headcount.Intensity{Restarts: -1, Within: time.Second}},
		"Intensity.W":  {Intensity: headcount.Intensity{Restarts: 1, Within: -time.Second}},
		"max_children": {MaxChildren: headcount.MaxChildren(-1)},
		"Backoff":      {Backoff: headcount.Backoff{Min: -1}},
		"Reserve":      {Reserve: -1},
		"Shutdown":     {Shutdown: -3},
	} {
		t.Run(field, func(t *testing.T) {
			field, _, _ := strings.Cut(field, ".")
			wantConfigError(t, headcount.NewSupervisor("top", cfg), "top", field)
		})
	}
}

// S7
func TestCheckNamesInvalidChildSpecs(t *testing.T) {
	good := func(change func(*headcount.ChildSpec)) headcount.ChildSpec {
		spec := headcount.ChildSpec{Name: "a", Run: until}
		change(&spec)
		return spec
	}
	for _, c := range []struct {
		field string
		spec  headcount.ChildSpec
	}{
		{"Run", good(func(s *headcount.ChildSpec) { s.Run = nil })},
		{"Restart", good(func(s *headcount.ChildSpec) { s.Restart = 9 })},
		{"Shutdown", good(func(s *headcount.ChildSpec) { s.Shutdown = -3 })},
		{"ReadyWithin", good(func(s *headcount.ChildSpec) { s.AwaitReady, s.ReadyWithin = true, -1 })},
		{"MaxLifetime", good(func(s *headcount.ChildSpec) { s.MaxLifetime = -1 })},
		{"MaxBytes", good(func(s *headcount.ChildSpec) { s.MaxBytes = -1 })},
		{"Backoff", good(func(s *headcount.ChildSpec) { s.Backoff.Max = -1 })},
		{"Significant", good(func(s *headcount.ChildSpec) { s.Significant = true })},
	} {
		t.Run(c.field, func(t *testing.T) {
			wantConfigError(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{}, c.spec), "top/a", c.field)
		})
	}
	for name, bad := range map[string]string{
		"empty": "", "slash": "a/b", "control": "a\nb", "long": strings.Repeat("x", 1000), "not UTF-8": "\xff",
	} {
		t.Run("name "+name, func(t *testing.T) {
			err := headcount.Check(headcount.NewSupervisor("top", headcount.SupervisorConfig{}, headcount.ChildSpec{Name: bad, Run: until}))
			if errs := configErrors(err); len(errs) != 1 || !strings.HasSuffix(errs[0].Field, "Name") {
				t.Errorf("Check returned %v, want one ConfigError of the field Name", err)
			}
		})
	}
}

// S8
func TestTheWholeTreeIsCheckedBeforeAnythingStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		deep := headcount.NewSupervisor("deep", headcount.SupervisorConfig{}, b, b)
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a, deep, headcount.ChildSpec{Name: "c"})
		err := top.Start(context.Background())
		d.expect(t, "")
		if errs := configErrors(err); len(errs) != 2 {
			t.Errorf("Start returned %v, want both problems: the duplicate name and the missing Run", err)
		}
		if !strings.Contains(err.Error(), "top/deep") || !strings.Contains(err.Error(), `"b"`) || !strings.Contains(err.Error(), "top/c") {
			t.Errorf("%v does not name the places", err)
		}
	})
}

// S8: a supervisor has one parent.
func TestASupervisorUnderTwoParentsIsRefused(t *testing.T) {
	var d diary
	shared := headcount.NewSupervisor("shared", headcount.SupervisorConfig{}, d.actor("a"))
	one := headcount.NewSupervisor("one", headcount.SupervisorConfig{}, shared)
	two := headcount.NewSupervisor("two", headcount.SupervisorConfig{}, shared)
	top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, one, two)
	if err := top.Start(context.Background()); configErrors(err) == nil {
		t.Errorf("Start returned %v, want a ConfigError", err)
	}
	if len(d.lines) != 0 {
		t.Errorf("started all the same: %v", d.lines)
	}
}

// S20
func TestCheckStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, d.actor("a"))
		for range 2 {
			if err := headcount.Check(top); err != nil {
				t.Errorf("Check: %v", err)
			}
		}
		d.expect(t, "")
		start(t, top)
		d.expect(t, "+a")
	})
}

// S49
func TestSignificantIsRefusedWithPermanentOrNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		significant := func(r headcount.Restart) headcount.ChildSpec {
			spec := d.actor("a").as(r)
			spec.Significant = true
			return spec
		}
		anyOf := headcount.SupervisorConfig{AutoShutdown: headcount.AnySignificant}
		wantConfigError(t, headcount.NewSupervisor("top", anyOf, significant(headcount.Permanent)), "top/a", "Significant")
		wantConfigError(t, headcount.NewSupervisor("top", headcount.SupervisorConfig{}, significant(headcount.Transient)), "top/a", "Significant")

		never := headcount.NewSupervisor("never", headcount.SupervisorConfig{}, d.actor("b"))
		start(t, never)
		if _, err := never.StartChild(t.Context(), significant(headcount.Transient)); configErrors(err) == nil {
			t.Errorf("StartChild under never returned %v, want a ConfigError", err)
		}
		some := headcount.NewSupervisor("some", anyOf, d.actor("c"))
		start(t, some)
		if _, err := some.StartChild(t.Context(), significant(headcount.Permanent)); configErrors(err) == nil {
			t.Errorf("StartChild of a permanent one returned %v, want a ConfigError", err)
		}
		d.expect(t, "+b +c")
	})
}

// S53, D1
func TestDynamicSupervisorRefusesSignificant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(1))
		start(t, pool)
		_, err := pool.StartChild(t.Context(), headcount.ChildSpec{Run: until, Restart: headcount.Temporary, Significant: true})
		if errs := configErrors(err); len(errs) != 1 || !strings.HasSuffix(errs[0].Field, "Significant") {
			t.Errorf("StartChild returned %v, want a ConfigError of the field Significant", err)
		}
	})
}

// D5, law 1
func TestNegativeLimitsAreRefused(t *testing.T) {
	for name, n := range map[string]headcount.Node{
		"children": headcount.NewDynamicSupervisor("top", headcount.MaxChildren(-1)),
		"too many": headcount.NewDynamicSupervisor("top", headcount.MaxChildren(headcount.MaxLimit+1)),
		"ceiling":  headcount.NewDynamicSupervisor("top", headcount.MaxChildren(2, headcount.Ceiling(1))),
		"per key":  headcount.NewKeyedSupervisor[string]("top", headcount.MaxChildren(1), headcount.MaxPerKey(-1)),
		"subtree":  headcount.NewDynamicSupervisor("top", headcount.MaxChildren(1), headcount.MaxDescendants(-1)),
		"waiting":  headcount.NewDynamicSupervisor("top", headcount.MaxChildren(1), headcount.Wait(-1, time.Second)),
		"classes":  headcount.NewDynamicSupervisor("top", headcount.MaxChildren(1), headcount.Classes(1, 0.5)),
		"bytes":    headcount.NewDynamicSupervisor("top", headcount.MaxChildren(1), headcount.MaxBytes(-1)),
		"name":     headcount.NewDynamicSupervisor("a/b", headcount.MaxChildren(1)),
	} {
		t.Run(name, func(t *testing.T) {
			err := headcount.Check(n)
			if len(configErrors(err)) == 0 {
				t.Errorf("Check returned %v, want a ConfigError", err)
			}
			if started := n.Start(context.Background()); started == nil || errors.Is(started, headcount.ErrRefused) {
				t.Errorf("Start returned %v, want the error of Check", started)
			}
		})
	}
}
