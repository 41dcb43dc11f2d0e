package headcount

import (
	"context"
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestMainStopsInOrder(t *testing.T) {
	bubble(t, "at a signal", func(t *testing.T) {
		b := startMain(t, newFakeTree(), MainConfig{})
		b.signals <- syscall.SIGTERM
		b.end(t, 0, "myapp: terminated: stopping within 25s; a second signal ends at once", "myapp: stopped in 0s")
	})
	bubble(t, "at the end of the context", func(t *testing.T) {
		b := startMain(t, newFakeTree(), MainConfig{})
		b.cancel(errors.New("deployed anew"))
		b.end(t, 0, "myapp: deployed anew: stopping")
	})
	bubble(t, "at a signal while it starts", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second) // rolls back
			return &StartError{Path: "myapp/store", Err: ctx.Err()}
		}
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGINT
		b.end(t, 0, "myapp: interrupt: stopping", "stopped in 1s")
		if tree.stops != 1 {
			t.Errorf("stopped %d times", tree.stops)
		}
	})
	bubble(t, "at the end of the context while it starts", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		b := startMain(t, tree, MainConfig{})
		b.cancel(nil)
		b.end(t, 0, "myapp: context canceled: stopping")
	})
	bubble(t, "when the start succeeds although it was asked to end", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(ctx context.Context) error { time.Sleep(time.Minute); return nil }
		b := startMain(t, tree, MainConfig{StopWithin: time.Hour})
		b.signals <- syscall.SIGINT
		b.end(t, 0, "stopped in 1m0s")
		if tree.stops != 1 {
			t.Errorf("stopped %d times", tree.stops)
		}
	})
	bubble(t, "when it ended by itself", func(t *testing.T) {
		b := startMain(t, newFakeTree(), MainConfig{})
		b.tree.ended <- nil
		b.end(t, 0, "myapp: stopped")
	})
	bubble(t, "when it was stopped by others", func(t *testing.T) {
		b := startMain(t, newFakeTree(), MainConfig{})
		b.tree.stop = func(context.Context) error { return ErrNotRunning }
		b.tree.ended <- ErrStopped
		b.end(t, 0, "myapp: stopped")
	})
}

func TestMainTellsWhyTheTreeFailed(t *testing.T) {
	boom := errors.New("boom")
	gaveUp := &IntensityError{Path: "myapp", Child: "store", Restarts: 3, Within: 5 * time.Second, Err: boom}
	bubble(t, "start", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(context.Context) error { return &StartError{Path: "myapp/store", Err: boom} }
		startMain(t, tree, MainConfig{}).end(t, 1, "myapp: start failed: myapp/store: start failed: boom")
	})
	bubble(t, "start, for a reason of its own just when asked to end", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(ctx context.Context) error { <-ctx.Done(); return boom }
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGINT
		b.end(t, 1, "myapp: start failed: boom")
	})
	bubble(t, "gave up", func(t *testing.T) {
		b := startMain(t, newFakeTree(), MainConfig{})
		b.tree.ended <- gaveUp
		b.end(t, 1, "myapp: ended: myapp: gave up: store", "boom")
	})
	bubble(t, "gave up while asked to end", func(t *testing.T) {
		tree := newFakeTree()
		tree.stop = func(context.Context) error { tree.ended <- gaveUp; return nil }
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGINT
		b.end(t, 1, "gave up")
	})
	bubble(t, "gave up and left children", func(t *testing.T) {
		tree := newFakeTree()
		tree.stop = func(context.Context) error { return stuckError("myapp/jobs/1") }
		b := startMain(t, tree, MainConfig{})
		tree.ended <- errors.Join(gaveUp, stuckError("myapp/jobs/1"))
		b.end(t, 1, "gave up", "stuck, left to the end of the process: 1\n  myapp/jobs/1\n")
	})
}

func TestMainNamesStuckChildren(t *testing.T) {
	bubble(t, "at a signal", func(t *testing.T) {
		tree := newFakeTree()
		tree.stop = func(context.Context) error {
			time.Sleep(5 * time.Second)
			return &StuckError{Path: "myapp", Paths: []string{"myapp/jobs/1", "myapp/jobs/2\x1b"}, Total: 7}
		}
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGTERM
		b.end(t, 3, "stuck, left to the end of the process: 7\n  myapp/jobs/1\n  myapp/jobs/2\\x1b\n  and 5 more\n")
	})
	bubble(t, "after the rollback of a start", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(ctx context.Context) error { <-ctx.Done(); return stuckError("myapp/a") }
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGTERM
		b.end(t, 3, "  myapp/a\n")
	})
	bubble(t, "of a tree that ended by itself", func(t *testing.T) {
		tree := newFakeTree()
		tree.stop = func(context.Context) error { return stuckError("myapp/a") }
		b := startMain(t, tree, MainConfig{})
		tree.ended <- stuckError("myapp/a")
		b.end(t, 3, "  myapp/a\n")
	})
}

func TestMainEndsWhenTheTimeIsOver(t *testing.T) {
	bubble(t, "the tree says what is left", func(t *testing.T) {
		tree := newFakeTree()
		tree.stop = func(ctx context.Context) error { <-ctx.Done(); return stuckError("myapp/a") }
		b := startMain(t, tree, MainConfig{StopWithin: 10 * time.Second})
		began := time.Now()
		b.signals <- syscall.SIGTERM
		b.end(t, 3, "  myapp/a\n")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
	bubble(t, "the tree says only that time is over", func(t *testing.T) {
		tree := newFakeTree()
		tree.stop = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGTERM
		b.end(t, 3, "myapp: not stopped within 25s, left to the end of the process:\n  myapp/a: stopping\n")
	})
	bubble(t, "the tree says nothing", func(t *testing.T) {
		tree := newFakeTree()
		hang := make(chan struct{})
		defer close(hang)
		tree.stop = func(context.Context) error { <-hang; return nil }
		b := startMain(t, tree, MainConfig{})
		began := time.Now()
		b.signals <- syscall.SIGTERM
		b.end(t, 3, "myapp: not stopped within 25s, left to the end of the process:\n  myapp/a: stopping\n")
		if took := time.Since(began); took != 26*time.Second {
			t.Errorf("took %v", took)
		}
	})
	bubble(t, "the start does not return", func(t *testing.T) {
		tree := newFakeTree()
		hang := make(chan struct{})
		defer close(hang)
		tree.start = func(context.Context) error { <-hang; return nil }
		b := startMain(t, tree, MainConfig{})
		b.cancel(nil)
		b.end(t, 3, "not stopped within")
	})
}

func TestMainWritesToTheLoggerAndSurvivesItsPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHandler{panics: map[string]bool{"stopping": true}}
		b := startMain(t, newFakeTree(), MainConfig{Logger: slog.New(h)})
		b.signals <- syscall.SIGTERM
		b.end(t, 0)
		if h.count("started path=myapp") != 1 || h.count("stopped path=myapp") != 1 {
			t.Errorf("written: %q", h.written())
		}
	})
}
