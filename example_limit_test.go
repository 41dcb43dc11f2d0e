package headcount_test

import (
	"context"
	"fmt"

	"github.com/headcount-go/headcount"
)

// A limit can be changed while the program runs. Machines may only lower it, by caps with a name.
func ExampleLimit() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64, headcount.Ceiling(256)), headcount.WithLogger(silent))
	jobs.Start(ctx)
	defer jobs.Stop(ctx)
	limit := jobs.MaxChildren()

	limit.Set(128, headcount.Change{Source: "command", By: "ann", Why: "the sale"})
	fmt.Println(limit.Value())
	limit.Cap("memory", 100, "82 % of memory in use")
	fmt.Println(limit.Value())
	limit.Uncap("memory")
	fmt.Println(limit.Value())
	fmt.Println(limit.Set(1000, headcount.Change{}))

	s := limit.Snapshot()
	fmt.Println(s.Name, s.Setting.Value, s.Setting.By, s.Setting.Why)
	// Output:
	// 128
	// 100
	// 128
	// jobs: max_children value: 1000 is above its ceiling 256
	// max_children 128 ann the sale
}

// A subtree limit bounds everything below a supervisor together. A reserve keeps a part of it for one child of the tree.
func ExampleMaxDescendants() {
	ctx := context.Background()
	guests := headcount.NewDynamicSupervisor("guests", headcount.MaxChildren(10))
	staff := headcount.NewDynamicSupervisor("staff", headcount.MaxChildren(10), headcount.Reserve(1))
	// Four: the two supervisors, the reserved slot, and one more.
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(4), Logger: silent}, guests, staff)
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(ctx)

	session := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for range 2 {
		_, err := guests.Go(ctx, session)
		fmt.Println("guest:", err)
	}
	_, err := staff.Go(ctx, session)
	fmt.Println("staff:", err)
	// Output:
	// guest: <nil>
	// guest: app: start refused: max_descendants is 4
	// staff: <nil>
}
