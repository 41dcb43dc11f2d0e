package tests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// A goroutine that a child starts by headcount.Go belongs to it: how it ends is how the child ends.
func TestAHelpersFailureIsItsChildsError(t *testing.T) {
	for _, c := range []struct {
		name string
		how  func() error
		is   error
	}{
		{"fails", fails, errBoom}, {"panics", panics, errBoom}, {"goexits", goexits, headcount.ErrGoexit}, {"finishes", finishes, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, 1)
				child, err := pool.Go(t.Context(), func(ctx context.Context) error {
					if err := headcount.Go(ctx, func(context.Context) error { return c.how() }); err != nil {
						return err
					}
					if c.is == nil {
						return nil
					}
					return until(ctx) // which the helper's failure ends
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := child.Wait(t.Context()); !errors.Is(err, c.is) || c.is == nil && err != nil {
					t.Errorf("the child ended with %v, want %v", err, c.is)
				}
			})
		})
	}
}

// A child ends when its helpers have ended, and keeps its slot until then.
func TestAChildEndsWithItsLastHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		child, err := pool.Go(t.Context(), func(ctx context.Context) error {
			return headcount.Go(ctx, func(ctx context.Context) error {
				<-ctx.Done() // Run has returned
				time.Sleep(time.Second)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_, err = pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		took(t, time.Second, func() { _ = child.Wait(t.Context()) })
		mustGo(t, pool)
	})
}

// Helpers count under the subtree limits above, and free their slots when they end.
func TestHelpersCountUnderTheSubtreeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 10, headcount.MaxDescendants(3))
		step := make(chan struct{})
		if _, err := pool.Go(t.Context(), func(ctx context.Context) error {
			for range 2 {
				if err := headcount.Go(ctx, func(context.Context) error { <-step; return nil }); err != nil {
					t.Errorf("a helper within the limit: %v", err)
				}
			}
			err := headcount.Go(ctx, until)
			wantRefusal(t, err, headcount.ReasonMaxDescendants, headcount.ErrMaxDescendants)
			return until(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_, err := pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxDescendants, headcount.ErrMaxDescendants)
		close(step)
		synctest.Wait()
		mustGo(t, pool)
		mustGo(t, pool)
		_, err = pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxDescendants, headcount.ErrMaxDescendants)
	})
}

// Outside of a child there is nothing to belong to.
func TestGoOutsideOfAChildIsAnError(t *testing.T) {
	ran := func(context.Context) error { t.Error("it ran"); return nil }
	if err := headcount.Go(t.Context(), ran); !errors.Is(err, headcount.ErrNoChild) {
		t.Errorf("Go outside of a child returned %v", err)
	}
	pool := newPool(t, 1)
	var kept context.Context
	if err := pool.Do(t.Context(), func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := headcount.Go(kept, ran); !errors.Is(err, headcount.ErrStopped) {
		t.Errorf("Go after the end of the child returned %v", err)
	}
}

// A child that failed because of a helper restarts like any other, with helpers anew.
func TestAChildRestartsAfterItsHelperFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: quick, Intensity: headcount.Intensity{Restarts: 3, Within: time.Minute}},
			headcount.ChildSpec{Name: "a", Restart: headcount.Transient, Run: func(ctx context.Context) error {
				d.note("+a")
				if err := headcount.Go(ctx, func(context.Context) error { panic(errBoom) }); err != nil {
					t.Error(err)
				}
				return until(ctx)
			}})
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := top.Wait(context.Background()); !errors.Is(err, errBoom) {
			t.Errorf("the supervisor ended with %v, want boom", err)
		}
		d.expect(t, "+a +a +a +a")
	})
}
