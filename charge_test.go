package headcount

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

// A charge that meets the end of its child either comes too late or is given back with the rest: the budget is whole
// when all children have gone.
func TestAChargeThatMeetsTheEndOfItsChildIsNotLost(t *testing.T) {
	d := up(t, NewDynamicSupervisor("d", MaxChildren(64), MaxBytes(1<<40), WithLogger(quiet)))
	contexts := make(chan context.Context)
	var chargers sync.WaitGroup
	for range 2 {
		chargers.Go(func() {
			for ctx := range contexts {
				for range rand.IntN(100) { // at different moments
					ctx.Err()
				}
				if err := Charge(ctx, 1); err != nil && !errors.Is(err, ErrStopped) {
					t.Error(err)
				}
			}
		})
	}
	for range rounds(100_000) {
		c := started(t)(d.Go(t.Context(), func(ctx context.Context) error { contexts <- ctx; return nil }))
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(contexts)
	chargers.Wait()
	if held := d.Counts().Bytes; held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
}
