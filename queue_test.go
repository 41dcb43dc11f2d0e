package headcount

import (
	"context"
	"errors"
	"runtime"
	"strings"
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

// renewals is a keyed supervisor that is full, with a waiter for each name, in this order, and a function of the key
// that is asked anew when MaxPerKey changes.
func renewals(t *testing.T, of func(key string), waiting ...string) (k *KeyedSupervisor[string], admitted chan string) {
	anew := false
	k = up(t, NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(3), Wait(20, time.Hour), WithLogger(quiet),
		MaxPerKeyFunc(func(key string, base int) int {
			if anew {
				of(key)
			}
			return base
		})))
	started(t)(k.At("first").Go(t.Context(), obedient))
	admitted = make(chan string, len(waiting))
	for _, name := range waiting {
		go func() {
			_, err := k.At(name).Go(context.Background(), obedient)
			if err != nil {
				name = err.Error()
			}
			admitted <- name
		}()
		synctest.Wait()
	}
	anew = true
	return k, admitted
}

// What the keys may hold is asked of each waiter, on its own goroutine, in an order that is nobody's. They keep theirs.
func TestAWaiterKeepsItsPlaceWhileTheLimitOfItsKeyIsAskedAnew(t *testing.T) {
	for range rounds(200) {
		inBubble(t, func(t *testing.T) {
			// Within the pause, and the first the slowest.
			k, admitted := renewals(t, func(key string) { time.Sleep(time.Duration('f'-key[0]) * time.Millisecond) }, "a", "b", "c", "d", "e")
			is(t, k.MaxPerKey().Set(4, Change{}), nil)
			for children := 2; children <= 6; children++ {
				is(t, k.MaxChildren().Set(children, Change{}), nil)
				if children == 2 {
					time.Sleep(renewalPause - time.Millisecond)
				}
				synctest.Wait()
				if got, want := <-admitted, string(rune('a'+children-2)); got != want {
					t.Fatalf("%s came in, want %s", got, want)
				}
			}
		})
	}
}

// Nobody waits for the function of another's key for long. Whoever has been passed is where it was.
func TestASlowLimitOfAKeyHoldsUpTheQueueForABoundedTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, admitted := renewals(t, func(key string) {
			if key == "slow" || key == "slower" {
				time.Sleep(time.Duration(len(key)) * time.Minute)
			}
		}, "slower", "slow", "c", "d")
		is(t, k.MaxPerKey().Set(4, Change{}), nil)
		began := time.Now()
		is(t, k.MaxChildren().Set(2, Change{}), nil)
		if got := <-admitted; got != "c" || time.Since(began) != renewalPause {
			t.Errorf("%s came in after %v, want c after %v", got, time.Since(began), renewalPause)
		}
		time.Sleep(4*time.Minute + time.Second) // slow is back, slower is not
		is(t, k.MaxChildren().Set(3, Change{}), nil)
		if got := <-admitted; got != "slow" {
			t.Errorf("%s came in, want slow", got)
		}
		time.Sleep(2 * time.Minute)
		is(t, k.MaxChildren().Set(4, Change{}), nil)
		if got := <-admitted; got != "slower" {
			t.Errorf("%s came in, want slower", got)
		}
		is(t, k.MaxChildren().Set(5, Change{}), nil)
		if got := <-admitted; got != "d" {
			t.Errorf("%s came in, want d", got)
		}
	})
}

func TestAWaiterWhoseLimitFailsWhenAskedAnewLeavesTheQueue(t *testing.T) {
	for name, fault := range map[string]func(){"panics": func() { panic("of the key") }, "exits": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				k, admitted := renewals(t, func(key string) {
					if key == "bad" {
						fault()
					}
				}, "bad", "good")
				is(t, k.MaxPerKey().Set(4, Change{}), nil)
				is(t, k.MaxChildren().Set(2, Change{}), nil)
				synctest.Wait()
				got := <-admitted
				if name == "panics" && strings.Contains(got, "MaxPerKeyFunc") {
					got = <-admitted
				}
				if got != "good" {
					t.Errorf("%s came in, want good", got)
				}
				if n := k.Counts().Waiting; n != 0 {
					t.Errorf("%d wait still", n)
				}
			})
		})
	}
}

func TestAStopReachesWaitersWhoseLimitIsAskedAnew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k, admitted := renewals(t, func(string) { time.Sleep(time.Minute) }, "a", "b")
		is(t, k.MaxPerKey().Set(4, Change{}), nil)
		is(t, k.MaxChildren().Set(2, Change{}), nil)
		synctest.Wait()
		is(t, k.Stop(t.Context()), nil)
		for range 2 {
			if got := <-admitted; !strings.Contains(got, ErrStopped.Error()) {
				t.Errorf("got %s, want stopped", got)
			}
		}
		is(t, k.Start(t.Context()), nil)
		started(t)(k.At("a").Go(t.Context(), obedient))
	})
}
