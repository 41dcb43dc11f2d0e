package headcount

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTree is a tree whose calls do as they are told. Without that, Start
// succeeds, Stop ends the tree, and Wait returns its end.
type fakeTree struct {
	start, stop func(ctx context.Context) error
	ended       chan error // what Wait returns
	stops       int
}

func newFakeTree() *fakeTree { return &fakeTree{ended: make(chan error, 1)} }

func (f *fakeTree) Path() string { return "myapp" }

func (f *fakeTree) Start(ctx context.Context) error {
	if f.start != nil {
		return f.start(ctx)
	}
	return nil
}

func (f *fakeTree) Stop(ctx context.Context) error {
	f.stops++
	if f.stop != nil {
		return f.stop(ctx)
	}
	select {
	case f.ended <- nil:
	default:
	}
	return nil
}

func (f *fakeTree) Wait(ctx context.Context) error {
	select {
	case err := <-f.ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mainBundle is one run of Main over a fake tree, in a synctest bubble.
type mainBundle struct {
	tree    *fakeTree
	signals chan os.Signal
	cancel  context.CancelCauseFunc
	output  bytes.Buffer
	code    chan int
}

func startMain(t *testing.T, tree *fakeTree, cfg MainConfig) *mainBundle {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	b := &mainBundle{tree: tree, signals: make(chan os.Signal, 2), cancel: cancel, code: make(chan int, 1)}
	cfg.Signals, cfg.Output = b.signals, &b.output
	go func() {
		b.code <- runMain(ctx, tree, func() error { return nil }, func() []string { return []string{"myapp/a: stopping"} }, cfg)
	}()
	synctest.Wait()
	return b
}

// end waits for Main to return and checks the code and what was told.
func (b *mainBundle) end(t *testing.T, code int, told ...string) {
	t.Helper()
	if got := <-b.code; got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	for _, text := range told {
		if !strings.Contains(b.output.String(), text) {
			t.Errorf("the output does not tell %q:\n%s", text, b.output.String())
		}
	}
}

func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func stuckError(paths ...string) error {
	return &StuckError{Path: "myapp", Paths: paths, Total: len(paths)}
}

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

func TestMainEndsAtOnceAtASecondSignal(t *testing.T) {
	hangingStop := func() *fakeTree {
		tree := newFakeTree()
		tree.stop = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		return tree
	}
	for _, c := range []struct {
		name string
		sig  os.Signal
		code int
	}{{"SIGINT", syscall.SIGINT, 130}, {"SIGTERM", syscall.SIGTERM, 143}, {"of another kind", fakeSignal{}, 143}} {
		bubble(t, c.name, func(t *testing.T) {
			b := startMain(t, hangingStop(), MainConfig{})
			began := time.Now()
			b.signals <- syscall.SIGTERM
			b.signals <- c.sig
			b.end(t, c.code, ": ending at once")
			if took := time.Since(began); took != 0 {
				t.Errorf("took %v", took)
			}
		})
	}
	bubble(t, "while it starts", func(t *testing.T) {
		tree := newFakeTree()
		tree.start = func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return ctx.Err() }
		b := startMain(t, tree, MainConfig{})
		b.signals <- syscall.SIGINT
		b.signals <- syscall.SIGINT
		b.end(t, 130)
		time.Sleep(time.Minute) // let the start return
	})
	bubble(t, "counting signals, not the end of the context", func(t *testing.T) {
		b := startMain(t, hangingStop(), MainConfig{})
		b.cancel(nil)
		synctest.Wait()
		b.signals <- syscall.SIGINT // the same key press may have ended the context
		synctest.Wait()
		if len(b.code) != 0 {
			t.Fatal("the first signal ended it")
		}
		b.signals <- syscall.SIGINT
		b.end(t, 130, "interrupt: stopping already")
	})
}

func TestMainHearsTheSignalsOfTheProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send itself a signal there")
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	tree := newFakeTree()
	tree.start = func(context.Context) error { return self.Signal(syscall.SIGTERM) }
	var out bytes.Buffer
	code := runMain(t.Context(), tree, func() error { return nil }, nil, MainConfig{Output: &out})
	if code != 0 || !strings.Contains(out.String(), "myapp: terminated: stopping") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

func TestMainIgnoresAClosedSignalChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startMain(t, newFakeTree(), MainConfig{})
		close(b.signals)
		synctest.Wait()
		if len(b.code) != 0 {
			t.Fatal("ended")
		}
		b.cancel(nil)
		b.end(t, 0)
	})
}

func TestMainStartsNothingOnInvalidConfiguration(t *testing.T) {
	var nobody context.Context
	problems := errors.Join(
		&ConfigError{Path: "myapp", Field: "Name", Value: "a/b", Problem: "must not contain '/'"},
		&ConfigError{Path: "myapp/x", Field: "Run", Problem: "is missing"},
	)
	fine := func() error { return nil }
	for name, run := range map[string]struct {
		ctx   context.Context
		node  mainNode
		check func() error
		cfg   MainConfig
		told  string
	}{
		"tree":        {t.Context(), newFakeTree(), func() error { return problems }, MainConfig{}, "  myapp: Name: \"a/b\" must not contain '/'\n  myapp/x: Run: <nil> is missing\n"},
		"nil context": {nobody, newFakeTree(), fine, MainConfig{}, "ctx: <nil> must not be nil"},
		"stop within": {t.Context(), newFakeTree(), fine, MainConfig{StopWithin: -1}, "MainConfig.StopWithin: -1ns must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			run.cfg.Output = &out
			if tree, ok := run.node.(*fakeTree); ok {
				tree.start = func(context.Context) error { t.Error("started"); return nil }
			}
			if code := runMain(run.ctx, run.node, run.check, nil, run.cfg); code != 2 {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(out.String(), run.told) {
				t.Errorf("the output does not tell %q:\n%s", run.told, out.String())
			}
		})
	}
}

func TestMainNeedsASupervisor(t *testing.T) {
	var out bytes.Buffer
	if code := Main(t.Context(), nil, MainConfig{Output: &out}); code != 2 || !strings.Contains(out.String(), "node: <nil> is nil") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

func TestMainTellsWhatIsLeftOfATree(t *testing.T) {
	tree := TreeNode{
		Path: "myapp", Kind: SupervisorKind, Counts: Counts{Running: 3},
		Workers: []ChildInfo{{Path: "myapp/store", State: StateStopped}, {Path: "myapp/web", State: StateStopping}},
		Children: []TreeNode{
			{Path: "myapp/jobs", Kind: DynamicKind, Counts: Counts{Running: 5, Stuck: 2}},
			{Path: "myapp/users", Kind: KeyedKind},
		},
	}
	got := strings.Join(stillRunning(tree), "\n")
	if want := "myapp/web: stopping\nmyapp/jobs: 5 running, 2 of them stuck"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
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

type fakeSignal struct{}

func (fakeSignal) String() string { return "note" }
func (fakeSignal) Signal()        {}

// What the fakes above promise is what real trees do.
func TestMainOverARealTree(t *testing.T) {
	type run struct {
		cfg     MainConfig
		out     bytes.Buffer
		signals chan os.Signal
	}
	main := func(r *run, cfg SupervisorConfig, children ...Specifier) int {
		cfg.Logger = slog.New(slog.DiscardHandler)
		r.signals = make(chan os.Signal, 2)
		r.cfg.Output, r.cfg.Signals = &r.out, r.signals
		return Main(context.Background(), NewSupervisor("myapp", cfg, children...), r.cfg)
	}
	check := func(t *testing.T, r *run, got, want int, told string) {
		t.Helper()
		if got != want || !strings.Contains(r.out.String(), told) {
			t.Errorf("exit code %d, want %d; the output should tell %q:\n%s", got, want, told, r.out.String())
		}
	}
	bubble(t, "stopped in order", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", Run: func(ctx context.Context) error {
			r.signals <- syscall.SIGTERM
			<-ctx.Done()
			return nil
		}})
		check(t, &r, code, 0, "myapp: stopped in")
	})
	bubble(t, "ended by itself", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{AutoShutdown: AnySignificant}, ChildSpec{
			Name: "batch", Restart: Transient, Significant: true, Run: func(context.Context) error { return nil },
		})
		check(t, &r, code, 0, "myapp: stopped in")
	})
	bubble(t, "gave up", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", Run: func(context.Context) error { return errors.New("boom") }})
		check(t, &r, code, 1, "gave up")
	})
	bubble(t, "start failed", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", AwaitReady: true, Run: func(context.Context) error { return errors.New("boom") }})
		check(t, &r, code, 1, "myapp: start failed: ")
	})
	bubble(t, "invalid", func(t *testing.T) {
		var r run
		check(t, &r, main(&r, SupervisorConfig{}, ChildSpec{Name: "web"}), 2, "\n  myapp/web: ChildSpec.Run: ")
	})
	bubble(t, "asked to end while it starts", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", AwaitReady: true, Run: func(ctx context.Context) error {
			r.signals <- syscall.SIGINT
			<-ctx.Done()
			return ctx.Err()
		}})
		check(t, &r, code, 0, "myapp: stopped in")
	})
	bubble(t, "stuck", func(t *testing.T) {
		var r run
		hang := make(chan struct{})
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", Run: func(context.Context) error {
			r.signals <- syscall.SIGTERM
			<-hang
			return nil
		}})
		check(t, &r, code, 3, "stuck, left to the end of the process: 1\n  myapp/web\n")
		close(hang)
		synctest.Wait()
	})
	bubble(t, "time over", func(t *testing.T) {
		var r run
		hang := make(chan struct{})
		hanging := func(context.Context) error { <-hang; return nil }
		jobs := NewDynamicSupervisor("jobs", MaxChildren(5), ShutdownWithin(ShutdownInfinity))
		code := main(&r, SupervisorConfig{}, jobs, ChildSpec{Name: "web", Shutdown: ShutdownInfinity, Run: func(ctx context.Context) error {
			if _, err := jobs.Go(ctx, hanging); err != nil {
				return err
			}
			r.signals <- syscall.SIGTERM
			return hanging(ctx)
		}})
		check(t, &r, code, 3, "myapp: not stopped within 25s, left to the end of the process:\n  myapp/web: stopping\n  myapp/jobs: 1 running, 0 of them stuck\n")
		close(hang)
		synctest.Wait()
	})
}
