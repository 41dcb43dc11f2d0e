package headcount

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// failing gives a child that fails whenever something is sent.
func failing() (run func(context.Context) error, fail chan struct{}) {
	fail = make(chan struct{})
	return func(ctx context.Context) error {
		select {
		case <-fail:
			return errors.New("failed")
		case <-ctx.Done():
			return nil
		}
	}, fail
}

// A supervisor whose spec was deleted may live elsewhere by the time its old parent is restarted, with the children that
// it was declared with. One supervisor has one life.
func TestADeletedSupervisorIsNotTakenBackFromWhereItLivesNow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sub := NewDynamicSupervisor("sub", MaxChildren(5))
		run, fail := failing()
		old := NewSupervisor("old", SupervisorConfig{Intensity: Intensity{0, time.Second}}, sub, ChildSpec{Name: "w", Run: run})
		other := NewDynamicSupervisor("other", MaxChildren(5))
		root := up(t, NewSupervisor("root", SupervisorConfig{
			Intensity: Intensity{2, time.Hour}, Backoff: Backoff{Min: time.Hour, Max: time.Hour}, Logger: quiet,
		}, old, other))

		if err := errors.Join(old.TerminateChild(t.Context(), "sub"), old.DeleteChild(t.Context(), "sub")); err != nil {
			t.Fatal(err)
		}
		c := started(t)(other.StartChild(t.Context(), sub))
		started(t)(sub.Go(t.Context(), obedient))
		events := root.Events(0)
		defer events.Close()
		fail <- struct{}{} // and its next life finds the place of sub taken
		synctest.Wait()

		if sub.Path() != "root/other/sub" || c.Info().State != StateRunning || sub.Counts().Running != 1 {
			t.Errorf("%s is %s with %d children, want it as it was", sub.Path(), c.Info().State, sub.Counts().Running)
		}
		if info, _ := old.Child("sub"); info.State == StateRunning {
			t.Error("it lives below its old parent too")
		}
		var why *ConfigError
		for len(events.C()) > 0 {
			if e, ok := (<-events.C()).(ChildFailed); ok && e.Path == "root/old" {
				errors.As(e.Err, &why)
			}
		}
		if why == nil || why.Path != "root/other/sub" {
			t.Errorf("the old parent failed because of %v, want the place of sub", why)
		}
	})
}

// The start of a supervisor is given up while its child is on its way out. Both retire the member, and meanwhile the
// supervisor may have been started anew: the second of them must leave it alone.
func TestAMemberIsRetiredOnce(t *testing.T) {
	hook := hookGaps(t)
	running, hang := make(chan struct{}, 2), make(chan struct{})
	sub := NewSupervisor("sub", SupervisorConfig{Reserve: 3}, ChildSpec{Name: "w", AwaitReady: true, Run: func(ctx context.Context) error {
		running <- struct{}{}
		select {
		case <-hang:
			Ready(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
		<-ctx.Done()
		return nil
	}})
	parent := NewSupervisor("parent", SupervisorConfig{})
	root := up(t, NewSupervisor("root", SupervisorConfig{MaxDescendants: MaxDescendants(100), Logger: quiet}, parent))

	leaving, goOn := make(chan struct{}), make(chan struct{})
	var comers atomic.Int32
	atSub := func(p point) { // after its child, sub leaves
		if p == beforeRelease && comers.Add(1) == 2 {
			close(leaving)
			<-goOn
		}
	}
	hook.f.Store(&atSub)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { _, err := parent.StartChild(ctx, sub); failed <- err }()
	<-running
	first := sub.runner.Load()
	first.ask()
	<-leaving // its member has no child any more
	cancel()
	is(t, <-failed, context.Canceled)
	close(hang)
	again := started(t)(parent.StartChild(t.Context(), sub))
	close(goOn)
	<-first.Done()
	if again.hasEnded() || !sub.attached() {
		t.Error("the second life has lost its place")
	}
	if n := root.Tree().Descendants; n != 5 {
		t.Errorf("%d slots are held, want those of parent and sub and the reserve of 3", n)
	}
}

// A supervisor that is restarted while one of its children is deleted has the child back, with its slots and its place:
// the deletion, which is of the life before, takes neither.
func TestADeletionThatIsOvertakenByANewLifeTakesNothingFromIt(t *testing.T) {
	hook := hookGaps(t)
	run, fail := failing()
	sub := NewDynamicSupervisor("sub", MaxChildren(5), Reserve(3))
	s := NewSupervisor("s", SupervisorConfig{Intensity: Intensity{0, time.Second}}, sub, ChildSpec{Name: "w", Run: run})
	root := up(t, NewSupervisor("root", SupervisorConfig{MaxDescendants: MaxDescendants(100), Logger: quiet}, s))
	is(t, s.TerminateChild(t.Context(), "sub"), nil)
	first := sub.runner.Load()
	var came atomic.Bool
	overtake := func(p point) { // the others that come there meanwhile go on
		if p != beforeRelease || came.Swap(true) {
			return
		}
		fail <- struct{}{}
		for sub.runner.Load() == first || sub.state() != StateRunning {
			runtime.Gosched()
		}
	}
	hook.f.Store(&overtake)
	is(t, s.DeleteChild(t.Context(), "sub"), nil)
	if info, _ := s.Child("sub"); info.State != StateRunning || !sub.attached() {
		t.Errorf("it is %s, in its place: %v", info.State, sub.attached())
	}
	if n := root.Tree().Descendants; n != 3+3 {
		t.Errorf("%d slots are held, want those of s, sub and w and the reserve of 3", n)
	}
	if n := s.own.count(); n != 2 {
		t.Errorf("%d slots of s are held, want 2", n)
	}
}
