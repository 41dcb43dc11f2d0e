package headcount

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitersOfSeveralClassesAreServedByClassThenByArrival covers a queue that grows a class while others wait.
func TestWaitersOfSeveralClassesAreServedByClassThenByArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDynamicSupervisor("jobs", MaxChildren(1), Wait(8, time.Hour), Classes(1, 1, 1), WithLogger(quiet))
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		if _, err := d.Go(t.Context(), func(context.Context) error { <-release; return nil }); err != nil {
			t.Fatal(err)
		}
		order := make(chan string, 8)
		for _, w := range []struct {
			name  string
			class Class
		}{{"low 1", 0}, {"high 1", 2}, {"low 2", 0}, {"middle", 1}, {"high 2", 2}} {
			go d.Go(t.Context(), func(context.Context) error { order <- w.name; return nil }, InClass(w.class))
			synctest.Wait()
		}
		// One gives up: it is not served, and nobody else is kept from it.
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := d.Go(ctx, func(context.Context) error { order <- "gave up"; return nil }, InClass(2))
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
		for _, want := range []string{"high 1", "high 2", "middle", "low 1", "low 2"} {
			if got := <-order; got != want {
				t.Errorf("served %q, want %q", got, want)
			}
		}
		if n := d.Counts().Waiting; n != 0 {
			t.Errorf("%d wait still", n)
		}
		if err := d.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestQueuesThatWaitForOneLevelAreServedInTurn raises a subtree limit by four while two supervisors wait below it.
func TestQueuesThatWaitForOneLevelAreServedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := NewDynamicSupervisor("one", MaxChildren(100), Wait(10, time.Hour))
		two := NewDynamicSupervisor("two", MaxChildren(100), Wait(10, time.Hour))
		app := NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(2), Logger: quiet}, one, two)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*DynamicSupervisor{one, two} {
			for range 5 {
				go d.Go(context.Background(), benchIdle)
			}
			synctest.Wait()
		}
		for _, step := range []struct{ limit, one, two int }{{6, 2, 2}, {7, 3, 2}, {8, 3, 3}, {12, 5, 5}} {
			if err := app.MaxDescendants().Set(step.limit, Change{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			a, b := one.Counts(), two.Counts()
			if a.Running+b.Running != step.one+step.two || max(a.Running, b.Running) != max(step.one, step.two) {
				t.Errorf("limit %d: %d and %d run, want %d and %d", step.limit, a.Running, b.Running, step.one, step.two)
			}
			if a.Waiting != 5-a.Running || b.Waiting != 5-b.Running {
				t.Errorf("limit %d: %d and %d wait", step.limit, a.Waiting, b.Waiting)
			}
		}
		if err := app.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A stream that waits for room makes newcomers find the queue in use, where they may not wait themselves. They are
// refused for what the stream waits for.
func TestWhoFindsAStreamWaitingIsRefusedForTheLevelThatIsFull(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := NewDynamicSupervisor("d", MaxChildren(100))
		up(t, NewSupervisor("root", SupervisorConfig{Logger: quiet, MaxDescendants: MaxDescendants(2)}, d))
		started(t)(d.Go(t.Context(), obedient))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			one := func(yield func(int) bool) { yield(1) }
			for range Stream(ctx, d, one, func(context.Context, int) (int, error) { return 0, nil }, StreamConfig{}) {
			}
		}()
		synctest.Wait()
		if n := d.Counts().Waiting; n != 1 {
			t.Fatalf("%d wait, want the stream", n)
		}
		var refused *Refusal
		if _, err := d.Go(t.Context(), obedient); !errors.As(err, &refused) {
			t.Fatalf("got %v, want a refusal", err)
		}
		if want := (Refusal{Path: "root", Reason: ReasonMaxDescendants, Limit: 2}); *refused != want {
			t.Errorf("refused by %+v, want %+v", *refused, want)
		}
	})
}
