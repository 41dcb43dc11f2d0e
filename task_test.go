package headcount

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errTask = errors.New("boom")

// startPool gives a running supervisor of tasks; at the end of the test it must stop with nothing left.
func startPool(t *testing.T, limit int, opts ...Option) *DynamicSupervisor {
	t.Helper()
	pool := NewDynamicSupervisor("pool", MaxChildren(limit), append(opts, WithLogger(quiet))...)
	startForTasks(t, pool)
	return pool
}

func startForTasks(t *testing.T, n Node) {
	t.Helper()
	if err := n.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func mustAsync[T any](t *testing.T, s Starter, fn func(context.Context) (T, error), opts ...StartOption) *Task[T] {
	t.Helper()
	task, err := Async(t.Context(), s, fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func oneTask(context.Context) (int, error) { return 1, nil }

// taskUntilStopped is a task that gives up when its context ends.
func taskUntilStopped(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }

func TestTaskSlotIsFreeOnceItsResultIsThere(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	pool := startPool(t, 1)
	users := NewKeyedSupervisor[string]("users", MaxChildren(2), MaxPerKey(1), WithLogger(quiet))
	startForTasks(t, users)
	for name, s := range map[string]Starter{"supervisor": pool, "key": users.At("alice")} {
		t.Run(name, func(t *testing.T) {
			for i := range rounds {
				task, err := Async(t.Context(), s, oneTask)
				if err != nil {
					t.Fatalf("start %d: %v", i, err)
				}
				if i%2 == 0 {
					_, err = task.Await(t.Context())
				} else {
					_, err = AwaitAll(t.Context(), task)
				}
				if err != nil {
					t.Fatalf("round %d: %v", i, err)
				}
			}
		})
	}
}

func TestAwaitTellsHowTheTaskEnded(t *testing.T) {
	around := Around(func(ctx context.Context, info ChildInfo, next func(context.Context) error) error {
		switch info.Name {
		case "skipped":
			return nil
		case "failed-around":
			panic(errTask)
		}
		return next(ctx)
	})
	for name, c := range map[string]struct {
		fn    func(ctx context.Context) (int, error)
		opts  []StartOption
		value int
		is    error
	}{
		"value":           {fn: func(context.Context) (int, error) { return 7, nil }, value: 7},
		"error":           {fn: func(context.Context) (int, error) { return 0, errTask }, is: errTask},
		"value and error": {fn: func(context.Context) (int, error) { return 7, errTask }, value: 7, is: errTask},
		"panic":           {fn: func(context.Context) (int, error) { panic(errTask) }, is: errTask},
		"goexit":          {fn: func(context.Context) (int, error) { runtime.Goexit(); return 7, nil }, is: ErrGoexit},
		"helper failed": {fn: func(ctx context.Context) (int, error) {
			return 7, Go(ctx, func(context.Context) error { return errTask })
		}, value: 7, is: errTask},
		"lifetime over":        {fn: taskUntilStopped, opts: []StartOption{WithLifetime(time.Second)}, is: ErrTimeout},
		"panic around":         {fn: oneTask, opts: []StartOption{Named("failed-around")}, is: errTask},
		"foreign cancellation": {fn: func(context.Context) (int, error) { return 0, context.Canceled }, is: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				task := mustAsync(t, startPool(t, 1, around), c.fn, c.opts...)
				for range 2 {
					value, err := task.Await(t.Context())
					if value != c.value || !errors.Is(err, c.is) || (err == nil) != (c.is == nil) {
						t.Errorf("Await returned %v, %v; want %v, %v", value, err, c.value, c.is)
					}
				}
			})
		})
	}
	t.Run("not run at all", func(t *testing.T) {
		task := mustAsync(t, startPool(t, 1, around), oneTask, Named("skipped"))
		if _, err := task.Await(t.Context()); err == nil || !strings.Contains(err.Error(), "pool/skipped: no result") {
			t.Errorf("Await returned %v", err)
		}
	})
}

func TestAwaitsContextBoundsTheWaitingOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task := mustAsync(t, startPool(t, 1), func(ctx context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 7, ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := task.Await(ctx); err != context.DeadlineExceeded {
			t.Errorf("Await returned %v, want its context's error", err)
		}
		if value, err := task.Await(t.Context()); value != 7 || err != nil {
			t.Errorf("the second Await returned %v, %v", value, err)
		}
		if value, err := task.Await(ctx); value != 7 || err != nil {
			t.Errorf("with the result there and ctx over, Await returned %v, %v", value, err)
		}
	})
}

func TestTaskShutdownStopsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 2)
		task := mustAsync(t, pool, taskUntilStopped)
		if err := task.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := task.Await(t.Context()); !errors.Is(err, ErrStopped) || !errors.Is(err, context.Canceled) {
			t.Errorf("Await of a task that was shut down returned %v", err)
		}

		within := mustAsync(t, pool, func(ctx context.Context) (int, error) {
			self := childOf(ctx)
			return 7, self.Stop(ctx)
		})
		if _, err := within.Await(t.Context()); !errors.Is(err, ErrWithin) {
			t.Errorf("a stop from inside the task returned %v", err)
		}
	})
}

func TestATaskResultThatRacesWithTheStopWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 1)
		task := mustAsync(t, pool, func(ctx context.Context) (int, error) {
			time.Sleep(time.Minute) // deaf
			return 7, nil
		})
		var stuck *StuckError
		if err := task.Shutdown(t.Context()); !errors.As(err, &stuck) || stuck.Total != 1 {
			t.Errorf("Shutdown of a deaf task returned %v", err)
		}
		if c := pool.Counts(); c.Running != 1 || c.Stuck != 1 {
			t.Errorf("%d running, %d stuck", c.Running, c.Stuck)
		}
		if value, err := task.Await(t.Context()); value != 7 || err != nil {
			t.Errorf("Await returned %v, %v", value, err)
		}
	})
}

func TestATransientTaskGivesTheResultOfItsLastRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 1)
		runs := 0
		task := mustAsync(t, pool, func(context.Context) (int, error) {
			switch runs++; runs {
			case 1:
				return 1, errTask
			case 2:
				panic("again")
			}
			return runs, nil
		}, WithRestart(Transient))
		if value, err := task.Await(t.Context()); value != 3 || err != nil {
			t.Errorf("Await returned %v, %v", value, err)
		}

		runs = 0
		task = mustAsync(t, pool, func(context.Context) (int, error) {
			if runs++; runs == 1 {
				return 9, errTask
			}
			panic(errTask)
		}, WithRestart(Transient))
		if value, err := task.Await(t.Context()); value != 0 || !errors.As(err, new(*PanicError)) {
			t.Errorf("past its budget, Await returned %v, %v", value, err)
		}
	})
}

func TestAwaitAllWaitsForAllAndNumbersTheErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 4)
		var tasks []*Task[int]
		for i := range 4 {
			tasks = append(tasks, mustAsync(t, pool, func(context.Context) (int, error) {
				time.Sleep(time.Duration(4-i) * time.Second)
				if i%2 == 1 {
					return 0, errTask
				}
				return i, nil
			}))
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if values, err := AwaitAll(short, tasks...); values != nil || err != context.DeadlineExceeded {
			t.Errorf("when ctx ends first, AwaitAll returned %v, %v", values, err)
		}
		values, err := AwaitAll(t.Context(), tasks...)
		if !slices.Equal(values, []int{0, 0, 2, 0}) || !errors.Is(err, errTask) || err.Error() != "task 1: boom\ntask 3: boom" {
			t.Errorf("AwaitAll returned %v, %v", values, err)
		}
		if n := pool.Counts().Running; n != 0 {
			t.Errorf("%d run when all results are there", n)
		}
		if values, err := AwaitAll[int](t.Context()); len(values) != 0 || err != nil {
			t.Errorf("AwaitAll of none returned %v, %v", values, err)
		}
	})
}

func TestAsyncTellsWhatIsWrong(t *testing.T) {
	pool := startPool(t, 1)
	var none *DynamicSupervisor
	var noTask *Task[int]
	for name, try := range map[string]func() error{
		"nil fn":                 func() error { _, err := Async[int](t.Context(), pool, nil); return err },
		"nil ctx":                func() error { _, err := Async(nilContext, Starter(pool), oneTask); return err },
		"nil starter":            func() error { _, err := Async(t.Context(), nil, oneTask); return err },
		"nil supervisor":         func() error { _, err := Async(t.Context(), none, oneTask); return err },
		"no key":                 func() error { _, err := Async(t.Context(), Keyed[int]{}, oneTask); return err },
		"permanent":              func() error { _, err := Async(t.Context(), pool, oneTask, WithRestart(Permanent)); return err },
		"await without a task":   func() error { _, err := noTask.Await(t.Context()); return err },
		"shutdown without one":   func() error { return noTask.Shutdown(t.Context()) },
		"await all without one":  func() error { _, err := AwaitAll(t.Context(), noTask); return err },
		"await all without ctx":  func() error { _, err := AwaitAll[int](nilContext); return err },
		"await without a ctx":    func() error { _, err := mustAsync(t, pool, oneTask).Await(nilContext); return err },
		"a start that is no one": func() error { _, err := Async(t.Context(), pool, oneTask, StartOption{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := try(); !errors.As(err, new(*ConfigError)) {
				t.Errorf("got %v, want a ConfigError", err)
			}
		})
	}
}
