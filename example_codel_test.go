package headcount_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/headcount-go/headcount"
)

// Requests wait for at most a minute. With CoDel a queue of a tenth of a second is a burst, and one that stands for longer
// is an overload: then a request is refused while its client is still there and can be told so.
func ExampleCoDel() {
	ctx := context.Background()
	requests := headcount.NewDynamicSupervisor("requests", headcount.MaxChildren(1),
		headcount.Wait(1000, time.Minute), headcount.CoDel(5*time.Millisecond, 100*time.Millisecond), headcount.WithLogger(silent))
	if err := requests.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer requests.Stop(ctx)

	// The only slot does not come free.
	requests.Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })

	began := time.Now()
	err := requests.Do(ctx, func(context.Context) error { return nil })
	waited := time.Since(began)
	fmt.Println(err)
	fmt.Println(errors.Is(err, headcount.ErrWaitTimeout), waited >= 100*time.Millisecond, waited < time.Minute)
	// Output:
	// requests: start refused: no slot came free in time (wait_timeout, limit 1)
	// true true true
}
