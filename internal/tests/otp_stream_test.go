package tests

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// numbers yields 0 to n-1 and counts how many were taken.
func numbers(n int, pulled *atomic.Int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			pulled.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

// consume reads a stream on a goroutine of its own.
func consume[In, Out any](stream iter.Seq[headcount.Result[In, Out]]) (results *[]headcount.Result[In, Out], done chan struct{}) {
	results, done = new([]headcount.Result[In, Out]), make(chan struct{})
	go func() {
		defer close(done)
		for r := range stream {
			*results = append(*results, r)
		}
	}()
	return results, done
}

// T7
func TestStreamPullsLazily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrency = 3
		pool := newPool(t, 100)
		var pulled, inside, peak atomic.Int64
		step := make(chan struct{})
		results, done := consume(headcount.Stream(t.Context(), pool, numbers(20, &pulled), func(_ context.Context, i int) (int, error) {
			raise(&peak, inside.Add(1))
			defer inside.Add(-1)
			<-step
			return i * i, nil
		}, headcount.StreamConfig{Concurrency: concurrency, Unordered: true}))
		for finished := int64(0); finished < 20; finished++ {
			synctest.Wait()
			if got, most := pulled.Load(), min(finished+concurrency+1, 20); got > most {
				t.Errorf("%d inputs taken after %d results, want at most %d", got, finished, most)
			}
			step <- struct{}{}
		}
		<-done
		if len(*results) != 20 || peak.Load() != concurrency {
			t.Errorf("%d results, %d at once, want 20 and %d", len(*results), peak.Load(), concurrency)
		}
	})
}

// T8
func TestStreamTimeoutIsPerTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 2)
		release := make(chan struct{})
		var pulled, late atomic.Int64
		results, done := consume(headcount.Stream(t.Context(), pool, numbers(6, &pulled), func(ctx context.Context, i int) (int, error) {
			switch i {
			case 2: // obeys its context
				<-ctx.Done()
				return 0, ctx.Err()
			case 3: // does not
				<-release
				late.Add(1)
				return 0, nil
			}
			time.Sleep(900 * time.Millisecond) // three of them in turn take longer than one timeout
			return i, nil
		}, headcount.StreamConfig{Concurrency: 2, Timeout: time.Second}))
		<-done
		for i, r := range *results {
			timedOut := i == 2 || i == 3
			if errors.Is(r.Err, headcount.ErrTimeout) != timedOut || r.Index != i || r.In != i {
				t.Errorf("result %d is %+v; want a timeout: %v", i, r, timedOut)
			}
		}
		if len(*results) != 6 {
			t.Errorf("%d results, want 6", len(*results))
		}
		wantRunning(t, pool, 1) // the one that does not obey keeps its slot
		close(release)
		synctest.Wait()
		wantRunning(t, pool, 0)
	})
}

// T9, law 5
func TestAnOrderedStreamIsBoundedBehindASlowHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrency, buffer = 4, 10
		pool := newPool(t, 100)
		var pulled, finished atomic.Int64
		head := make(chan struct{})
		results, done := consume(headcount.Stream(t.Context(), pool, numbers(1000, &pulled), func(_ context.Context, i int) (int, error) {
			if i == 0 {
				<-head
			}
			finished.Add(1)
			return i, nil
		}, headcount.StreamConfig{Concurrency: concurrency, Buffer: buffer}))
		synctest.Wait()
		if n := finished.Load(); n > concurrency+buffer {
			t.Errorf("%d results wait behind the head, want at most %d", n, concurrency+buffer)
		}
		if n := pulled.Load(); n > concurrency+buffer+1 {
			t.Errorf("%d inputs taken, want at most %d", n, concurrency+buffer+1)
		}
		close(head)
		<-done
		if len(*results) != 1000 || !slices.IsSortedFunc(*results, func(a, b headcount.Result[int, int]) int { return a.Index - b.Index }) {
			t.Errorf("%d results, want 1000 in order", len(*results))
		}
	})
}

// T9
func TestAnUnorderedStreamDeliversAsTheyFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 100)
		var pulled atomic.Int64
		var order []int
		for r := range headcount.Stream(t.Context(), pool, numbers(4, &pulled), func(_ context.Context, i int) (int, error) {
			time.Sleep(time.Duration(4-i) * time.Second)
			return i, nil
		}, headcount.StreamConfig{Concurrency: 4, Unordered: true}) {
			order = append(order, r.Out)
		}
		if !slices.Equal(order, []int{3, 2, 1, 0}) {
			t.Errorf("delivered %v", order)
		}
	})
}

// T10
func TestStreamResultsCarryInputAndError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 100)
		inputs := []string{"fine", "error", "panic", "goexit", "fine"}
		i := 0
		for r := range headcount.Stream(t.Context(), pool, slices.Values(inputs), func(_ context.Context, in string) (string, error) {
			switch in {
			case "error":
				return "", errBoom
			case "panic":
				panic(errBoom)
			case "goexit":
				return "", goexits()
			}
			return in + " too", nil
		}, headcount.StreamConfig{Concurrency: 1}) {
			want := map[string]error{"fine": nil, "error": errBoom, "panic": errBoom, "goexit": headcount.ErrGoexit}[r.In]
			if r.Index != i || r.In != inputs[i] || !errors.Is(r.Err, want) || want == nil && r.Out != "fine too" {
				t.Errorf("result %d is %+v", i, r)
			}
			i++
		}
		if i != len(inputs) {
			t.Errorf("%d results, want %d", i, len(inputs))
		}
	})
}

// T11
func TestBreakingOutOfAStreamStopsItsTasks(t *testing.T) {
	for name, deaf := range map[string]bool{"obedient": false, "one is deaf": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, 100)
				other := mustGo(t, pool)
				var pulled, inside atomic.Int64
				release, deafIsIn := make(chan struct{}), make(chan struct{})
				want := time.Duration(0)
				if deaf {
					want = 2 * time.Second // one allowance
				}
				took(t, want, func() {
					for r := range headcount.Stream(t.Context(), pool, numbers(1000, &pulled), func(ctx context.Context, i int) (int, error) {
						inside.Add(1)
						defer inside.Add(-1)
						switch {
						case i == 0:
							if deaf {
								<-deafIsIn
							}
							return i, nil
						case i == 2 && deaf:
							close(deafIsIn)
							<-release
							return i, nil
						}
						return i, until(ctx)
					}, headcount.StreamConfig{Concurrency: 4, Allowance: 2 * time.Second}) {
						if r.Index == 0 {
							break
						}
					}
				})
				left := 0
				if deaf {
					left = 1
				}
				if n := int(inside.Load()); n != left {
					t.Errorf("%d tasks run after the loop, want %d", n, left)
				}
				if c := pool.Counts(); c.Running != 1+left || c.Stuck != left {
					t.Errorf("%d running, %d stuck; want %d and %d", c.Running, c.Stuck, 1+left, left)
				}
				if s := other.Info().State; s != "running" {
					t.Errorf("a child that is not of the stream is %s", s)
				}
				if n := pulled.Load(); n > 6 {
					t.Errorf("%d inputs taken", n)
				}
				close(release)
			})
		})
	}
}

// T12, C4
func TestAStreamWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 2)
		holder := mustGo(t, pool)
		var pulled, inside, peak atomic.Int64
		work := func(_ context.Context, i int) (int, error) {
			raise(&peak, inside.Add(1))
			defer inside.Add(-1)
			time.Sleep(time.Second)
			return i, nil
		}
		results, done := consume(headcount.Stream(t.Context(), pool, numbers(10, &pulled), work, headcount.StreamConfig{Concurrency: 8}))
		time.Sleep(5*time.Second + time.Millisecond)
		if n := peak.Load(); n != 1 {
			t.Errorf("%d at once with one free slot", n)
		}
		if err := holder.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-done
		for i, r := range *results {
			if r.Err != nil || r.Out != i {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		if len(*results) != 10 || peak.Load() != 2 {
			t.Errorf("%d results, %d at once, want 10 and 2", len(*results), peak.Load())
		}
	})
}

// T13
func TestAStreamEndsWithItsContext(t *testing.T) {
	for name, limit := range map[string]int{"running": 10, "waiting for room": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, limit)
				ctx, cancel := context.WithCancel(context.Background())
				var pulled, inside atomic.Int64
				_, done := consume(headcount.Stream(ctx, pool, numbers(1_000_000, &pulled), func(ctx context.Context, i int) (int, error) {
					inside.Add(1)
					defer inside.Add(-1)
					return i, until(ctx)
				}, headcount.StreamConfig{Concurrency: 4}))
				synctest.Wait()
				took(t, 0, func() {
					cancel()
					<-done
				})
				if n := inside.Load(); n != 0 {
					t.Errorf("%d tasks run on", n)
				}
				if n := pulled.Load(); n > 6 {
					t.Errorf("%d inputs taken", n)
				}
			})
		})
	}
}
