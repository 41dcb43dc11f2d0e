package headcount

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
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
