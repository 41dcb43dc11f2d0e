package tests

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func answer(context.Context) (int, error) { return 42, nil }

// waitsFor is a task that ends with its context.
func waitsFor(ctx context.Context) (int, error) { return 0, until(ctx) }

// T2
func TestAsyncReturnsTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		mustGo(t, pool)
		task, err := headcount.Async(t.Context(), pool, answer)
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		if task != nil {
			t.Error("a refused task is not nil")
		}
	})
}

// T3
func TestATasksFailureIsItsAwaitsError(t *testing.T) {
	for _, c := range []struct {
		name string
		how  func() error
		is   error
	}{
		{"error", fails, errBoom}, {"panic", panics, errBoom}, {"goexit", goexits, headcount.ErrGoexit},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, 2)
				sibling := mustGo(t, pool)
				task, err := headcount.Async(t.Context(), pool, func(context.Context) (int, error) { return 1, c.how() })
				if err != nil {
					t.Fatal(err)
				}
				if _, err := task.Await(t.Context()); !errors.Is(err, c.is) {
					t.Errorf("Await returned %v, want %v", err, c.is)
				}
				time.Sleep(time.Hour)
				if n := pool.Counts().Restarts; n != 0 {
					t.Errorf("a task was restarted %d times", n)
				}
				if s := sibling.Info().State; s != "running" {
					t.Errorf("its sibling is %s", s)
				}
			})
		})
	}
}

// T5, law 3
func TestTheSlotIsFreeWhenAwaitReturns(t *testing.T) {
	pool := newPool(t, 1)
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	for i := range rounds {
		task, err := headcount.Async(context.Background(), pool, answer)
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		if got, err := task.Await(context.Background()); got != 42 || err != nil {
			t.Fatalf("Await %d: %d, %v", i, got, err)
		}
	}
}

// T6
func TestAwaitMayBeRepeatedFromAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		task, err := headcount.Async(t.Context(), pool, func(context.Context) (string, error) {
			time.Sleep(3 * time.Second)
			return "done", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took(t, time.Second, func() {
			if _, err := task.Await(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Await returned %v, want the end of its context", err)
			}
		})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if got, err := task.Await(context.Background()); got != "done" || err != nil {
					t.Errorf("Await: %q, %v", got, err)
				}
			})
		}
		wg.Wait()
		if got, err := task.Await(t.Context()); got != "done" || err != nil {
			t.Errorf("Await again: %q, %v", got, err)
		}
	})
}

// T6
func TestAwaitAllKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 5)
		var tasks []*headcount.Task[int]
		for i := range 5 {
			task, err := headcount.Async(t.Context(), pool, func(context.Context) (int, error) {
				time.Sleep(time.Duration(5-i) * time.Second)
				return i, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			tasks = append(tasks, task)
		}
		took(t, 5*time.Second, func() {
			if got, err := headcount.AwaitAll(t.Context(), tasks...); err != nil || !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
				t.Errorf("AwaitAll: %v, %v", got, err)
			}
		})
	})
}

// T6
func TestTaskShutdownEndsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		task, err := headcount.Async(t.Context(), pool, waitsFor)
		if err != nil {
			t.Fatal(err)
		}
		if err := task.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantRunning(t, pool, 0)
		if _, err := task.Await(t.Context()); err == nil {
			t.Error("Await of a task that was shut down returned nil: it has no result")
		}
	})
}

// T13
func TestATaskOutlivesItsCallersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		ctx, cancel := context.WithCancel(context.Background())
		task, err := headcount.Async(ctx, pool, func(ctx context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 42, ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if got, err := task.Await(context.Background()); got != 42 || err != nil {
			t.Errorf("Await: %d, %v", got, err)
		}
	})
}

type askedFor struct{}

// T14
func TestSelfAndValuesTellWhereAndForWhom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(3))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, pool)
		start(t, top)
		caller := context.WithValue(t.Context(), askedFor{}, "alice")
		look := func(ctx context.Context) ([2]string, error) {
			self, ok := headcount.Self(ctx)
			if !ok {
				return [2]string{}, errors.New("no self")
			}
			user, _ := ctx.Value(askedFor{}).(string)
			return [2]string{self.Path, user}, nil
		}
		for _, c := range []struct {
			opts []headcount.StartOption
			want string
		}{
			{nil, ""},
			{[]headcount.StartOption{headcount.WithValues(caller)}, "alice"},
		} {
			task, err := headcount.Async(caller, pool, look, c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := task.Await(t.Context())
			if want := [2]string{task.Child().Path(), c.want}; err != nil || got != want {
				t.Errorf("inside: %v, %v, want %v", got, err, want)
			}
		}
		if err := pool.Do(caller, func(ctx context.Context) error { // its values are the caller's
			if got, err := look(ctx); err != nil || got[1] != "alice" {
				t.Errorf("inside Do: %v, %v", got, err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if _, ok := headcount.Self(caller); ok {
			t.Error("a context outside of any child has a Self")
		}
	})
}
