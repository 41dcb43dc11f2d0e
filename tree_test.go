package headcount

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTreeDescribesEachSupervisorAndWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), Wait(7, time.Second), MaxDescendants(20), Reserve(2))
		users := NewKeyedSupervisor[string]("users", MaxChildren(30), MaxPerKey(3))
		inner := NewSupervisor("inner", SupervisorConfig{Strategy: OneForAll}, jobs)
		store := ChildSpec{Name: "store", Run: untilStopped}
		app := NewSupervisor("app", SupervisorConfig{Strategy: RestForOne, MaxDescendants: MaxDescendants(100), Logger: quiet}, store, inner, users)
		startTree(t, app)
		began := time.Now()
		time.Sleep(time.Minute)
		mustGo(t, jobs, untilStopped)
		for range 2 {
			mustGo(t, users.At("alice"), untilStopped)
		}
		time.Sleep(time.Hour)

		tree := app.Tree()
		if tree.Name != "app" || tree.Path != "app" || tree.Kind != SupervisorKind || tree.Strategy != RestForOne || tree.State != StateRunning {
			t.Errorf("%+v", tree)
		}
		if !tree.Since.Equal(began) || tree.Oldest != time.Hour+time.Minute || tree.Counts.Running != 3 {
			t.Errorf("since %v, oldest %v, %d run", tree.Since, tree.Oldest, tree.Counts.Running)
		}
		// The declared ones, store, inner, jobs and users; the reserve of jobs, of which its child has one; two at a key.
		if tree.Descendants != 4+2+2 || tree.DescendantsPeak != 8 || inner.Tree().Descendants != -1 {
			t.Errorf("%d descendants, peak %d; without a limit %d", tree.Descendants, tree.DescendantsPeak, inner.Tree().Descendants)
		}
		if len(tree.Workers) != 1 || tree.Workers[0].Path != "app/store" || len(tree.Children) != 2 {
			t.Errorf("workers %+v, %d supervisors", tree.Workers, len(tree.Children))
		}
		j, _ := tree.Find("app/inner/jobs")
		if j.Kind != DynamicKind || j.Queue != 7 || j.Reserve != 2 || j.Descendants != 1 || j.Counts.Running != 1 || j.Oldest != time.Hour {
			t.Errorf("%+v", j)
		}
		u, _ := tree.Find("app/users")
		if u.Kind != KeyedKind || u.Counts.Running != 2 || len(u.Workers) != 0 || len(u.Children) != 0 {
			t.Errorf("%+v", u)
		}
		for _, at := range []struct {
			node   TreeNode
			limits []string
		}{
			{tree, []string{"max_children=1000", "max_descendants=100"}},
			{j, []string{"max_children=10", "max_descendants=20"}},
			{u, []string{"max_children=30", "max_per_key=3"}},
		} {
			var got []string
			for _, l := range at.node.Limits {
				got = append(got, fmt.Sprintf("%s=%d", l.Name, l.InForce))
			}
			if !slices.Equal(got, at.limits) {
				t.Errorf("%s: limits %v, want %v", at.node.Path, got, at.limits)
			}
		}
	})
}

func TestTreeTellsWhoSetALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		if err := jobs.MaxChildren().Set(5, Change{Source: "page", By: "ann", Why: "slow disk"}); err != nil {
			t.Fatal(err)
		}
		if err := jobs.MaxChildren().Cap("memory", 4, "above nine tenths"); err != nil {
			t.Fatal(err)
		}
		l := jobs.Tree().Limits[0]
		if l.InForce != 4 || l.Setting.Value != 5 || l.Setting.By != "ann" || l.Setting.Source != "page" || len(l.Caps) != 1 || l.Caps[0].Name != "memory" {
			t.Errorf("%+v", l)
		}
	})
}

func TestTreeIsWalkedFromAboveAndSearchedByPath(t *testing.T) {
	a := NewSupervisor("a", SupervisorConfig{}, NewDynamicSupervisor("x", MaxChildren(1)), NewDynamicSupervisor("y", MaxChildren(1)))
	app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, a, NewDynamicSupervisor("b", MaxChildren(1)))
	startTree(t, app)
	var paths []string
	for n := range app.Tree().All() {
		paths = append(paths, n.Path)
	}
	if want := []string{"app", "app/a", "app/a/x", "app/a/y", "app/b"}; !slices.Equal(paths, want) {
		t.Errorf("got %v, want %v", paths, want)
	}
	for i, path := range paths {
		seen := 0
		for n := range app.Tree().All() {
			if seen++; n.Path == path {
				break
			}
		}
		if n, ok := app.Tree().Find(path); !ok || n.Path != path || seen != i+1 {
			t.Errorf("%s: found %t, %d seen", path, ok, seen)
		}
	}
	for _, path := range []string{"", "a", "app/", "app/a/z"} {
		if n, ok := app.Tree().Find(path); ok {
			t.Errorf("%q: found %+v", path, n)
		}
	}
}

func TestTreeTellsTheLifeOfASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, ChildSpec{Name: "slow", Shutdown: time.Minute, Run: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		}})
		if s := app.Tree(); s.State != StateStopped || !s.Since.IsZero() {
			t.Errorf("before the start: %+v", s)
		}
		for range 2 {
			time.Sleep(time.Hour)
			began := time.Now()
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s := app.Tree(); s.State != StateRunning || !s.Since.Equal(began) {
				t.Errorf("%+v", s)
			}
			ended := make(chan error)
			go func() { ended <- app.Stop(t.Context()) }()
			synctest.Wait()
			if s := app.Tree(); s.State != StateStopping || s.Workers[0].State != StateStopping {
				t.Errorf("in its stop: %+v", s)
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if s := app.Tree(); s.State != StateStopped {
				t.Errorf("after the stop: %+v", s)
			}
		}
	})
}

func TestTreeTellsHowMuchOfTheBudgetIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := make(chan error)
		run := func(ctx context.Context) error {
			select {
			case err := <-fail:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), Escalate(5, time.Minute))
		app := NewSupervisor("app", SupervisorConfig{Intensity: Intensity{Restarts: 4, Within: time.Hour}, Logger: quiet}, ChildSpec{Name: "store", Run: run}, jobs)
		startTree(t, app)
		used := func(path string, want, allowed int, within time.Duration) {
			t.Helper()
			synctest.Wait()
			n, ok := app.Tree().Find(path)
			if !ok || n.RestartsUsed != want || n.RestartsAllowed != allowed || n.RestartsWithin != within {
				t.Errorf("%s: %d of %d in %v used, want %d of %d in %v", path, n.RestartsUsed, n.RestartsAllowed, n.RestartsWithin, want, allowed, within)
			}
		}
		used("app", 0, 4, time.Hour)
		fail <- errors.New("boom")
		used("app", 1, 4, time.Hour)
		time.Sleep(time.Hour)
		used("app", 0, 4, time.Hour)

		c := mustGo(t, jobs, func(context.Context) error { return errors.New("boom") }, WithRestart(Transient))
		time.Sleep(time.Second / 20) // the first restart comes at once, the second not before half of 100 ms
		used("app/jobs", 2, 5, time.Minute)
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		used("app/jobs", 0, 5, time.Minute)
	})
}

func TestCountsFollowTheChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(4), Wait(1, time.Hour), ShutdownWithin(time.Second), WithLogger(quiet))
		startTree(t, jobs)
		ctx := t.Context()
		end := make(chan struct{})
		ends := []func(context.Context) error{
			func(context.Context) error { return nil },
			func(context.Context) error { return errors.New("boom") },
			func(context.Context) error { panic("boom") },
			func(context.Context) error { runtime.Goexit(); return nil },
		}
		for _, f := range ends {
			mustGo(t, jobs, f).Wait(ctx)
		}
		stopped := mustGo(t, jobs, untilStopped)
		if err := stopped.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		deaf := mustGo(t, jobs, func(context.Context) error { <-end; return nil })
		if err := deaf.Stop(ctx); !errors.As(err, new(*StuckError)) {
			t.Fatal(err)
		}
		spec := ChildSpec{Backoff: Backoff{Min: time.Hour, Max: time.Hour}, Intensity: Intensity{Restarts: 10, Within: time.Second}, Run: ends[1]}
		if _, err := jobs.StartChild(ctx, spec); err != nil {
			t.Fatal(err)
		}
		mustGo(t, jobs, untilStopped)
		mustGo(t, jobs, untilStopped)
		waiting := make(chan *Child)
		go func() {
			c, _ := jobs.Go(ctx, untilStopped)
			waiting <- c
		}()
		synctest.Wait()
		if _, err := jobs.Go(ctx, untilStopped); !errors.Is(err, ErrQueueFull) {
			t.Fatal(err)
		}

		c := jobs.Counts()
		if c.Limit != 4 || c.Running != 4 || c.Restarting != 1 || c.Stuck != 1 || c.Waiting != 1 || c.Peak != 4 {
			t.Errorf("%+v", c)
		}
		if want := (ExitCounts{Normal: 1, Stopped: 1, Error: 1, Panic: 1, Goexit: 1}); c.Exits != want || c.Started != 9 {
			t.Errorf("%d started, exits %+v", c.Started, c.Exits)
		}
		if c.Refused.QueueFull != 1 || c.Refused.Total() != 1 || c.Restarts < 1 {
			t.Errorf("refused %+v, %d restarts", c.Refused, c.Restarts)
		}
		close(end)
		<-waiting
		if c := jobs.Counts(); c.Stuck != 0 || c.Waiting != 0 || c.Running != 4 || c.Started != 10 {
			t.Errorf("%+v", c)
		}
	})
}

// pages reads all children in pages of n.
func pages(s interface {
	Children(Query) ([]ChildInfo, uint64)
}, n int, match func(ChildInfo) bool) (infos []ChildInfo) {
	q := Query{Limit: n, Match: match}
	for {
		page, next := s.Children(q)
		infos = append(infos, page...)
		if q.After = next; next == 0 {
			return infos
		}
	}
}

func TestAChildAliveThroughoutIsListedOnceWhileOthersComeAndGo(t *testing.T) {
	jobs := NewDynamicSupervisor("jobs", MaxChildren(10_000), WithLogger(quiet))
	startTree(t, jobs)
	var over atomic.Bool
	var churn sync.WaitGroup
	for range 4 {
		churn.Go(func() {
			for !over.Load() {
				var batch []*Child
				for range 50 {
					batch = append(batch, mustGo(t, jobs, untilStopped))
				}
				for _, c := range batch {
					c.Stop(context.Background())
				}
			}
		})
	}
	stay := make(map[uint64]bool)
	for range 500 {
		stay[mustGo(t, jobs, untilStopped).ID()] = true
	}
	for _, n := range []int{1, 7, 100, 1000, 1, 7, 100, 1000} {
		seen := make(map[uint64]bool)
		stayed, last := 0, uint64(0)
		for _, info := range pages(jobs, n, nil) {
			if info.ID <= last {
				t.Fatalf("pages of %d: id %d comes after %d", n, info.ID, last)
			}
			last = info.ID
			if seen[info.ID] = true; stay[info.ID] {
				stayed++
			}
		}
		if stayed != len(stay) {
			t.Errorf("pages of %d: %d children of %d that were there throughout", n, stayed, len(stay))
		}
	}
	over.Store(true)
	churn.Wait()
}

func TestAPageHasTheChildrenThatMatch(t *testing.T) {
	jobs := NewDynamicSupervisor("jobs", MaxChildren(1000), WithLogger(quiet))
	startTree(t, jobs)
	for i := range 300 {
		mustGo(t, jobs, untilStopped, Named(fmt.Sprintf("job%d", i%3)))
	}
	for _, n := range []int{1, 10, 100, 10_000} {
		infos := pages(jobs, n, func(i ChildInfo) bool { return i.Name == "job2" })
		if len(infos) != 100 || infos[0].Name != "job2" || infos[0].Path != "jobs/job2" {
			t.Errorf("pages of %d: %d children", n, len(infos))
		}
	}
	for limit, want := range map[int]int{-1: 100, 0: 100, 1: 1, 299: 299, 300: 300, 1 << 30: 300} {
		if infos, _ := jobs.Children(Query{Limit: limit}); len(infos) != want {
			t.Errorf("limit %d: %d children, want %d", limit, len(infos), want)
		}
	}
}

func TestAPageLooksAtABoundedNumberOfChildren(t *testing.T) {
	const n = 50_000
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(n), WithLogger(quiet))
		startTree(t, jobs)
		for range n {
			mustGo(t, jobs, untilStopped)
		}
		if infos, _ := jobs.Children(Query{Limit: n}); len(infos) != maxPage {
			t.Errorf("a page of %d children", len(infos))
		}
		for _, limit := range []int{500, 3000} {
			looked, pages := 0, 0
			for after := uint64(0); pages == 0 || after != 0; pages++ {
				before := looked
				var infos []ChildInfo
				infos, after = jobs.Children(Query{After: after, Limit: limit, Match: func(ChildInfo) bool { looked++; return false }})
				if len(infos) != 0 || looked-before > scanPerPage+limit {
					t.Fatalf("%d children, %d looked at", len(infos), looked-before)
				}
			}
			if looked != n || pages < n/scanPerPage {
				t.Errorf("limit %d: %d children looked at in %d pages", limit, looked, pages)
			}
		}
	})
}

func TestLookupFindsAChildUntilItHasEnded(t *testing.T) {
	users := NewKeyedSupervisor[string]("users", MaxChildren(10), MaxPerKey(2), WithLogger(quiet))
	startTree(t, users)
	c := mustGo(t, users.At("alice"), untilStopped)
	if found, ok := users.Lookup(c.ID()); !ok || found != c {
		t.Errorf("%v, %t", found, ok)
	}
	if found, ok := users.At("alice").Lookup(); !ok || found != c {
		t.Errorf("%v, %t", found, ok)
	}
	for _, id := range []uint64{0, c.ID() + 1, 1 << 63} {
		if found, ok := users.Lookup(id); ok || found != nil {
			t.Errorf("%d: %v, %t", id, found, ok)
		}
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, ok := users.Lookup(c.ID()); ok || found != nil {
		t.Errorf("%v, %t", found, ok)
	}
}

// A page or a command has a Node and no more.
func TestANodeTellsOfGoroutinesAndStacks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := NewDynamicSupervisor("d", MaxChildren(1), WithLogger(quiet))
		var n Node = up(t, d)
		c := started(t)(d.Go(t.Context(), obedient))
		synctest.Wait()
		if g, err := n.Goroutines(t.Context()); err != nil || g.Supervised < 1 {
			t.Errorf("%+v, %v", g, err)
		}
		if _, err := n.Stack(t.Context(), c.Path(), c.ID()); err != nil {
			t.Error(err)
		}
	})
}

// A path says which supervisor is meant: in the tree, in events, in profiles.
func TestTwoSupervisorsOfOneNameDoNotRunBelowOneDynamicSupervisor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		room := func() *DynamicSupervisor {
			return NewDynamicSupervisor("room", MaxChildren(5), ShutdownWithin(time.Second))
		}
		d := NewDynamicSupervisor("rooms", MaxChildren(5))
		k := NewKeyedSupervisor[string]("users", MaxChildren(5), MaxPerKey(2))
		up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(50), Logger: quiet}, d, k))
		refused := func(s Starter) {
			t.Helper()
			held := d.Counts().Running + k.Counts().Running
			_, err := s.StartChild(t.Context(), room())
			is(t, err, ErrAlreadyStarted)
			if !strings.HasPrefix(err.Error(), "app/") || !strings.Contains(err.Error(), "/room: ") {
				t.Errorf("the error does not tell the path: %v", err)
			}
			if now := d.Counts().Running + k.Counts().Running; now != held {
				t.Errorf("%d slots are held, want %d", now, held)
			}
		}
		first := room()
		c := started(t)(d.StartChild(t.Context(), first))
		refused(d)
		started(t)(k.At("a").StartChild(t.Context(), room()))
		started(t)(k.At("b").StartChild(t.Context(), room())) // the key is part of the path
		refused(k.At("a"))

		run, release := deaf()
		stuck := started(t)(first.Go(t.Context(), run))
		if err := c.Stop(t.Context()); !errors.As(err, new(*StuckError)) {
			t.Errorf("stop: %v", err)
		}
		refused(d) // what it has left behind is shown by its path
		release()
		<-stuck.Done()
		second := room()
		again := started(t)(d.StartChild(t.Context(), second))
		is(t, again.Stop(t.Context()), nil)
		for range 100 {
			c := started(t)(d.StartChild(t.Context(), room()))
			is(t, c.Stop(t.Context()), nil)
		}
		if n := len(d.below.at); n != 0 {
			t.Errorf("%d paths are kept", n)
		}
	})
}

// Of many that start at once one runs.
func TestTheNameOfASupervisorIsTakenOnce(t *testing.T) {
	d := up(t, NewDynamicSupervisor("rooms", MaxChildren(100), WithLogger(quiet)))
	results := make(chan error, 16)
	for range cap(results) {
		go func() {
			_, err := d.StartChild(context.Background(), NewDynamicSupervisor("room", MaxChildren(5)))
			results <- err
		}()
	}
	run := 0
	for range cap(results) {
		if err := <-results; err == nil {
			run++
		} else {
			is(t, err, ErrAlreadyStarted)
		}
	}
	if run != 1 {
		t.Errorf("%d run, want 1", run)
	}
}
