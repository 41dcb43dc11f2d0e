package headcount

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestContextsDerivedFromAChildsStartNoGoroutine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet)))
		for _, start := range []func(f func(context.Context) error) error{
			func(f func(context.Context) error) error {
				c := started(t)(d.Go(t.Context(), f))
				return c.Wait(t.Context())
			},
			func(f func(context.Context) error) error { return d.Do(t.Context(), f) },
		} {
			err := start(func(ctx context.Context) error {
				before := runtime.NumGoroutine()
				for range 100 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithCancel(ctx)
					defer cancel()
				}
				if after := runtime.NumGoroutine(); after > before {
					t.Errorf("%d goroutines more for a hundred derived contexts", after-before)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAfterFuncOfAChildsContextRunsAtItsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet)))
		ran := make(chan struct{})
		stopped := make(chan struct{})
		c := started(t)(d.Go(t.Context(), func(ctx context.Context) error {
			context.AfterFunc(ctx, func() { close(ran) })
			stop := context.AfterFunc(ctx, func() { close(stopped) })
			if !stop() {
				t.Error("a function that had not been called could not be stopped")
			}
			return nil
		}))
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-ran
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("a function was called though it was stopped")
		default:
		}
	})
}

func TestAChildsContextHasEndedWhenTheChildHas(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet)))
		for name, look := range map[string]func(ctx context.Context) bool{
			"Err":  func(ctx context.Context) bool { return ctx.Err() == context.Canceled },
			"Done": func(ctx context.Context) bool { return isClosed(ctx.Done()) },
			"AfterFunc": func(ctx context.Context) bool {
				called := make(chan struct{})
				context.AfterFunc(ctx, func() { close(called) })
				synctest.Wait()
				return isClosed(called)
			},
			"derived": func(ctx context.Context) bool {
				c, stop := context.WithCancel(ctx)
				defer stop()
				return isClosed(c.Done())
			},
		} {
			var kept context.Context
			c := started(t)(d.Go(t.Context(), func(ctx context.Context) error { kept = ctx; return nil }))
			c.Wait(t.Context())
			if !look(kept) {
				t.Errorf("%s does not tell that the child has ended", name)
			}
			if look(kept); kept.Err() == nil {
				t.Errorf("%s: the context has no error", name)
			}
		}
	})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestTheDeadlineOfAChildIsTheEndOfItsLifetime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet)))
		want := time.Now().Add(time.Minute)
		c := started(t)(d.Go(t.Context(), func(ctx context.Context) error {
			if got, ok := ctx.Deadline(); !ok || !got.Equal(want) {
				t.Errorf("deadline %v %v, want %v", got, ok, want)
			}
			<-ctx.Done()
			if ctx.Err() != context.DeadlineExceeded {
				t.Errorf("got %v", ctx.Err())
			}
			return ctx.Err()
		}, WithLifetime(time.Minute)))
		if err := c.Wait(t.Context()); err != nil {
			t.Errorf("the end of a lifetime is no failure, got %v", err)
		}
		if !time.Now().Equal(want) {
			t.Errorf("ended at %v, want %v", time.Now(), want)
		}
	})
}

type valueKey struct{}

func TestAChildHasValuesOnRequestOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet)))
		ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), valueKey{}, "mine"))
		look := func(want any) func(context.Context) error {
			return func(ctx context.Context) error {
				if got := ctx.Value(valueKey{}); got != want {
					t.Errorf("value %v, want %v", got, want)
				}
				return nil
			}
		}
		started(t)(d.Go(ctx, look(nil))).Wait(ctx)
		started(t)(d.Go(ctx, look("mine"), WithValues(ctx))).Wait(ctx)
		started(t)(d.StartChild(ctx, ChildSpec{Run: look("mine"), Restart: Temporary, Values: ctx})).Wait(ctx)
		if err := d.Do(ctx, look("mine")); err != nil {
			t.Error(err)
		}

		// Values come without cancellation, and without its cause.
		c := started(t)(d.Go(ctx, func(ctx context.Context) error {
			derived, stop := context.WithCancel(ctx)
			defer stop()
			<-derived.Done()
			if got := context.Cause(derived); got != context.Canceled {
				t.Errorf("cause %v of a child that was stopped, want %v", got, context.Canceled)
			}
			return nil
		}, WithValues(ctx)))
		cancel(errors.New("somebody else's"))
		synctest.Wait()
		if c.hasEnded() {
			t.Fatal("the child was cancelled by where its values come from")
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestTheContextOfADoEndsWithEither(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := d.Do(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		is(t, err, context.DeadlineExceeded)

		// Without anyone who listens the error is seen too, and stays what it was.
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d.Do(ctx, func(ctx context.Context) error {
			d.eachChild(func(c *Child) { c.ask() })
			if ctx.Err() != context.Canceled {
				t.Errorf("got %v", ctx.Err())
			}
			time.Sleep(2 * time.Second)
			if ctx.Err() != context.Canceled {
				t.Errorf("the error of the context has changed to %v", ctx.Err())
			}
			return nil
		})
		err = d.Do(t.Context(), func(ctx context.Context) error {
			go d.eachChild(func(c *Child) { c.Stop(context.Background()) })
			<-ctx.Done()
			return ctx.Err()
		})
		is(t, err, context.Canceled)
	})
}

func TestAGoroutineThatOutlivedItsRunCannotJoinTheNext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet), WithBackoff(Backoff{Min: time.Minute, Max: time.Minute})))
		runs := make(chan context.Context, 3)
		c := started(t)(d.Go(t.Context(), func(ctx context.Context) error { runs <- ctx; return errors.New("once more") }, WithRestart(Permanent)))
		old := <-runs
		<-runs
		synctest.Wait() // it waits for its third run
		if c.Info().State != StateRestarting {
			t.Fatalf("state %v", c.Info().State)
		}
		joined := false
		err := Go(old, func(ctx context.Context) error { joined = true; <-ctx.Done(); time.Sleep(time.Second); return nil })
		is(t, err, ErrStopped)
		if err := c.Stop(t.Context()); err != nil || joined {
			t.Errorf("stop: %v, joined: %v", err, joined)
		}
	})
}
