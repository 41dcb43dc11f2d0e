package headcount

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// at once fails the test if f takes any time.
func atOnce(t *testing.T, what string, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took != 0 {
		t.Errorf("%s took %v", what, took)
	}
}

// nobodyDelayed does all that a sibling may want: none of it takes time.
func nobodyDelayed(t *testing.T, d *DynamicSupervisor) {
	t.Helper()
	atOnce(t, "a start", func() {
		c := started(t)(d.Go(t.Context(), obedient))
		atOnce(t, "a stop", func() {
			if err := d.Terminate(t.Context(), c.ID()); err != nil {
				t.Error(err)
			}
		})
	})
	atOnce(t, "a Do", func() {
		if err := d.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Error(err)
		}
	})
	atOnce(t, "counting and listing", func() {
		d.Counts()
		d.Tree()
		d.Children(Query{})
	})
}

func TestAPanicNeverHurtsASibling(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := NewKeyedSupervisor[string]("users", MaxChildren(50), MaxPerKey(20))
		up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, k))
		mine := started(t)(k.At("me").Go(t.Context(), obedient))
		yours := started(t)(k.At("you").Go(t.Context(), obedient))
		for _, restart := range []Restart{Permanent, Transient, Temporary} {
			for range 10 { // far past the budget of each
				started(t)(k.At("you").Go(t.Context(), func(context.Context) error { panic("a fault") }, WithRestart(restart)))
				synctest.Wait()
				time.Sleep(time.Minute)
			}
		}
		if mine.hasEnded() || yours.hasEnded() {
			t.Error("a sibling was ended by a panic")
		}
		if n := k.Counts().Running; n != 2 {
			t.Errorf("%d slots are held, want 2", n)
		}
	})
}

func TestASlowStartDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(9), WithLogger(quiet)))
		slow := make(chan error)
		go func() {
			_, err := d.StartChild(t.Context(), ChildSpec{AwaitReady: true, Run: func(ctx context.Context) error {
				time.Sleep(time.Hour)
				Ready(ctx)
				return obedient(ctx)
			}})
			slow <- err
		}()
		synctest.Wait()
		nobodyDelayed(t, d)
		if err := <-slow; err != nil {
			t.Error(err)
		}
	})
}

func TestASlowStartOfADeclaredChildDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		app := up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, ChildSpec{Name: "a", Run: obedient}))
		slow := make(chan error)
		go func() {
			_, err := app.StartChild(t.Context(), ChildSpec{Name: "slow", AwaitReady: true, Run: func(ctx context.Context) error {
				time.Sleep(time.Hour)
				Ready(ctx)
				return obedient(ctx)
			}})
			slow <- err
		}()
		synctest.Wait()
		atOnce(t, "what a sibling may want", func() {
			started(t)(app.StartChild(t.Context(), ChildSpec{Name: "b", Run: obedient}))
			if err := errors.Join(app.TerminateChild(t.Context(), "b"), app.DeleteChild(t.Context(), "b")); err != nil {
				t.Error(err)
			}
			app.Counts()
			app.Children()
			app.Tree()
		})
		if err := <-slow; err != nil {
			t.Error(err)
		}
	})
}

func TestABackoffDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(9), WithLogger(quiet), WithBackoff(Backoff{Min: time.Hour, Max: time.Hour})))
		c := started(t)(d.Go(t.Context(), func(context.Context) error { return errors.New("once more") }, WithRestart(Permanent)))
		synctest.Wait()
		if c.Info().State != StateRestarting {
			t.Fatalf("state %v", c.Info().State)
		}
		nobodyDelayed(t, d)
		atOnce(t, "the stop of the one in backoff", func() {
			if err := c.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestAStuckStopDelaysNobodyElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(9), ShutdownWithin(time.Hour), WithLogger(quiet)))
		c := started(t)(d.Go(t.Context(), run))
		stopped := make(chan error)
		go func() { stopped <- c.Stop(t.Context()) }()
		synctest.Wait()
		nobodyDelayed(t, d)
		var stuck *StuckError
		if err := <-stopped; !errors.As(err, &stuck) || stuck.Paths[0] != c.Path() {
			t.Errorf("got %v", err)
		}
		nobodyDelayed(t, d)
		if n := d.Counts(); n.Stuck != 1 || n.Running != 1 {
			t.Errorf("stuck %d, running %d, want 1 and 1", n.Stuck, n.Running)
		}
		release()
		c.Wait(t.Context())
		if n := d.Counts(); n.Stuck != 0 || n.Running != 0 {
			t.Errorf("stuck %d, running %d, want 0 and 0", n.Stuck, n.Running)
		}
	})
}

// A hangingHandler is a log handler that does not return.
type hangingHandler struct {
	slog.Handler
	until chan struct{}
}

func (h hangingHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (h hangingHandler) Handle(context.Context, slog.Record) error { <-h.until; return nil }

func TestASlowEventReaderDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		until := make(chan struct{})
		d := NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(slog.New(hangingHandler{until: until})))
		unread := d.Events(1)
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3000 { // more than any buffer holds
			started(t)(d.Go(t.Context(), func(context.Context) error { panic("a fault") })).Wait(t.Context())
		}
		nobodyDelayed(t, d)
		if unread.Dropped() == 0 {
			t.Error("nothing was counted as dropped")
		}
		began := time.Now()
		down(t, d)
		if took := time.Since(began); took > logGrace {
			t.Errorf("the stop waited %v for a log that hangs", took)
		}
		close(until)
	})
}

func TestStopNilMeansNothingIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		inner := NewDynamicSupervisor("inner", MaxChildren(9))
		k := NewKeyedSupervisor[string]("users", MaxChildren(9), MaxPerKey(9), KeyShare(9))
		mid := NewSupervisor("mid", SupervisorConfig{Strategy: OneForAll, Reserve: 2}, k)
		app := NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(50), Logger: quiet}, mid, ChildSpec{Name: "a", Run: obedient})
		for life := range 3 {
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			started(t)(k.At("x").StartChild(t.Context(), inner))
			var inside atomic.Int64
			leaving := func(ctx context.Context) error { // takes its time, within its allowance
				inside.Add(1)
				defer inside.Add(-1)
				<-ctx.Done()
				time.Sleep(time.Second)
				return nil
			}
			started(t)(inner.Go(t.Context(), func(ctx context.Context) error {
				if err := Go(ctx, obedient); err != nil {
					t.Error(err)
				}
				return leaving(ctx)
			}))
			started(t)(k.At("y").Go(t.Context(), leaving, WithRestart(Permanent)))
			started(t)(app.StartChild(t.Context(), ChildSpec{Name: "b", Run: leaving}))
			synctest.Wait()
			down(t, app)
			if n := inside.Load(); n != 0 {
				t.Errorf("life %d: %d are left", life, n)
			}
			allFree(t, app, mid, k, inner)
		}
	})
}

func TestStopNamesTheStuck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		d := NewDynamicSupervisor("jobs", MaxChildren(300))
		app := NewSupervisor("app", SupervisorConfig{Logger: quiet}, d, ChildSpec{Name: "deaf", Run: run})
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 150 {
			started(t)(d.Go(t.Context(), run))
			started(t)(d.Go(t.Context(), obedient))
		}
		var stuck *StuckError
		if err := app.Stop(t.Context()); !errors.As(err, &stuck) {
			t.Fatalf("got %v", err)
		}
		if stuck.Total != 151 || len(stuck.Paths) != 100 || stuck.Path != "app" {
			t.Errorf("%s: %d stuck, %d named", stuck.Path, stuck.Total, len(stuck.Paths))
		}
		if stuck.Paths[0] != "app/deaf" { // stopped first
			t.Errorf("the first is %s", stuck.Paths[0])
		}
		seen := make(map[string]bool)
		for _, p := range stuck.Paths {
			seen[p] = true
		}
		if len(seen) != 100 {
			t.Errorf("%d different paths", len(seen))
		}
		release()
		synctest.Wait()
		down(t, app)
		allFree(t, app, d)
	})
}

func TestAStuckDeclaredChildHaltsTheGroupRestart(t *testing.T) {
	for _, strategy := range []Strategy{OneForAll, RestForOne} {
		inBubble(t, func(t *testing.T) {
			run, release := deaf()
			fail := make(chan struct{})
			starts := 0
			app := up(t, NewSupervisor("app", SupervisorConfig{Strategy: strategy, Intensity: Intensity{Restarts: 1, Within: time.Hour}, Logger: quiet},
				ChildSpec{Name: "first", Run: func(ctx context.Context) error {
					starts++
					select {
					case <-fail:
						return errors.New("a failure")
					case <-ctx.Done():
						return nil
					}
				}},
				ChildSpec{Name: "deaf", Run: run}))
			events := app.Events(50)
			fail <- struct{}{}
			time.Sleep(time.Minute)
			if starts != 1 {
				t.Errorf("%v: %d starts of the first while the group halts", strategy, starts)
			}
			atOnce(t, "looking at it", func() { app.Counts(); app.Tree(); app.Children() })
			halted := false
			for len(events.C()) > 0 {
				if e, ok := (<-events.C()).(GroupHalted); ok && e.Child == "app/deaf" {
					halted = true
				}
			}
			if !halted {
				t.Error("no event says that the group halts")
			}
			release()
			synctest.Wait()
			if c := app.Counts(); starts != 2 || c.Restarts != 1 {
				t.Errorf("%v: %d starts, %d restarts, want 2 and 1", strategy, starts, c.Restarts)
			}
		})
	}
}

func TestASpellOfRefusalsIsTwoEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(0), WithLogger(quiet)))
		events := d.Events(100)
		for spell := range 3 {
			for range 500 {
				_, err := d.Go(t.Context(), obedient)
				is(t, err, ErrMaxChildren)
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(3 * time.Second)
			var got []string
			for len(events.C()) > 0 {
				switch e := (<-events.C()).(type) {
				case LimitReached:
					got = append(got, fmt.Sprintf("reached %s", e.Reason))
				case LimitCleared:
					got = append(got, fmt.Sprintf("cleared %s %d", e.Reason, e.Refused))
				}
			}
			if fmt.Sprint(got) != "[reached max_children cleared max_children 500]" {
				t.Errorf("spell %d: %v", spell, got)
			}
		}
		if n := d.Counts().Refused; n.MaxChildren != 1500 || n.Total() != 1500 {
			t.Errorf("counted %+v", n)
		}
	})
}

// Where the limits below add up to the one above, nobody can be refused there. So the key of a child that leaves must not
// be free before its slots above are: its successor would hold a second one, and a sibling be refused for it.
func TestASuccessorAtAKeyTakesNoSlotFromASibling(t *testing.T) {
	hook := hookGaps(t)
	k := NewKeyedSupervisor[string]("users", MaxChildren(100), MaxPerKey(1))
	d := NewDynamicSupervisor("jobs", MaxChildren(2))
	up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(2 + 1 + 2), Logger: quiet}, k, d))
	c := started(t)(k.At("a").Go(t.Context(), obedient))
	started(t)(d.Go(t.Context(), obedient))
	tried := make(chan struct{})
	hook.once(beforeRelease, func() {
		defer close(tried)
		if _, err := k.At("a").Go(t.Context(), obedient); err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("the successor: %v", err)
		}
		if _, err := d.Go(t.Context(), obedient); err != nil {
			t.Errorf("the sibling: %v", err)
		}
	})
	is(t, c.Stop(t.Context()), nil)
	<-tried
	if _, err := k.At("a").Go(t.Context(), obedient); err != nil && !errors.Is(err, ErrMaxPerKey) {
		t.Errorf("after the end: %v", err)
	}
}
