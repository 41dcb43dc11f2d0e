package headcount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// untilStopped is the work of a child that waits for its stop.
func untilStopped(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// startTree starts a tree that the test stops at its end.
func startTree(t testing.TB, n Node) {
	t.Helper()
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func mustGo(t testing.TB, s Starter, fn func(context.Context) error, opts ...StartOption) *Child {
	t.Helper()
	c, err := s.Go(t.Context(), fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// settledGoroutines reads the goroutines once their number has stopped changing: what the tests before this one have left
// is on its way out.
func settledGoroutines(t *testing.T, n interface {
	Goroutines(context.Context) (GoroutineCount, error)
}) GoroutineCount {
	t.Helper()
	last := goroutinesOf(t, n)
	for same, tries := 0, 0; same < 5 && tries < 1000; tries++ {
		c := goroutinesOf(t, n)
		if same++; c.Total != last.Total {
			same = 0
		}
		last = c
	}
	return last
}

// goroutinesOf reads the goroutines, once all of the bubble stand still and an earlier answer has been forgotten.
func goroutinesOf(t *testing.T, n interface {
	Goroutines(context.Context) (GoroutineCount, error)
}) GoroutineCount {
	t.Helper()
	time.Sleep(time.Hour)
	synctest.Wait()
	c, err := n.Goroutines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sum := c.Supervised + c.Strays + c.Elsewhere; sum != c.Total || c.Inherited > c.Strays || c.Elsewhere < 0 {
		t.Errorf("%d goroutines are %d supervised, %d strays, %d elsewhere", c.Total, c.Supervised, c.Strays, c.Elsewhere)
	}
	return c
}

func (c GoroutineCount) at(path string) PathGoroutines {
	for _, p := range c.Paths {
		if p.Path == path {
			return p
		}
	}
	return PathGoroutines{}
}

func TestGoroutinesAreToldByThePathOfTheirSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		users := NewKeyedSupervisor[string]("users", MaxChildren(10), MaxPerKey(2))
		store := ChildSpec{Name: "store", Run: untilStopped}
		app := NewSupervisor("told", SupervisorConfig{Logger: quiet}, store, jobs, users)
		startTree(t, app)
		for range 3 {
			mustGo(t, jobs, untilStopped)
		}
		for range 2 {
			mustGo(t, users.At("alice"), untilStopped)
		}

		c := goroutinesOf(t, app)
		if c.at("told/jobs").Goroutines != 3 || c.at("told/users").Goroutines != 2 {
			t.Errorf("%+v", c.Paths)
		}
		// The store, and the supervisors' own: two at their parent's path, the root's at its own.
		if c.at("told").Goroutines != 4 || c.PathsTotal != 3 || c.Supervised != 9 || c.Inherited != 0 {
			t.Errorf("%+v", c)
		}
		if c := goroutinesOf(t, jobs); c.Supervised != 3 || c.PathsTotal != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestABareGoroutineOfAChildIsAStray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		before := settledGoroutines(t, jobs)

		for range 3 {
			mustGo(t, jobs, func(ctx context.Context) error {
				go untilStopped(ctx)
				if err := Go(ctx, untilStopped); err != nil {
					return err
				}
				return untilStopped(ctx)
			})
		}
		c := goroutinesOf(t, jobs)
		if c.Inherited != 3 || c.Strays != before.Strays+3 || c.Supervised != before.Supervised+6 {
			t.Errorf("before %+v\nthen %+v", before, c)
		}
		if p := c.at("jobs"); p.Strays != 3 {
			t.Errorf("%+v", p)
		}
	})
}

func TestAStrayOutlivesItsChildAndIsStillTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		end := make(chan struct{})
		c := mustGo(t, jobs, func(context.Context) error {
			go func() { <-end }()
			return nil
		})
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Its place has been taken since: counting children against labels would find nothing amiss.
		mustGo(t, jobs, untilStopped)
		if c := goroutinesOf(t, jobs); c.Inherited != 1 {
			t.Errorf("%+v", c)
		}
		close(end)
		if c := goroutinesOf(t, jobs); c.Inherited != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestAGoroutineWithoutALabelIsAStray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		before := settledGoroutines(t, jobs)
		end := make(chan struct{})
		for range 5 {
			go func() { <-end }()
		}
		if c := goroutinesOf(t, jobs); c.Strays != before.Strays+5 || c.Inherited != 0 {
			t.Errorf("before %+v\nthen %+v", before, c)
		}
		close(end)
	})
}

func TestTheOwnGoroutinesOfATreeAreNoStrays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watcher := NewDynamicSupervisor("watcher", MaxChildren(1))
		before := settledGoroutines(t, watcher)
		startTree(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, NewDynamicSupervisor("jobs", MaxChildren(1))))
		if c := goroutinesOf(t, watcher); c.Strays != before.Strays || c.Elsewhere != before.Elsewhere+3 {
			t.Errorf("before %+v\nthen %+v", before, c)
		}
	})
}

func TestDoIsCountedAtItsSupervisorAndRestoresTheLabelsOfItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		ctx := pprof.WithLabels(t.Context(), pprof.Labels("caller", "the one of this test"))
		pprof.SetGoroutineLabels(ctx)
		defer pprof.SetGoroutineLabels(context.Background())

		if err := jobs.Do(ctx, func(context.Context) error {
			// The test's own goroutine, and the supervisor's.
			if c := goroutinesOf(t, jobs); c.at("jobs").Goroutines != 2 || c.Inherited != 0 {
				t.Errorf("within: %+v", c)
			}
			if labelled("the one of this test") {
				t.Error("within Do the goroutine has the caller's label too")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !labelled("the one of this test") {
			t.Error("the caller's label is gone")
		}
		if c := goroutinesOf(t, jobs); c.at("jobs").Goroutines != 1 {
			t.Errorf("after: %+v", c)
		}
	})
}

// labelled reports whether some goroutine has a label of this value.
func labelled(value string) bool {
	var b strings.Builder
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	return strings.Contains(b.String(), fmt.Sprintf("%q", value))
}

func TestAChildDeeperThanTheProfileShowsIsNoStray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
		startTree(t, jobs)
		mustGo(t, jobs, func(ctx context.Context) error { return descend(ctx, 500) })
		if c := goroutinesOf(t, jobs); c.at("jobs").Goroutines != 2 || c.Inherited != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func descend(ctx context.Context, n int) error {
	if n > 0 {
		return errors.Join(descend(ctx, n-1))
	}
	return untilStopped(ctx)
}

func TestGoroutinesListsTheHundredPathsWithMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sups []*DynamicSupervisor
		var specs []Specifier
		for i := range 120 {
			sups = append(sups, NewDynamicSupervisor(fmt.Sprintf("jobs%d", i), MaxChildren(10)))
			specs = append(specs, sups[i])
		}
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, specs...)
		startTree(t, app)
		for i, s := range sups {
			mustGo(t, s, untilStopped)
			if i == 119 {
				mustGo(t, s, untilStopped)
			}
		}
		c := goroutinesOf(t, app)
		if len(c.Paths) != 100 || c.PathsTotal != 121 || c.Supervised != 121+121 {
			t.Errorf("%d of %d paths, %d supervised", len(c.Paths), c.PathsTotal, c.Supervised)
		}
		if c.Paths[0].Path != "app" || c.Paths[1].Path != "app/jobs119" {
			t.Errorf("%+v", c.Paths[:2])
		}
	})
}

func TestGoroutinesAreReadOnceInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(10))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, jobs)
		startTree(t, app)
		first := goroutinesOf(t, app)

		mustGo(t, jobs, untilStopped)
		time.Sleep(goroutineRest - 1)
		same, err := jobs.Goroutines(t.Context()) // the root's is the one for all of the tree
		if err != nil || !same.Time.Equal(first.Time) || same.Supervised != 0 {
			t.Errorf("%+v, %v; the answer before was of %v", same, err, first.Time)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		next, err := jobs.Goroutines(t.Context())
		if err != nil || next.Time.Sub(first.Time) != goroutineRest || next.Supervised != 1 {
			t.Errorf("%+v, %v; the answer before was of %v", next, err, first.Time)
		}
	})
}

func TestASecondReadingOfGoroutinesWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet})
		startTree(t, app)
		app.goroutines.busy = make(chan struct{}) // the first one

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := app.Goroutines(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient one: %v", err)
		}
		var answers []GoroutineCount
		done := make(chan struct{})
		go func() {
			defer close(done)
			c, err := app.Goroutines(t.Context())
			if err != nil {
				t.Error(err)
			}
			answers = append(answers, c)
		}()
		synctest.Wait()
		if len(answers) != 0 {
			t.Error("the second one did not wait")
		}
		first, _ := app.goroutines.finish(makeGoroutineProfile())
		<-done
		if !answers[0].Time.Equal(first.time) {
			t.Error("the second one read again")
		}
	})
}

func TestGoroutinesWantsALivingContext(t *testing.T) {
	jobs := NewDynamicSupervisor("jobs", MaxChildren(1))
	var config *ConfigError
	if _, err := jobs.Goroutines(nilContext); !errors.As(err, &config) || config.Field != "ctx" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := jobs.Goroutines(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestReadingTenThousandChildrenTellsThemAll(t *testing.T) {
	const n = 10_000
	synctest.Test(t, func(t *testing.T) {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(n), WithLogger(quiet))
		startTree(t, jobs)
		for i := range n {
			spec := ChildSpec{Run: untilStopped, Restart: Temporary, Traceable: i%10 == 0}
			if _, err := jobs.StartChild(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
		}
		if c := goroutinesOf(t, jobs); c.at("jobs").Goroutines != n+1 || c.Inherited != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// BenchmarkGoroutines is one reading; beside it the profile alone, which the runtime writes.
func BenchmarkGoroutines(b *testing.B) {
	for _, traceable := range []bool{false, true} {
		for _, n := range []int{1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("traceable=%t/children=%d", traceable, n), func(b *testing.B) {
				if n > 10_000 && testing.Short() {
					b.Skip("large")
				}
				jobs := NewDynamicSupervisor("jobs", MaxChildren(n), WithLogger(quiet))
				startTree(b, jobs)
				for range n {
					spec := ChildSpec{Run: untilStopped, Restart: Temporary, Traceable: traceable}
					if _, err := jobs.StartChild(b.Context(), spec); err != nil {
						b.Fatal(err)
					}
				}
				b.Run("floor", func(b *testing.B) {
					for b.Loop() {
						pprof.Lookup("goroutine").WriteTo(io.Discard, 1)
					}
				})
				b.Run("headcount", func(b *testing.B) {
					for b.Loop() {
						if p := takeGoroutineProfile(time.Now()); p.err != nil {
							b.Fatal(p.err)
						}
					}
				})
			})
		}
	}
}
