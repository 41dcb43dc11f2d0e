package headcount

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// obedient is a child that does as it is told.
func obedient(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// deaf gives a child that ignores its context until it is released.
func deaf() (run func(context.Context) error, release func()) {
	gate := make(chan struct{})
	return func(context.Context) error { <-gate; return nil }, sync.OnceFunc(func() { close(gate) })
}

// up starts a tree and stops it at the end of the test.
func up[N Node](t *testing.T, n N) N {
	t.Helper()
	if err := n.Start(t.Context()); err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { down(t, n) })
	return n
}

// down stops a tree, which must leave nothing behind.
func down(t *testing.T, n Node) {
	t.Helper()
	if err := n.Stop(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// started fails the test if a start did.
func started(t *testing.T) func(*Child, error) *Child {
	return func(c *Child, err error) *Child {
		t.Helper()
		if err != nil {
			t.Fatalf("start of a child: %v", err)
		}
		return c
	}
}

// is fails the test if err does not match the target.
func is(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got error %v, want %v", err, target)
	}
}

// allFree looks into the supervisors: after the end of all children no slot, entry or count is left.
func allFree(t *testing.T, nodes ...Node) {
	t.Helper()
	for _, n := range nodes {
		for _, problem := range leftIn(n) {
			t.Errorf("%s: %s", n.Path(), problem)
		}
	}
}

func leftIn(n Node) (problems []string) {
	left := func(what string, count int) {
		if count != 0 {
			problems = append(problems, fmt.Sprintf("%s is %d, want 0", what, count))
		}
	}
	b := n.base()
	left("count of the word", b.own.count())
	if b.descendants != nil {
		left("count of the descendants", b.descendants.count())
	}
	if b.reserve != nil {
		left("word of the reserve", int(b.reserve.word.Load()))
	}
	left("stuck", int(b.stuck.Load()))
	left("stuck below", b.left.count())
	left("restarting", int(b.restarting.Load()))
	if d := dynamicOf(n); d != nil {
		left("unfinished", d.registry.unfinished())
		left("waiting", d.queue.waiting())
		left("bytes", int(d.held.total()))
		d.eachChild(func(c *Child) { problems = append(problems, "still there: "+c.Path()) })
	}
	if k, ok := n.(*KeyedSupervisor[string]); ok {
		left("keys", keysIn(k))
	}
	return problems
}

func dynamicOf(n Node) *dynamic {
	switch n := n.(type) {
	case *DynamicSupervisor:
		return &n.dynamic
	case *KeyedSupervisor[string]:
		return &n.dynamic
	}
	return nil
}

// keysIn is the number of keys for which there is state.
func keysIn[K comparable](k *KeyedSupervisor[K]) (n int) {
	k.keys.eachShard(func(s *keyShard[K]) {
		if len(s.index.chains) != len(s.order) {
			panic(fmt.Sprintf("%d entries but %d in order", len(s.index.chains), len(s.order)))
		}
		n += len(s.order)
	})
	return n
}

// A gapHook is called at the gaps of admission while it has a function. It is there for a whole test: goroutines look
// for it without a lock.
type gapHook struct{ f atomic.Pointer[func(point)] }

// hookGaps comes before anything is started.
func hookGaps(t *testing.T) *gapHook {
	h := &gapHook{}
	onGap = func(p point) {
		if f := h.f.Load(); f != nil {
			(*f)(p)
		}
	}
	t.Cleanup(func() { onGap = nil })
	return h
}

// once calls f at the point, the first time that somebody comes there.
func (h *gapHook) once(at point, f func()) {
	var once sync.Once
	hook := func(p point) {
		if p == at {
			once.Do(f)
		}
	}
	h.f.Store(&hook)
}

func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}
