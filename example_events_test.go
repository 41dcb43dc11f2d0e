package headcount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/headcount-go/headcount"
)

// Events are told apart by their type.
func ExampleEvent() {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10))
	events := jobs.Events(0)
	defer events.Close()

	ctx := context.Background()
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	child, err := jobs.Go(ctx, func(context.Context) error { return errors.New("no disk") }, headcount.Named("resize"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = child.Wait(ctx)

	for e := range events.C() {
		switch e := e.(type) {
		case headcount.SupervisorStarted:
			fmt.Println(e.Path, "has started")
		case headcount.ChildFailed:
			fmt.Println("failed:", e.Err, "restart:", e.Restart)
			if err := jobs.Stop(ctx); err != nil {
				fmt.Println(err)
			}
		case headcount.SupervisorStopped:
			fmt.Println(e) // each event prints as a line
			return
		}
	}
	// Output:
	// jobs has started
	// failed: no disk restart: false
	// jobs: supervisor stopped
}
