package headcount

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// countTo yields 0 to n-1 and counts what was taken.
func countTo(n int, taken *atomic.Int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			taken.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

func upTo(n int) iter.Seq[int] { return countTo(n, new(atomic.Int64)) }

func oneOf(_ context.Context, i int) (int, error) { return i, nil }

// inside counts who is inside of it, and the most there were at once.
type inside struct{ now, peak atomic.Int64 }

func (i *inside) enter() (leave func()) {
	now := i.now.Add(1)
	for peak := i.peak.Load(); now > peak && !i.peak.CompareAndSwap(peak, now); peak = i.peak.Load() {
	}
	return func() { i.now.Add(-1) }
}

// streamTook fails the test if f does not take exactly so long.
func streamTook(t *testing.T, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if got := time.Since(began); got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

func TestStreamHoldsToConcurrencyAndBuffer(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("unordered %v", unordered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const concurrency, buffer = 4, 10
				var taken atomic.Int64
				var tasks inside
				yielded := 0
				for r := range Stream(t.Context(), startPool(t, 100), countTo(500, &taken), func(_ context.Context, i int) (int, error) {
					defer tasks.enter()()
					time.Sleep(time.Duration(i*7919%13) * time.Second) // some heads are slow
					return i * i, nil
				}, StreamConfig{Concurrency: concurrency, Buffer: buffer, Unordered: unordered}) {
					if r.Err != nil || r.Out != r.In*r.In || r.Index != r.In || !unordered && r.Index != yielded {
						t.Errorf("result %d is %+v", yielded, r)
					}
					yielded++
					if yielded%50 == 0 {
						time.Sleep(time.Minute) // the reader is slow at times
					}
					if ahead := int(taken.Load()) - yielded; ahead > concurrency+buffer {
						t.Errorf("%d elements under way", ahead)
					}
				}
				if yielded != 500 || tasks.peak.Load() != concurrency {
					t.Errorf("%d results, %d tasks at once", yielded, tasks.peak.Load())
				}
			})
		})
	}
}

func TestAnOrderedStreamTakesNoMoreThanItsBufferBehindASlowHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrency, buffer = 3, 5
		var taken atomic.Int64
		head := make(chan struct{})
		done := make(chan int)
		stream := Stream(t.Context(), startPool(t, 100), countTo(1000, &taken), func(_ context.Context, i int) (int, error) {
			if i == 0 {
				<-head
			}
			return i, nil
		}, StreamConfig{Concurrency: concurrency, Buffer: buffer})
		go func() {
			n := 0
			for range stream {
				n++
			}
			done <- n
		}()
		synctest.Wait()
		if n := taken.Load(); n != concurrency+buffer {
			t.Errorf("%d elements taken behind the head, want %d", n, concurrency+buffer)
		}
		close(head)
		if n := <-done; n != 1000 {
			t.Errorf("%d results", n)
		}
	})
}

// A result means that its task's slot is free: with one task of the stream and one slot beside it, what the loop's body
// starts is never refused.
func TestAStreamsSlotIsFreeOnceItsResultIsThere(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	pool := startPool(t, 2)
	for r := range Stream(t.Context(), pool, upTo(rounds), func(_ context.Context, i int) (int, error) { return i, nil }, StreamConfig{Concurrency: 1}) {
		if err := pool.Do(t.Context(), func(context.Context) error { return nil }); err != nil || r.Err != nil {
			t.Fatalf("element %d: %v, start: %v", r.Index, r.Err, err)
		}
	}
}

func TestStreamWaitsForRoomAndIsNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 2)
		holder := mustAsync(t, pool, taskUntilStopped)
		var tasks inside
		time.AfterFunc(4500*time.Millisecond, func() { holder.Child().ask() })
		streamTook(t, 7500*time.Millisecond, func() { // one at a time until then, two afterwards
			for r := range Stream(t.Context(), pool, upTo(10), func(_ context.Context, i int) (int, error) {
				defer tasks.enter()()
				time.Sleep(time.Second)
				return i, nil
			}, StreamConfig{Concurrency: 8}) {
				if r.Err != nil {
					t.Error(r.Err)
				}
			}
		})
		if peak, refused := tasks.peak.Load(), pool.Counts().Refused.Total(); peak != 2 || refused != 0 {
			t.Errorf("%d at once, %d refusals", peak, refused)
		}
	})
}

func TestStreamAtAFullKeyWaitsForItsOwnTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := NewKeyedSupervisor[string]("users", MaxChildren(100), MaxPerKey(2), WithLogger(quiet))
		startForTasks(t, users)
		alice := users.At("alice")
		work := func(_ context.Context, i int) (int, error) {
			time.Sleep(time.Second)
			return i, nil
		}
		streamTook(t, 5*time.Second, func() {
			for r := range Stream(t.Context(), alice, upTo(10), work, StreamConfig{Concurrency: 8}) {
				if r.Err != nil {
					t.Error(r.Err)
				}
			}
		})

		// Others have all of the key: the stream has nothing to wait for, and goes on with the next element.
		for range 2 {
			mustAsync(t, alice, func(context.Context) (int, error) { time.Sleep(time.Minute); return 0, nil })
		}
		var errs []error
		for r := range Stream(t.Context(), alice, upTo(3), work, StreamConfig{}) {
			errs = append(errs, r.Err)
			time.Sleep(31 * time.Second)
		}
		if len(errs) != 3 || !errors.Is(errs[0], ErrMaxPerKey) || !errors.Is(errs[1], ErrMaxPerKey) || errs[2] != nil {
			t.Errorf("results with %v", errs)
		}
	})
}

func TestAStreamsTimeoutYieldsAndTheTaskKeepsItsPlace(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("unordered %v", unordered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := startPool(t, 10)
				events := pool.Events(0)
				defer events.Close()
				began := time.Now()
				var tasks inside
				for r := range Stream(t.Context(), pool, upTo(4), func(ctx context.Context, i int) (int, error) {
					defer tasks.enter()()
					switch i {
					case 0: // deaf
						time.Sleep(10 * time.Second)
						return i, nil
					case 1: // obedient
						if d, ok := ctx.Deadline(); !ok || time.Until(d) != time.Second {
							t.Errorf("deadline %v, %v", d, ok)
						}
						<-ctx.Done()
						if err := ctx.Err(); err != context.DeadlineExceeded {
							t.Errorf("the context ended with %v", err)
						}
						return 0, ctx.Err()
					}
					time.Sleep(600 * time.Millisecond)
					return i, nil
				}, StreamConfig{Concurrency: 2, Timeout: time.Second, Allowance: 2 * time.Second, Unordered: unordered}) {
					if timedOut := r.In < 2; errors.Is(r.Err, ErrTimeout) != timedOut || !timedOut && r.Err != nil {
						t.Errorf("element %d has %v", r.In, r.Err)
					}
					at := []time.Duration{time.Second, time.Second, 1600 * time.Millisecond, 2200 * time.Millisecond}[r.In]
					if got := time.Since(began); got != at {
						t.Errorf("element %d yielded after %v, want %v", r.In, got, at)
					}
					if r.In == 0 && pool.Counts().Running == 0 {
						t.Error("the deaf task lost its slot")
					}
				}
				if tasks.peak.Load() != 2 {
					t.Errorf("%d at once: a task that is over its time keeps its place", tasks.peak.Load())
				}
				if got, c := time.Since(began), pool.Counts(); got != 3*time.Second || c.Stuck != 1 || c.Running != 1 {
					t.Errorf("ended after %v with %d stuck of %d", got, c.Stuck, c.Running)
				}
				time.Sleep(10 * time.Second)
				var kinds []string
				for len(events.C()) > 0 {
					kinds = append(kinds, fmt.Sprintf("%T", <-events.C()))
				}
				if want := []string{"headcount.ChildStuck", "headcount.ChildUnstuck"}; !slices.Equal(kinds, want) || pool.Counts().Running != 0 {
					t.Errorf("events %v, want %v", kinds, want)
				}
			})
		})
	}
}

func TestAFailedTaskIsOneResultAndNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 10, Around(func(ctx context.Context, info ChildInfo, next func(context.Context) error) error {
			if info.ID == 0 {
				t.Error("no id")
			}
			if v, _ := ctx.Value(taskKey{}).(string); v == "around" {
				panic(errTask) // fn is not reached
			}
			return next(ctx)
		}))
		var mu sync.Mutex
		tries := make(map[string]int)
		run := func(in string, opts ...StartOption) (results []Result[string, string]) {
			for r := range Stream(t.Context(), pool, slices.Values([]string{"fine", in, "fine"}), func(_ context.Context, in string) (string, error) {
				mu.Lock()
				tries[in]++
				n := tries[in]
				mu.Unlock()
				switch {
				case in == "error", in == "twice" && n < 2:
					return "", errTask
				case in == "panic":
					panic(errTask)
				case in == "goexit":
					runtime.Goexit()
				}
				return in, nil
			}, StreamConfig{Concurrency: 1, Options: opts}) {
				results = append(results, r)
			}
			return results
		}
		for in, want := range map[string]error{"error": errTask, "panic": errTask, "goexit": ErrGoexit} {
			r := run(in)
			if len(r) != 3 || r[0].Err != nil || !errors.Is(r[1].Err, want) || r[1].In != in || r[2].Err != nil || r[2].Out != "fine" {
				t.Errorf("%s: %+v", in, r)
			}
		}
		if r := run("twice", WithRestart(Transient)); len(r) != 3 || r[1].Err != nil || r[1].Out != "twice" {
			t.Errorf("a task that is run again: %+v", r)
		}
		if r := run("any", WithValues(context.WithValue(t.Context(), taskKey{}, "around"))); len(r) != 3 || !errors.Is(r[1].Err, errTask) {
			t.Errorf("a panic around: %+v", r)
		}
	})
}

type taskKey struct{}

func TestStreamsWithinChildrenOfTheSameSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := startPool(t, 3)
		sum := func(ctx context.Context) (sum int, err error) {
			for r := range Stream(ctx, pool, upTo(10), oneOf, StreamConfig{Concurrency: 4}) {
				sum += r.Out
				err = errors.Join(err, r.Err)
			}
			return sum, err
		}
		if got, err := AwaitAll(t.Context(), mustAsync(t, pool, sum), mustAsync(t, pool, sum)); err != nil || !slices.Equal(got, []int{45, 45}) {
			t.Errorf("%v, %v", got, err)
		}
		// With no slot beside its own it waits until it is stopped.
		pool.MaxChildren().Set(1, Change{})
		task := mustAsync(t, pool, sum)
		synctest.Wait()
		streamTook(t, 0, func() {
			if err := task.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
		if got, err := task.Await(t.Context()); got != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// Many streams over one supervisor, whose limit changes, with all that can become of a task.
func TestStreamsAtTheLimitUnderLoad(t *testing.T) {
	pool := startPool(t, 4)
	var tasks inside
	var wg sync.WaitGroup
	for reader := range 8 {
		wg.Go(func() {
			cfg := StreamConfig{Concurrency: 1 + reader, Unordered: reader%2 == 0, Timeout: time.Minute * time.Duration(reader%3)}
			for round := range 40 {
				seen := 0
				for r := range Stream(t.Context(), pool, upTo(50), func(ctx context.Context, i int) (int, error) {
					defer tasks.enter()()
					switch i % 10 {
					case 3:
						panic(errTask)
					case 5:
						runtime.Gosched()
					case 7:
						return 0, Go(ctx, func(context.Context) error { runtime.Gosched(); return nil })
					}
					return i, nil
				}, cfg) {
					if failed := r.In%10 == 3; (r.Err != nil) != failed || !cfg.Unordered && r.Index != seen {
						t.Errorf("result %d is %+v", seen, r)
					}
					if seen++; seen == 20 && round%4 == 0 {
						break
					}
				}
				if seen != 50 && round%4 != 0 {
					t.Errorf("%d results", seen)
				}
			}
		})
	}
	for i := range 100 {
		pool.MaxChildren().Set(1+i%4, Change{})
		runtime.Gosched()
	}
	pool.MaxChildren().Set(4, Change{})
	wg.Wait()
	if peak, c := tasks.peak.Load(), pool.Counts(); peak > 4 || c.Running != 0 || c.Waiting != 0 {
		t.Errorf("%d at once with a limit of 4; %d run, %d wait", peak, c.Running, c.Waiting)
	}
}

func TestStreamTellsWhatIsWrong(t *testing.T) {
	pool := startPool(t, 1)
	in := upTo(3)
	for name, stream := range map[string]iter.Seq[Result[int, int]]{
		"nil ctx":         Stream(nilContext, Starter(pool), in, oneOf, StreamConfig{}),
		"nil starter":     Stream(t.Context(), nil, in, oneOf, StreamConfig{}),
		"no key":          Stream(t.Context(), Keyed[int]{}, in, oneOf, StreamConfig{}),
		"nil input":       Stream(t.Context(), pool, nil, oneOf, StreamConfig{}),
		"nil fn":          Stream[int, int](t.Context(), pool, in, nil, StreamConfig{}),
		"concurrency":     Stream(t.Context(), pool, in, oneOf, StreamConfig{Concurrency: -1}),
		"buffer":          Stream(t.Context(), pool, in, oneOf, StreamConfig{Buffer: -1}),
		"timeout":         Stream(t.Context(), pool, in, oneOf, StreamConfig{Timeout: -1}),
		"allowance":       Stream(t.Context(), pool, in, oneOf, StreamConfig{Allowance: -3}),
		"permanent tasks": Stream(t.Context(), pool, in, oneOf, StreamConfig{Options: []StartOption{WithRestart(Permanent)}}),
		"a bad option":    Stream(t.Context(), pool, in, oneOf, StreamConfig{Options: []StartOption{{}}}),
	} {
		t.Run(name, func(t *testing.T) {
			results := slices.Collect(stream)
			if len(results) != 1 || !errors.As(results[0].Err, new(*ConfigError)) {
				t.Errorf("results %+v", results)
			}
		})
	}
	t.Run("unlimited is right", func(t *testing.T) {
		n := 0
		for range Stream(t.Context(), pool, in, oneOf, StreamConfig{Concurrency: Unlimited, Buffer: Unlimited}) {
			n++
		}
		if n != 3 {
			t.Errorf("%d results", n)
		}
	})
}
