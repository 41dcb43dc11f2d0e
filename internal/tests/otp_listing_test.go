package tests

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// D17, law 9
func TestListingComesInPagesOfRisingIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		pool := newPool(t, 2*n)
		alive := map[uint64]bool{}
		var doomed []*headcount.Child
		for i := range n {
			child := mustGo(t, pool, headcount.Named(fmt.Sprintf("c%d", i%2)))
			if i%10 == 0 {
				doomed = append(doomed, child)
			} else {
				alive[child.ID()] = true
			}
		}
		var last uint64
		pages := 0
		for after := uint64(0); ; {
			infos, next := pool.Children(headcount.Query{After: after, Limit: 64})
			if len(infos) > 64 {
				t.Fatalf("a page of %d, want at most 64", len(infos))
			}
			for _, info := range infos {
				if info.ID <= last {
					t.Fatalf("id %d after %d", info.ID, last)
				}
				last = info.ID
				delete(alive, info.ID) // seen; rising ids make it once
			}
			if pages++; next == 0 {
				break
			}
			after = next
			if len(doomed) > 0 { // children come and go between the pages
				if err := doomed[len(doomed)-1].Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				doomed = doomed[:len(doomed)-1]
			}
			mustGo(t, pool)
		}
		if len(alive) != 0 || pages < n/64 {
			t.Errorf("%d children that lived throughout were not seen in %d pages", len(alive), pages)
		}
		infos, _ := pool.Children(headcount.Query{Limit: 5, Match: func(i headcount.ChildInfo) bool { return i.Name == "c1" }})
		if len(infos) != 5 {
			t.Errorf("%d matches, want 5", len(infos))
		}
		for _, info := range infos {
			if info.Name != "c1" {
				t.Errorf("%s matched", info.Name)
			}
		}
	})
}

// S22, D17
func TestCountsOfADynamicSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		pool := newPool(t, 5, headcount.WithBackoff(longBackoff))
		for _, x := range []*actor{a, b} {
			if _, err := pool.StartChild(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		how := map[string]func() error{"normal": finishes, "error": fails, "panic": panics, "goexit": goexits}
		for _, f := range how {
			child, err := pool.Go(t.Context(), func(context.Context) error { return f() })
			if err != nil {
				t.Fatal(err)
			}
			_ = child.Wait(t.Context())
		}
		if err := mustGo(t, pool).Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.backsOff()
		c := pool.Counts()
		if c.Limit != 5 || c.Running != 2 || c.Restarting != 1 || c.Stuck != 0 || c.Waiting != 0 || c.Peak != 3 {
			t.Errorf("got %+v; want limit 5, a and b, a of them restarting, peak 3", c)
		}
		if e := c.Exits; e != (headcount.ExitCounts{Normal: 1, Error: 1, Panic: 1, Goexit: 1, Stopped: 1}) {
			t.Errorf("exits %+v; want one of each kind: a goes on", e)
		}
		time.Sleep(time.Hour)
		if c := pool.Counts(); c.Started != 7 || c.Restarts != 2 || c.Restarting != 0 {
			t.Errorf("%d started, %d restarts, %d restarting; want 7, 2 and 0", c.Started, c.Restarts, c.Restarting)
		}
	})
}

// S55
func TestAHundredThousandChildrenStartAndStop(t *testing.T) {
	if testing.Short() {
		t.Skip("large")
	}
	const n = 100_000
	pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(n))
	if err := pool.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	var inside atomic.Int64
	run := func(ctx context.Context) error {
		inside.Add(1)
		defer inside.Add(-1)
		return until(ctx)
	}
	for range n {
		if _, err := pool.Go(context.Background(), run); err != nil {
			t.Fatal(err)
		}
	}
	for inside.Load() != n {
		runtime.Gosched()
	}
	if _, err := pool.Go(context.Background(), run); !errors.Is(err, headcount.ErrMaxChildren) {
		t.Errorf("start %d returned %v", n+1, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := pool.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if left := inside.Load(); left != 0 {
		t.Errorf("%d children run after the stop", left)
	}
}
