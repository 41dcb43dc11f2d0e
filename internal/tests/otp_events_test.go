package tests

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// S54, R4, law 7
func TestEventsTellWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		b.begin = failsOn(2)
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(5))
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{
			Strategy: headcount.OneForAll, Backoff: quick, Intensity: headcount.Intensity{Restarts: 2, Within: time.Minute},
		}, a, b)
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, inner, pool)
		events := top.Events(1000)
		defer events.Close()
		began := time.Now()
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		crashed, err := pool.Go(t.Context(), func(context.Context) error { panic(errBoom) })
		if err != nil {
			t.Fatal(err)
		}
		_ = crashed.Wait(t.Context())
		a.ends(fails) // the group restarts; b fails once
		settle()
		a.ends(fails) // above the budget: inner gives up, and is restarted by top
		settle()
		if err := top.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}

		seen := map[string]int{}
		for _, e := range drain(events) {
			if e.EventTime().Before(began) || e.EventTime().After(time.Now()) || !strings.HasPrefix(e.EventPath(), "top") {
				t.Errorf("out of place or time: %v", e)
			}
			switch e := e.(type) {
			case headcount.ChildFailed:
				seen["failed "+e.Path]++
				if !errors.Is(e.Err, errBoom) && e.Path != "top/inner" {
					t.Errorf("failed without its error: %+v", e)
				}
			case headcount.ChildRestarted:
				seen["restarted "+e.Path]++
			case headcount.StartFailed:
				seen["start failed "+e.Path]++
			case headcount.GroupRestarted:
				seen["group "+e.Path]++
			case headcount.SupervisorGaveUp:
				seen["gave up "+e.Path]++
				var gaveUp *headcount.IntensityError
				if !errors.As(e.Err, &gaveUp) || !errors.Is(e.Err, errBoom) {
					t.Errorf("gave up without the cause: %+v", e)
				}
			case headcount.SupervisorStarted:
				seen["started "+e.Path]++
			case headcount.SupervisorStopped:
				seen["stopped "+e.Path]++
			}
		}
		for what, n := range map[string]int{
			"failed " + crashed.Path():  1,
			"failed top/inner/a":        2,
			"start failed top/inner/b":  1,
			"gave up top/inner":         1,
			"restarted top/inner":       1,
			"started top":               1,
			"started top/inner":         2,
			"stopped top":               1,
			"restarted top/" + "nobody": 0,
		} {
			if seen[what] != n {
				t.Errorf("%q: %d events, want %d", what, seen[what], n)
			}
		}
		if seen["group top/inner"] < 1 {
			t.Error("no event of the group restart")
		}
		if t.Failed() {
			t.Logf("seen: %v", seen)
		}
	})
}

// S54: the log says it too, without anybody having asked.
func TestFailuresAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))}, a)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		a.ends(fails)
		time.Sleep(2 * time.Second)
		if err := top.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if text := log.String(); !strings.Contains(text, "top/a") || !strings.Contains(text, "boom") {
			t.Errorf("the log does not tell of the failure:\n%s", text)
		}
	})
}

// Law 5: a reader that does not read costs events of its own, and they are counted.
func TestASubscriptionIsBoundedAndCountsWhatItDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		lazy, keen := pool.Events(5), pool.Events(1000)
		defer lazy.Close()
		defer keen.Close()
		for range 50 {
			child, err := pool.Go(t.Context(), func(context.Context) error { return errBoom })
			if err != nil {
				t.Fatal(err)
			}
			_ = child.Wait(t.Context())
		}
		all := len(drain(keen))
		if got := len(drain(lazy)); got != 5 || lazy.Dropped() != uint64(all-5) {
			t.Errorf("the full buffer held %d and dropped %d of %d", got, lazy.Dropped(), all)
		}
		if keen.Dropped() != 0 || all < 50 {
			t.Errorf("the large buffer got %d and dropped %d", all, keen.Dropped())
		}
	})
}
