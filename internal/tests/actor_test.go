package tests

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

var errBoom = errors.New("boom")

// An actor is a child that does what its test tells it to, and writes what happens to it into the diary of the test:
// "+a" when it runs and is ready, "!a" when its start fails, "-a" when it ends.
type actor struct {
	name   string
	diary  *diary
	do     chan func() error
	begin  func(run int) error // asked before Ready; an error is returned by Run
	linger time.Duration       // how long it goes on after its context has ended
	runs   atomic.Int32
	alive  atomic.Int32
}

func (a *actor) Run(ctx context.Context) error {
	run := int(a.runs.Add(1))
	if a.begin != nil {
		if err := a.begin(run); err != nil {
			a.diary.note("!" + a.name)
			return err
		}
	}
	a.alive.Add(1)
	a.diary.note("+" + a.name)
	defer func() {
		a.alive.Add(-1)
		a.diary.note("-" + a.name)
	}()
	headcount.Ready(ctx)
	select {
	case f := <-a.do:
		return f()
	case <-ctx.Done():
		time.Sleep(a.linger)
		return ctx.Err()
	}
}

// ChildSpec makes an actor a child like any other: permanent, and started when it is ready.
func (a *actor) ChildSpec() headcount.ChildSpec {
	return headcount.ChildSpec{Name: a.name, Run: a.Run, AwaitReady: true}
}

func (a *actor) as(r headcount.Restart) headcount.ChildSpec {
	spec := a.ChildSpec()
	spec.Restart = r
	return spec
}

// ends makes the running actor end in this way and waits until everything that follows at once has happened.
func (a *actor) ends(how func() error) {
	a.do <- how
	synctest.Wait()
}

// wantIgnored checks a start that was not needed: that is no failure, but the child has ended.
func wantIgnored(t *testing.T, child *headcount.Child, err error) {
	t.Helper()
	if err != nil || child == nil {
		t.Fatalf("an ignored start returned %v, %v; want the ended child", child, err)
	}
	select {
	case <-child.Done():
	default:
		t.Error("the ignored child has not ended")
	}
	if err := child.Wait(t.Context()); !errors.Is(err, headcount.ErrIgnore) {
		t.Errorf("the ignored child ended with %v, want ErrIgnore", err)
	}
}

// wantStartError checks that a start failed because of the child of this path.
func wantStartError(t *testing.T, err error, path string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if start, ok := e.(*headcount.StartError); ok && start.Path == path {
			return
		}
	}
	t.Errorf("got %v, want a StartError of %s", err, path)
}

// The ways in which an actor can end by itself.
func fails() error    { return errBoom }
func finishes() error { return nil }
func panics() error   { panic(errBoom) }
func goexits() error  { runtime.Goexit(); return nil }

// failsOn makes a start fail on the given runs, counted from one.
func failsOn(runs ...int) func(int) error {
	return func(run int) error {
		for _, r := range runs {
			if r == run {
				return errBoom
			}
		}
		return nil
	}
}

// A diary is what the actors of a test wrote, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) actor(name string) *actor {
	return &actor{name: name, diary: d, do: make(chan func() error)}
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// expect compares what was written since the last call, once everything has settled.
func (d *diary) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := strings.Join(d.lines, " "); got != want {
		t.Errorf("diary: got %q, want %q", got, want)
	}
	d.lines = nil
}

// start starts a tree and stops it at the end of the test.
func start(t *testing.T, n headcount.Node) {
	t.Helper()
	if err := n.Start(context.Background()); err != nil {
		t.Fatalf("start of %s: %v", n.Path(), err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Errorf("stop of %s: %v", n.Path(), err)
		}
	})
}

// until blocks until the context ends: the simplest child.
func until(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// took checks that f takes exactly this long in synthetic time.
func took(t *testing.T, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if got := time.Since(began); got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

// ended reports whether a supervisor has ended, and why.
func ended(n headcount.Node) (bool, error) {
	synctest.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	err := n.Wait(ctx)
	return !errors.Is(err, context.DeadlineExceeded), err
}

func isRunning(t *testing.T, n headcount.Node) {
	t.Helper()
	if over, err := ended(n); over {
		t.Fatalf("%s has ended: %v", n.Path(), err)
	}
}

func state(t *testing.T, s *headcount.Supervisor, name string) headcount.State {
	t.Helper()
	synctest.Wait()
	info, ok := s.Child(name)
	if !ok {
		return "no spec"
	}
	return info.State
}

func wantState(t *testing.T, s *headcount.Supervisor, name string, want headcount.State) {
	t.Helper()
	if got := state(t, s, name); got != want {
		t.Errorf("%s is %s, want %s", name, got, want)
	}
}
