package headcount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/headcount-go/headcount"
)

// A goroutine started by headcount.Go belongs to the child: its panic is the child's error, not the end of the process.
func ExampleGo() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10), headcount.WithLogger(silent))
	jobs.Start(ctx)
	defer jobs.Stop(ctx)

	child, _ := jobs.Go(ctx, func(ctx context.Context) error {
		if err := headcount.Go(ctx, func(ctx context.Context) error { panic("in a helper") }); err != nil {
			return err
		}
		<-ctx.Done() // the helper's failure ends it
		return ctx.Err()
	})
	fmt.Println(child.Wait(ctx))
	// Output:
	// panic: in a helper
}

// Charge accounts memory that a child says it holds, against its own budget and its supervisor's.
func ExampleCharge() {
	ctx := context.Background()
	uploads := headcount.NewDynamicSupervisor("uploads", headcount.MaxChildren(10), headcount.MaxBytes(1<<20), headcount.WithLogger(silent))
	uploads.Start(ctx)
	defer uploads.Stop(ctx)

	err := uploads.Do(ctx, func(ctx context.Context) error {
		if err := headcount.Charge(ctx, 700_000); err != nil {
			return err
		}
		return headcount.Charge(ctx, 700_000)
	})
	fmt.Println(errors.Is(err, headcount.ErrMaxBytes))
	fmt.Println("held after the end:", uploads.Counts().Bytes)
	// Output:
	// true
	// held after the end: 0
}
