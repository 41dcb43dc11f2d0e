package headcount

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody waits any more for a child whose start was given up: how it ends is told as any end is.
func TestAChildWhoseStartWasGivenUpDoesNotPanicInSilence(t *testing.T) {
	for name, within := range map[string]struct{ ctx, ready time.Duration }{
		"by its context": {ctx: time.Second},
		"by ReadyWithin": {ctx: time.Hour, ready: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				d := up(t, NewDynamicSupervisor("d", MaxChildren(5), WithLogger(quiet)))
				s := up(t, NewSupervisor("s", SupervisorConfig{Logger: quiet}))
				spec := ChildSpec{ReadyWithin: within.ready, Name: "late", AwaitReady: true, Restart: Temporary, Run: func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(time.Second)
					panic("while it cleaned up")
				}}
				for _, start := range []struct {
					by     func(context.Context, Specifier) (*Child, error)
					events *Subscription
				}{{d.StartChild, d.Events(0)}, {s.StartChild, s.Events(0)}} {
					defer start.events.Close()
					ctx, cancel := context.WithTimeout(t.Context(), within.ctx)
					defer cancel()
					if _, err := start.by(ctx, spec); !errors.As(err, new(*StartError)) {
						t.Fatalf("got %v, want a StartError", err)
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					panics := 0
					for len(start.events.C()) > 0 {
						if e, ok := (<-start.events.C()).(ChildFailed); ok && errors.As(e.Err, new(*PanicError)) {
							panics++
						}
					}
					if panics != 1 {
						t.Errorf("%d events tell of the panic, want 1", panics)
					}
				}
			})
		})
	}
}

func TestAStartThatIsGivenUpWithoutAnAllowanceTellsOfNone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("d", MaxChildren(5), WithLogger(quiet)))
		events := d.Events(0)
		defer events.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := d.StartChild(ctx, ChildSpec{AwaitReady: true, Restart: Temporary, Shutdown: ShutdownNow, Run: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		}})
		is(t, err, context.DeadlineExceeded)
		time.Sleep(time.Minute) // it returns
		synctest.Wait()
		told := false
		for len(events.C()) > 0 {
			if e, ok := (<-events.C()).(ChildStuck); ok {
				told = true
				if e.After != 0 {
					t.Errorf("stuck after %v, want 0s", e.After)
				}
			}
		}
		if !told {
			t.Error("the child that is not waited for is not told to be stuck")
		}
	})
}
