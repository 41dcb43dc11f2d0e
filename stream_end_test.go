package headcount

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// However the loop is left, its tasks are cancelled, and all of them together are waited for one allowance.
func TestLeavingAStreamStopsItsTasks(t *testing.T) {
	for name, leave := range map[string]func(loop func(body func())){
		"break":  func(loop func(func())) { loop(nil) },
		"panic":  func(loop func(func())) { defer func() { _ = recover() }(); loop(func() { panic(errTask) }) },
		"goexit": func(loop func(func())) { var wg sync.WaitGroup; wg.Go(func() { loop(runtime.Goexit) }); wg.Wait() },
	} {
		for _, deaf := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s, %d deaf", name, deaf), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					pool := startPool(t, 100)
					sibling := mustAsync(t, pool, taskUntilStopped)
					release := make(chan struct{})
					var taken atomic.Int64
					var cleaned bool
					in := func(yield func(int) bool) {
						defer func() { cleaned = true }()
						countTo(1000, &taken)(yield)
					}
					want := time.Second
					if deaf > 0 {
						want += 5 * time.Second
					}
					streamTook(t, want, func() {
						leave(func(body func()) {
							for range Stream(t.Context(), pool, in, func(ctx context.Context, i int) (int, error) {
								switch {
								case i == 0:
									time.Sleep(time.Second) // all places are taken by then
									return i, nil
								case i <= deaf:
									<-release
									return i, nil
								}
								return taskUntilStopped(ctx)
							}, StreamConfig{Concurrency: 6}) {
								if body == nil {
									break
								}
								body()
							}
						})
					})
					if c := pool.Counts(); c.Running != 1+deaf || c.Stuck != deaf {
						t.Errorf("%d running, %d stuck", c.Running, c.Stuck)
					}
					if s := sibling.Child().Info().State; s != StateRunning {
						t.Errorf("a child that is none of the stream's is %s", s)
					}
					if n := taken.Load(); n > 7 || !cleaned {
						t.Errorf("%d elements taken, the input has ended: %v", n, cleaned)
					}
					close(release)
				})
			})
		}
	}
}

func TestAStreamsContextEndsItWithALastResult(t *testing.T) {
	for name, limit := range map[string]int{"tasks run": 10, "waiting for room": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := startPool(t, limit)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				var results []Result[int, int]
				streamTook(t, time.Second, func() {
					for r := range Stream(ctx, pool, upTo(1000), func(ctx context.Context, _ int) (int, error) { return taskUntilStopped(ctx) }, StreamConfig{}) {
						results = append(results, r)
						if n := pool.Counts().Running; n != 0 {
							t.Errorf("%d tasks run at the last result", n)
						}
					}
				})
				if len(results) != 1 || results[0].Index != -1 || results[0].Err != context.DeadlineExceeded {
					t.Errorf("results %+v", results)
				}
			})
		})
	}
	t.Run("the input is slow and the body too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pool := startPool(t, 10)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var ended time.Time
			in := func(yield func(int) bool) {
				if yield(0) {
					<-ctx.Done() // so that the input is at its end
					time.Sleep(time.Minute)
				}
			}
			var last Result[int, int]
			for last = range Stream(ctx, pool, in, func(ctx context.Context, _ int) (int, error) {
				defer func() { ended = time.Now() }()
				return taskUntilStopped(ctx)
			}, StreamConfig{}) {
			}
			if d, _ := ctx.Deadline(); !ended.Equal(d) {
				t.Errorf("the task was cancelled %v after ctx", ended.Sub(d))
			}
			if last.Index != -1 || last.Err != context.DeadlineExceeded {
				t.Errorf("the last result is %+v: the input may have ended early", last)
			}
		})
	})
	t.Run("the input has ended because of it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var results []Result[int, int]
			for r := range Stream(ctx, startPool(t, 10), func(func(int) bool) { <-ctx.Done() }, oneOf, StreamConfig{}) {
				results = append(results, r)
			}
			if len(results) != 1 || results[0].Index != -1 || results[0].Err != context.DeadlineExceeded {
				t.Errorf("results %+v: the input may have been longer", results)
			}
		})
	})
	t.Run("everything was yielded", func(t *testing.T) {
		pool := startPool(t, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		for r := range Stream(ctx, pool, upTo(3), oneOf, StreamConfig{Concurrency: 8}) {
			if n++; n == 3 {
				cancel()
			}
			if r.Err != nil {
				t.Error(r.Err)
			}
		}
		if n != 3 {
			t.Errorf("%d results", n)
		}
	})
}

func TestTheSupervisorsStopEndsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 2)
		time.AfterFunc(time.Second, func() { pool.Stop(context.Background()) })
		var results []Result[int, int]
		for r := range Stream(t.Context(), pool, upTo(1000), func(ctx context.Context, _ int) (int, error) { return taskUntilStopped(ctx) }, StreamConfig{Concurrency: 4}) {
			results = append(results, r)
		}
		for i, r := range results {
			if r.Index != i || !errors.Is(r.Err, ErrStopped) {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		if len(results) != 3 { // two that ran and the one that could not be started
			t.Errorf("%d results", len(results))
		}
	})
}

func TestAPanicInTheInputReachesTheReaderAfterTheTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 10)
		defer func() {
			if v := recover(); v != errTask {
				t.Errorf("recovered %v", v)
			}
			if n := pool.Counts().Running; n != 0 {
				t.Errorf("%d tasks run on", n)
			}
		}()
		in := func(yield func(int) bool) {
			yield(0)
			panic(errTask)
		}
		for range Stream(t.Context(), pool, in, func(ctx context.Context, _ int) (int, error) { return taskUntilStopped(ctx) }, StreamConfig{Concurrency: 3}) {
			t.Error("a result")
		}
	})
}

// Counted from outside: while tasks of a stream run and while they are stuck, no other goroutine stands beside them.
func TestAStreamNeedsNoGoroutineBesideItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 100)
		synctest.Wait()
		before := goroutinesInBubble(t)
		release := make(chan struct{})
		for range Stream(t.Context(), pool, upTo(50), func(_ context.Context, i int) (int, error) {
			if i == 0 {
				time.Sleep(time.Second)
				return i, nil
			}
			<-release
			return i, nil
		}, StreamConfig{Concurrency: 50, Timeout: time.Hour}) {
			synctest.Wait()
			if n := goroutinesInBubble(t) - before; n != 49 {
				t.Errorf("%d goroutines for 49 tasks", n)
			}
			break
		}
		synctest.Wait()
		if n := goroutinesInBubble(t) - before; n != 49 {
			t.Errorf("%d goroutines for 49 stuck tasks", n)
		}
		close(release)
		synctest.Wait()
		if n := goroutinesInBubble(t) - before; n != 0 {
			t.Errorf("%d goroutines left", n)
		}
	})
}

// goroutinesInBubble counts the goroutines of the test's bubble: others come and go.
func goroutinesInBubble(t *testing.T) int {
	t.Helper()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	own, _, _ := bytes.Cut(stacks, []byte("]:\n")) // the caller's comes first
	_, bubble, ok := bytes.Cut(own, []byte("synctest bubble "))
	if !ok {
		t.Fatalf("no bubble in %q", own)
	}
	return bytes.Count(stacks, fmt.Appendf(nil, "synctest bubble %s]:\n", bubble))
}
