package tests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/headcount-go/headcount"
)

// V2
func TestChargeIsExactAgainstBothBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 3, headcount.MaxBytes(100))
		charges := make(chan func(context.Context) error)
		spec := headcount.ChildSpec{Restart: headcount.Temporary, MaxBytes: 60, Run: func(ctx context.Context) error {
			for {
				select {
				case f := <-charges:
					if err := f(ctx); err != nil {
						return err
					}
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}}
		charge := func(ctx context.Context, bytes int64, want error) {
			t.Helper()
			if err := headcount.Charge(ctx, bytes); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("Charge(%d) returned %v, want %v", bytes, err, want)
			}
		}
		total := func(want int64) {
			t.Helper()
			if got := pool.Counts().Bytes; got != want {
				t.Errorf("%d bytes in all, want %d", got, want)
			}
		}
		inside := func(f func(ctx context.Context)) {
			charges <- func(ctx context.Context) error { f(ctx); return nil }
			synctest.Wait()
		}

		one, err := pool.StartChild(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		inside(func(ctx context.Context) {
			charge(ctx, 61, headcount.ErrMaxBytes) // its own budget
			charge(ctx, 60, nil)
			charge(ctx, 1, headcount.ErrMaxBytes)
			charge(ctx, -10, nil)
			charge(ctx, 10, nil)
		})
		total(60)
		_, err = pool.Go(t.Context(), func(ctx context.Context) error { // the supervisor's budget
			charge(ctx, 41, headcount.ErrMaxBytes)
			charge(ctx, 40, nil)
			charge(ctx, 1, headcount.ErrMaxBytes)
			total(100)
			return until(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := one.Info().Bytes; got != 60 {
			t.Errorf("the child shows %d bytes, want 60", got)
		}
		charges <- func(context.Context) error { panic("with 60 bytes in hand") }
		_ = one.Wait(t.Context())
		total(40) // given back for it
		if err := headcount.Charge(t.Context(), 1); !errors.Is(err, headcount.ErrNoChild) {
			t.Errorf("Charge outside of a child returned %v", err)
		}
	})
}
