package headcount_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/headcount-go/headcount"
)

// A supervisor gives up when its children need more restarts than its budget
// allows. The error names the child, the budget and the last failure.
func ExampleIntensity() {
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{
		Intensity: headcount.Intensity{Restarts: 2, Within: time.Minute},
		Backoff:   headcount.Backoff{Min: time.Nanosecond, Max: time.Nanosecond},
	}, headcount.ChildSpec{
		Name: "store",
		Run:  func(context.Context) error { return errors.New("disk gone") },
	})

	ctx := context.Background()
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	err := app.Wait(ctx)
	fmt.Println(err)

	var gaveUp *headcount.IntensityError
	if errors.As(err, &gaveUp) {
		fmt.Println(gaveUp.Child, gaveUp.Restarts, gaveUp.Within)
	}
	// Output:
	// myapp: gave up: myapp/store failed after 2 restarts within 1m0s: disk gone
	// myapp/store 2 1m0s
}

// The first restart comes at once, the next ones after longer and longer
// waits. Under a dynamic supervisor that is so for each child by itself.
func ExampleBackoff() {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10),
		headcount.WithBackoff(headcount.Backoff{Min: time.Millisecond, Max: 50 * time.Millisecond, Stable: time.Minute}))

	ctx := context.Background()
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	runs := 0
	child, err := jobs.Go(ctx, func(context.Context) error {
		if runs++; runs < 3 {
			return errors.New("not yet")
		}
		return nil
	}, headcount.WithRestart(headcount.Transient))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(child.Wait(ctx), "after", runs, "runs")
	fmt.Println(jobs.Stop(ctx))
	// Output:
	// <nil> after 3 runs
	// <nil>
}
