package tests

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// D4, C3
func TestARestartIsNeverRefusedForLackOfRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		pool := newPool(t, 1, headcount.WithBackoff(headcount.Backoff{Min: time.Second, Max: time.Second}),
			headcount.RestartIntensity(1000, time.Second), headcount.Wait(10, time.Hour))
		if _, err := pool.StartChild(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- pool.Do(context.Background(), func(context.Context) error { return nil }) }()
		for i := range 20 {
			a.ends(fails)
			wantRunning(t, pool, 1) // also while it waits for its restart
			time.Sleep(time.Second)
			synctest.Wait()
			if got := int(a.runs.Load()); got != i+2 {
				t.Fatalf("run %d times after %d failures", got, i+1)
			}
		}
		if err := pool.MaxChildren().Set(0, headcount.Change{}); err != nil { // not even then
			t.Fatal(err)
		}
		a.ends(fails)
		time.Sleep(time.Second)
		synctest.Wait()
		if a.alive.Load() != 1 {
			t.Error("a restart was refused by a lowered limit")
		}
		select {
		case err := <-waiting:
			t.Errorf("a start got the slot of a restarting child: %v", err)
		default:
		}
		if err := pool.MaxChildren().Set(2, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		if err := <-waiting; err != nil {
			t.Error(err)
		}
	})
}

// D5: the queue is bounded in length and time.
func TestWaitingIsBoundedInLengthAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1, headcount.Wait(2, time.Second))
		mustGo(t, pool)
		results := make(chan error, 2)
		began := time.Now()
		for range 2 {
			go func() {
				_, err := pool.Go(context.Background(), until)
				results <- err
			}()
		}
		synctest.Wait()
		if n := pool.Counts().Waiting; n != 2 {
			t.Errorf("%d waiting, want 2", n)
		}
		took(t, 0, func() {
			_, err := pool.Go(t.Context(), until)
			wantRefusal(t, err, headcount.ReasonQueueFull, headcount.ErrQueueFull)
		})
		for range 2 {
			wantRefusal(t, <-results, headcount.ReasonWaitTimeout, headcount.ErrWaitTimeout)
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v, want a second", waited)
		}
		c := pool.Counts()
		if c.Waiting != 0 || c.Running != 1 || c.Refused.QueueFull != 1 || c.Refused.WaitTimeout != 2 {
			t.Errorf("got %+v", c)
		}
	})
}

// RA3, O3
func TestAFreedSlotWakesAWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1, headcount.Wait(10, time.Hour))
		holder := mustGo(t, pool)
		var mu sync.Mutex
		var order []int
		for i := range 3 {
			go func() {
				if err := pool.Do(context.Background(), func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, i)
					return nil
				}); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait() // one after the other into the queue
		}
		took(t, 0, func() {
			if err := holder.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		})
		mu.Lock()
		defer mu.Unlock()
		if len(order) != 3 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
			t.Errorf("served %v, want first come, first served", order)
		}
	})
}

// D6, law 3
func TestTheSlotIsFreeWhenTheExitIsSeen(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	pool := newPool(t, 1)
	for name, see := range map[string]func(*headcount.Child){
		"Wait": func(c *headcount.Child) { _ = c.Wait(context.Background()) },
		"Done": func(c *headcount.Child) { <-c.Done() },
		"Stop": func(c *headcount.Child) { _ = c.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range rounds {
				child, err := pool.Go(context.Background(), func(context.Context) error {
					if i%100 == 0 {
						runtime.Gosched()
					}
					return nil
				})
				if err != nil {
					t.Fatalf("start %d: %v", i, err)
				}
				see(child)
			}
		})
	}
	t.Run("Do", func(t *testing.T) {
		for i := range rounds {
			if err := pool.Do(context.Background(), func(context.Context) error { return nil }); err != nil {
				t.Fatalf("start %d: %v", i, err)
			}
		}
	})
}

// D7, law 6
func TestASlowStartDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 10)
		other := mustGo(t, pool)
		started := make(chan error, 1)
		go func() {
			_, err := pool.StartChild(context.Background(), headcount.ChildSpec{AwaitReady: true, Run: func(ctx context.Context) error {
				time.Sleep(10 * time.Second)
				headcount.Ready(ctx)
				return until(ctx)
			}})
			started <- err
		}()
		synctest.Wait()
		took(t, 0, func() {
			mustGo(t, pool)
			if _, err := pool.StartChild(t.Context(), headcount.ChildSpec{Run: until}); err != nil {
				t.Error(err)
			}
			if err := pool.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
				t.Error(err)
			}
			if err := pool.Terminate(t.Context(), other.ID()); err != nil {
				t.Error(err)
			}
			if infos, _ := pool.Children(headcount.Query{}); len(infos) != 3 {
				t.Errorf("%d children listed, want 3", len(infos))
			}
			wantRunning(t, pool, 3)
		})
		if err := <-started; err != nil {
			t.Error(err)
		}
	})
}

// D15, law 6
func TestTerminateBlocksNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		pool := newPool(t, 3)
		a := d.actor("a")
		a.linger = 3 * time.Second
		slow, err := pool.StartChild(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		other := mustGo(t, pool)
		terminated := make(chan error, 1)
		go func() { terminated <- pool.Terminate(context.Background(), slow.ID()) }()
		synctest.Wait()
		took(t, 0, func() {
			mustGo(t, pool)
			if err := pool.Terminate(t.Context(), other.ID()); err != nil {
				t.Error(err)
			}
		})
		if s := slow.Info().State; s != "stopping" {
			t.Errorf("the slow child is %s, want stopping", s)
		}
		wantRunning(t, pool, 2) // cancelling frees nothing (law 2)
		took(t, 3*time.Second, func() {
			if err := <-terminated; err != nil {
				t.Error(err)
			}
			wantRunning(t, pool, 1)
		})
	})
}

// D19, law 2
func TestTheCountSurvivesCrashRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20
		var inside, peak atomic.Int64
		pool := newPool(t, n, headcount.WithBackoff(quick), headcount.RestartIntensity(1000, time.Second))
		crash := make(chan struct{})
		for i := range n {
			if _, err := pool.StartChild(t.Context(), headcount.ChildSpec{Run: func(ctx context.Context) error {
				raise(&peak, inside.Add(1))
				defer inside.Add(-1)
				select {
				case <-crash:
				case <-ctx.Done():
					return ctx.Err()
				}
				switch i % 3 {
				case 0:
					return errBoom
				case 1:
					panic(errBoom)
				}
				runtime.Goexit()
				return nil
			}}); err != nil {
				t.Fatal(err)
			}
		}
		for range 50 * n {
			crash <- struct{}{}
			settle()
			wantRunning(t, pool, n)
		}
		if got := inside.Load(); got != n || peak.Load() != n {
			t.Errorf("%d inside, peak %d, want %d", got, peak.Load(), n)
		}
		_, err := pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		if got := pool.Counts().Restarts; got != 50*n {
			t.Errorf("%d restarts counted, want %d", got, 50*n)
		}
	})
}
