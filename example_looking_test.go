package headcount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/headcount-go/headcount"
)

// The tree is described without its dynamic children; those are listed in pages.
func ExampleTreeNode() {
	ctx := context.Background()
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(100), headcount.MaxPerKey(4))
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: silent}, users)
	app.Start(ctx)
	defer app.Stop(ctx)
	for _, user := range []string{"alice", "bob"} {
		users.At(user).Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })
	}

	node, _ := app.Tree().Find("myapp/users")
	fmt.Println(node.Counts.Running, "of", node.Counts.Limit)
	for _, l := range node.Limits {
		fmt.Println(l.Name, l.InForce, l.Setting.Source)
	}
	page, next := users.Children(headcount.Query{Match: func(c headcount.ChildInfo) bool { return c.Key == "bob" }})
	fmt.Println(len(page), page[0].Key, page[0].State, next)
	// Output:
	// 2 of 100
	// max_children 100 code
	// max_per_key 4 code
	// 1 bob running 0
}

// Around wraps each run of a child: for spans, or for what must be there whatever runs.
func ExampleAround() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10), headcount.WithLogger(silent),
		headcount.Around(func(ctx context.Context, info headcount.ChildInfo, next func(context.Context) error) error {
			fmt.Println("begin", info.Name)
			err := next(ctx)
			fmt.Println("end", info.Name, err)
			return err
		}))
	jobs.Start(ctx)
	defer jobs.Stop(ctx)
	jobs.Do(ctx, func(ctx context.Context) error { return errors.New("no paper") }, headcount.Named("print"))
	// Output:
	// begin print
	// end print no paper
}

// A refusal says where, why, and what the limit is.
func ExampleRefusal() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(0), headcount.WithLogger(silent))
	jobs.Start(ctx)
	defer jobs.Stop(ctx)

	_, err := jobs.Go(ctx, func(context.Context) error { return nil })
	var refusal *headcount.Refusal
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Path, refusal.Reason, refusal.Limit)
	}
	// Output:
	// jobs max_children 0
}

// With AwaitReady the start returns when the child says that it is ready.
func ExampleReady() {
	ctx := context.Background()
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: silent})
	app.Start(ctx)
	defer app.Stop(ctx)

	_, err := app.StartChild(ctx, headcount.ChildSpec{Name: "store", AwaitReady: true, Run: func(ctx context.Context) error {
		fmt.Println("opening")
		headcount.Ready(ctx)
		<-ctx.Done()
		return nil
	}})
	fmt.Println("started", err)

	_, err = app.StartChild(ctx, headcount.ChildSpec{Name: "broken", AwaitReady: true, Run: func(ctx context.Context) error {
		return errors.New("no such file")
	}})
	fmt.Println(err)
	// Output:
	// opening
	// started <nil>
	// myapp/broken: start failed: no such file
}
