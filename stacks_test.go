package headcount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// startSpec starts a temporary child that is traceable, or not.
func startSpec(t *testing.T, d *DynamicSupervisor, run func(context.Context) error, traceable bool) *Child {
	t.Helper()
	c, err := d.StartChild(t.Context(), ChildSpec{Run: run, Restart: Temporary, Traceable: traceable})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stackOf asks for a stack, once all of the bubble stand still and an earlier answer has been forgotten.
func stackOf(t *testing.T, n interface {
	Stack(context.Context, string, uint64) (StackReport, error)
}, path string, id uint64) StackReport {
	t.Helper()
	time.Sleep(time.Hour)
	synctest.Wait()
	r, err := n.Stack(t.Context(), path, id)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range r.Stacks {
		total += s.Count
	}
	if len(r.Stacks) == r.Distinct && total != r.Total {
		t.Errorf("%d goroutines, %d in the stacks", r.Total, total)
	}
	return r
}

// These stand still where their names are told.
func resizeImages(ctx context.Context) error { return untilStopped(ctx) }
func hashFiles(ctx context.Context) error    { return untilStopped(ctx) }

func TestTheStackOfATraceableChildIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		startTree(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, jobs))
		for range 3 {
			startSpec(t, jobs, hashFiles, false)
			startSpec(t, jobs, hashFiles, true)
		}
		c := startSpec(t, jobs, resizeImages, true)

		r := stackOf(t, jobs, c.Path(), c.ID())
		if !r.Exact || r.Total != 1 || r.Path != c.Path() || r.ID != c.ID() {
			t.Fatalf("%+v", r)
		}
		text := r.Stacks[0].Text
		if !strings.Contains(text, "headcount.resizeImages\n\t") || !strings.Contains(text, "stacks_test.go:") || r.Stacks[0].Stray {
			t.Errorf("%s", text)
		}
	})
}

func TestTheStackOfATraceableChildHasItsHelpersAndItsStrays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		c := startSpec(t, jobs, func(ctx context.Context) error {
			for range 9 {
				go hashFiles(ctx)
			}
			if err := Go(ctx, hashFiles); err != nil {
				return err
			}
			return resizeImages(ctx)
		}, true)

		r := stackOf(t, jobs, c.Path(), c.ID())
		if r.Total != 11 || len(r.Stacks) != 3 {
			t.Fatalf("%+v", r)
		}
		if last := r.Stacks[2]; r.Stacks[0].Stray || r.Stacks[1].Stray || !last.Stray || last.Count != 9 {
			t.Errorf("the strays are not last: %+v", r.Stacks)
		}
	})
}

func TestTheStackOfAnyOtherChildIsOneOfThese(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		startTree(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, jobs))
		startSpec(t, jobs, resizeImages, true) // it is known not to be this one
		c := startSpec(t, jobs, hashFiles, false)
		for range 2 {
			mustGo(t, jobs, untilStopped)
		}

		r := stackOf(t, jobs, c.Path(), c.ID())
		if r.Exact || r.Total != 3 || r.Distinct != 2 {
			t.Fatalf("%+v", r)
		}
		if first, second := r.Stacks[0], r.Stacks[1]; first.Count != 2 || !strings.Contains(second.Text, "headcount.hashFiles\n") {
			t.Errorf("%+v", r.Stacks)
		}
	})
}

func TestAStuckChildIsFoundByItsEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := NewKeyedSupervisor[string]("users", MaxChildren(10), MaxPerKey(5))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, users)
		startTree(t, app)
		events := app.Events(0)
		defer events.Close()
		end := make(chan struct{})
		spec := ChildSpec{Restart: Temporary, Traceable: true, Shutdown: time.Second, Run: func(context.Context) error {
			<-end
			return nil
		}}
		c, err := users.At("ann/b").StartChild(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		var stuck *StuckError
		if err := c.Stop(t.Context()); !errors.As(err, &stuck) {
			t.Fatal(err)
		}

		for e := range events.C() {
			if e, ok := e.(ChildStuck); ok {
				if r := stackOf(t, app, e.Path, e.ID); !r.Exact || r.Total != 1 || e.Path != stuck.Paths[0] {
					t.Errorf("%+v: %+v", e, r)
				}
				break
			}
		}
		close(end)
	})
}

func TestAStackIsFoundAtAnyDepth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ChildSpec{Name: "store", Run: resizeImages, Traceable: true}
		tenants := NewDynamicSupervisor("tenants", MaxChildren(10))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, store, tenants)
		startTree(t, app)
		tenant := NewSupervisor("acme", SupervisorConfig{}, ChildSpec{Name: "sync", Run: hashFiles, Traceable: true})
		if _, err := tenants.StartChild(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}

		for path, function := range map[string]string{
			"app/store":             "resizeImages",
			"app/tenants/acme/sync": "hashFiles",
			"app/tenants":           "(*dynamic).live",
			"app":                   "(*Supervisor).live",
		} {
			r := stackOf(t, app, path, 0)
			found := false
			for _, s := range r.Stacks {
				found = found || strings.Contains(s.Text, "headcount."+function)
			}
			if !found {
				t.Errorf("%s: no %s in %+v", path, function, r.Stacks)
			}
		}
	})
}

func TestThereIsNoStackOfAChildThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		store := ChildSpec{Name: "store", Run: untilStopped}
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, store, jobs)
		if _, err := app.Stack(t.Context(), "app", 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("before the start: %v", err)
		}
		startTree(t, app)
		c := mustGo(t, jobs, untilStopped)
		gone := mustGo(t, jobs, func(context.Context) error { return nil })
		if err := gone.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}

		for _, at := range []struct {
			path string
			id   uint64
		}{
			{"", 0}, {"other", 0}, {"application", 0}, {"app/", 0}, {"app/none", 0}, {"app/store", 77},
			{gone.Path(), gone.ID()}, {c.Path(), gone.ID()}, {gone.Path(), c.ID()}, {c.Path(), 0}, {c.Path() + "/a", c.ID()},
		} {
			if r, err := app.Stack(t.Context(), at.path, at.id); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q, %d: %+v, %v", at.path, at.id, r, err)
			}
		}
		if _, err := app.Stack(nilContext, c.Path(), c.ID()); !errors.As(err, new(*ConfigError)) {
			t.Errorf("%v", err)
		}
	})
}

func TestAStackReportListsTheFirstHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(500))
		startTree(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, jobs))
		var c *Child
		for depth := range 110 {
			for range 1 + depth/109 {
				c = mustGo(t, jobs, func(ctx context.Context) error { return descend(ctx, depth) })
			}
		}
		r := stackOf(t, jobs, c.Path(), c.ID())
		if len(r.Stacks) != 100 || r.Distinct != 110 || r.Total != 111 || r.Stacks[0].Count != 2 {
			t.Errorf("%d of %d stacks, %d goroutines", len(r.Stacks), r.Distinct, r.Total)
		}
	})
}

// parse reads a profile from its text, written in pieces of this size.
func parse(text string, size int) *goroutineProfile {
	return readGoroutineProfile(time.Time{}, func(w io.Writer) error {
		for len(text) > 0 {
			n := min(size, len(text))
			if m, err := io.WriteString(w, text[:n]); m != n || err != nil {
				return fmt.Errorf("%d of %d bytes, %w", m, n, err)
			}
			text = text[n:]
		}
		return nil
	})
}

const profileText = `goroutine profile: total 7
4 @ 0x43b5ae 0x46c441
# labels: {"a":"\", \"headcount\":\"fake\"", "headcount":"app/\"ü\\t\"", "headcount_child":"app/x#7"}
#	0x46c440	example.com/a.(*T).run+0x20		/src/a+0x1/a.go:17
#	0x46c441	example.com/a%2ego.Run[...]+0x21	/src/a.go:18

2 @ 0x43b5ae
# labels: {"headcount_child":"x"}
#	0x46c440

1 @

`

func TestAGoroutineProfileIsReadWhateverItsLabelsSay(t *testing.T) {
	p := parse(profileText, len(profileText))
	if p.err != nil || p.total != 7 || p.strays != 3 || len(p.records) != 1 {
		t.Fatalf("%+v", p)
	}
	r := p.records[0]
	if r.count != 4 || r.path != `app/"ü\t"` || r.child != "app/x#7" {
		t.Errorf("%+v", r)
	}
	if want := "example.com/a.(*T).run\n\t/src/a+0x1/a.go:17\nexample.com/a%2ego.Run[...]\n\t/src/a.go:18\n"; r.stack.text != want {
		t.Errorf("got %s\nwant %s", r.stack.text, want)
	}
}

func TestAGoroutineProfileOfAnotherFormIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"no total":       "1 @ 0x1\n\n",
		"another total":  "goroutine profile: total 2\n1 @ 0x1\n\n",
		"two totals":     "goroutine profile: total 1\ngoroutine profile: total 1\n1 @ 0x1\n\n",
		"negative":       "goroutine profile: total -1\n-1 @ 0x1\n\n",
		"too many":       "goroutine profile: total 9\n9223372036854775807 @ 0x1\n\n10 @ 0x1\n\n",
		"something else": "goroutine profile: total 0\nhello\n",
	} {
		if p := parse(text, 5); p.err == nil || p.total < 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzGoroutineProfile(f *testing.F) {
	f.Add(profileText, 7)
	f.Add("goroutine profile: total 1\n1 @ 0x1\n# labels: {\"headcount\":\"a\"", 1)
	f.Add("# labels: {\"headcount\":\n#\t\t\n\n1 @ zz\n#", 3)
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = 1 + max(size, 0)%100
		whole, pieces := parse(text, max(len(text), 1)), parse(text, size)
		labelled := 0
		for i, r := range whole.records {
			labelled += r.count
			if q := pieces.records[i]; r.count != q.count || r.path != q.path || r.child != q.child || r.stack.text != q.stack.text {
				t.Fatalf("in pieces of %d: %+v, in one %+v", size, q, r)
			}
		}
		// Without stacks that end in headcount's own functions the rest are strays.
		if whole.total != pieces.total || whole.err != pieces.err || labelled > whole.total || whole.strays > whole.total-labelled {
			t.Fatalf("%d goroutines, %d labelled, %d strays; in pieces %d", whole.total, labelled, whole.strays, pieces.total)
		}
	})
}
