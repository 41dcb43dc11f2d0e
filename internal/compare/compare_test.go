package compare

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// What the libraries log of the crashes is not what is tested here.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

type pool interface {
	start() error
	handle(w work) error
	stop(ctx context.Context) error
}

const limit = 4

// inEach runs a test with the program in each library.
func inEach(t *testing.T, test func(t *testing.T, p pool)) {
	for name, p := range map[string]pool{
		"headcount": newHeadcountPool(limit),
		"suture":    newSuturePool(limit),
		"errgroup":  newErrgroupPool(limit),
		"ants":      newAntsPool(limit),
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			if err := p.start(); err != nil {
				t.Fatal(err)
			}
			test(t, p)
		})
	}
}

// stop stops the program once; only Headcount's Stop may be repeated.
func stop(t *testing.T, p pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := p.stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// soon waits until a request is taken: the slot of a worker that has returned may come free a little later.
func soon(t *testing.T, p pool, w work) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := p.handle(w)
		if err == nil {
			return
		}
		if !errors.Is(err, errFull) || time.Now().After(deadline) {
			t.Fatalf("handle: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTheFifthRequestIsRefusedUntilAWorkerHasReturned(t *testing.T) {
	inEach(t, func(t *testing.T, p pool) {
		defer stop(t, p)
		var running atomic.Int32
		release := make(chan struct{})
		waits := func(ctx context.Context) error {
			running.Add(1)
			defer running.Add(-1)
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for range limit {
			soon(t, p, waits)
		}
		for range 100 {
			if err := p.handle(waits); !errors.Is(err, errFull) {
				t.Fatalf("a request above the limit: %v", err)
			}
		}
		close(release)
		done := make(chan struct{})
		soon(t, p, func(context.Context) error { close(done); return nil })
		<-done
	})
}

func TestACrashIsTriedAgainAndHurtsNobody(t *testing.T) {
	inEach(t, func(t *testing.T, p pool) {
		defer stop(t, p)
		var tries atomic.Int32
		sibling := make(chan struct{})
		soon(t, p, func(ctx context.Context) error {
			defer close(sibling)
			<-ctx.Done()
			return ctx.Err()
		})
		worked := make(chan struct{})
		soon(t, p, func(context.Context) error {
			switch tries.Add(1) {
			case 1:
				panic("crash")
			case 2:
				return errors.New("failure")
			}
			close(worked)
			return nil
		})
		<-worked
		if n := tries.Load(); n != 3 {
			t.Errorf("tried %d times, want 3", n)
		}
		select {
		case <-sibling:
			t.Error("a crash ended a sibling")
		default:
		}
	})
}

func TestStopEndsTheWorkersAndWaitsForThem(t *testing.T) {
	inEach(t, func(t *testing.T, p pool) {
		var ended atomic.Int32
		for range limit {
			soon(t, p, func(ctx context.Context) error {
				defer ended.Add(1)
				<-ctx.Done()
				time.Sleep(20 * time.Millisecond) // the last work of a worker
				return ctx.Err()
			})
		}
		stop(t, p)
		if n := ended.Load(); n != limit {
			t.Errorf("%d workers had ended when stop returned, want %d", n, limit)
		}
		if err := p.handle(func(context.Context) error { t.Error("ran after the stop"); return nil }); err == nil {
			t.Error("a request after the stop was taken")
		}
	})
}

func TestThePageShowsThisCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/coming-from.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"headcount.go", "suture.go", "errgroup.go", "ants.go", "again.go", "pool.ex"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := string(source)
		if _, body, found := strings.Cut(code, "\n)\n\n"); found { // after package and imports
			code = body
		}
		if !strings.Contains(string(page), strings.TrimSpace(code)+"\n```") {
			t.Errorf("docs/coming-from.md does not show %s as it is", file)
		}
	}
}
