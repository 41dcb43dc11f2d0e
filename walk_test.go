package headcount

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

func pathsOf(n Node) (paths []string) {
	for n := range n.All() {
		paths = append(paths, n.Path())
	}
	return paths
}

func TestAllWalksDeclaredAndNestedSupervisors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		users := NewKeyedSupervisor[string]("users", MaxChildren(30), MaxPerKey(3))
		inner := NewSupervisor("inner", SupervisorConfig{}, jobs)
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, ChildSpec{Name: "store", Run: untilStopped}, inner, users)
		up(t, app)
		for _, name := range []string{"b", "a"} {
			started(t)(jobs.StartChild(t.Context(), NewSupervisor(name, SupervisorConfig{}, NewDynamicSupervisor("deep", MaxChildren(1)))))
		}
		started(t)(users.At("ann").StartChild(t.Context(), NewDynamicSupervisor("rooms", MaxChildren(2))))
		mustGo(t, jobs, untilStopped)

		want := []string{
			"app", "app/inner", "app/inner/jobs", "app/inner/jobs/b", "app/inner/jobs/b/deep", "app/inner/jobs/a", "app/inner/jobs/a/deep",
			"app/users", "app/users/ann/rooms",
		}
		if got := pathsOf(app); !slices.Equal(got, want) {
			t.Fatalf("walked %q, want %q", got, want)
		}
		for _, path := range want {
			if n, ok := app.Find(path); !ok || n.Path() != path {
				t.Errorf("Find(%q) is %v, %v", path, n, ok)
			}
		}
		for _, path := range []string{"", "ap", "app/", "app/inner/jobs/c", "app/store", "inner"} {
			if n, ok := app.Find(path); ok {
				t.Errorf("Find(%q) is %v, want none", path, n.Path())
			}
		}
		if n, _ := app.Find("app/users"); n != Node(users) {
			t.Errorf("found %T %p, want the very supervisor of the user", n, n)
		}
		for range app.All() {
			break
		}
	})
}

func TestAllForgetsANestedSupervisorThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := up(t, NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet)))
		rooms := NewDynamicSupervisor("rooms", MaxChildren(1))
		for range 3 {
			c := started(t)(jobs.StartChild(t.Context(), rooms))
			if got := pathsOf(jobs); !slices.Equal(got, []string{"jobs", "jobs/rooms"}) {
				t.Fatalf("walked %q", got)
			}
			if err := c.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := pathsOf(jobs); !slices.Equal(got, []string{"jobs"}) {
				t.Fatalf("walked %q after its end", got)
			}
		}
	})
}

func TestLimitsAndGatesAreThoseThatCanBeSet(t *testing.T) {
	gate := NewGate("conns_per_prefix", 5, nil)
	users := NewKeyedSupervisor[string]("users", MaxChildren(30), MaxPerKey(3), MaxDescendants(60), Gates(gate))
	var n Node = users
	var names []string
	for _, l := range n.Limits() {
		names = append(names, l.Name())
	}
	if want := []string{"max_children", "max_descendants", "max_per_key"}; !slices.Equal(names, want) {
		t.Errorf("limits %q, want %q", names, want)
	}
	if n.Limits()[2] != users.MaxPerKey() || !slices.Equal(n.Gates(), []*Gate{gate}) || gate.Limit().Name() != "conns_per_prefix" {
		t.Errorf("limits %v, gates %v", n.Limits(), n.Gates())
	}
}

func TestAZeroSupervisorHasNothingToWalk(t *testing.T) {
	for _, n := range []Node{&Supervisor{}, &DynamicSupervisor{}, &KeyedSupervisor[int]{}} {
		if paths := nodesOf(n); paths != 0 || n.Limits() != nil || n.Gates() != nil {
			t.Errorf("%T: %d nodes, limits %v, gates %v", n, paths, n.Limits(), n.Gates())
		}
		if _, ok := n.Find("x"); ok {
			t.Errorf("%T: found something", n)
		}
	}
}

func nodesOf(n Node) (count int) {
	for range n.All() {
		count++
	}
	return count
}

func TestAChildFindsTheRootOfItsTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		app := up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, NewSupervisor("inner", SupervisorConfig{}, jobs)))
		var root Node
		if err := jobs.Do(t.Context(), func(ctx context.Context) error { root, _ = Root(ctx); return nil }); err != nil {
			t.Fatal(err)
		}
		if root != Node(app) {
			t.Errorf("the root is %v, want app", root)
		}
		if _, ok := Root(t.Context()); ok {
			t.Error("a context of no child has a root")
		}
	})
}

func TestALimitKnowsWhatItIsInCode(t *testing.T) {
	jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
	if err := jobs.MaxChildren().Set(5, Change{Source: "page"}); err != nil {
		t.Fatal(err)
	}
	if s := jobs.MaxChildren().Snapshot(); s.InCode != 10 || s.Setting.Value != 5 {
		t.Errorf("%+v", s)
	}
}
