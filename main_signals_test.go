package headcount

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

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

type fakeSignal struct{}

func (fakeSignal) String() string { return "note" }
func (fakeSignal) Signal()        {}
