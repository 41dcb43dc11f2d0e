package headcount_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/headcount-go/headcount"
)

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// A whole service in a tree: started in order, each child awaited, and stopped in reverse order.
func ExampleSupervisor() {
	ctx := context.Background()
	child := func(name string) headcount.ChildSpec {
		return headcount.ChildSpec{Name: name, AwaitReady: true, Run: func(ctx context.Context) error {
			fmt.Println("start", name)
			headcount.Ready(ctx)
			<-ctx.Done()
			fmt.Println("stop", name)
			return nil
		}}
	}
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64))
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Strategy: headcount.RestForOne, Logger: silent},
		child("store"), jobs, child("web"))

	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for n := range app.Tree().All() {
		fmt.Println(n.Path, n.Kind, n.State)
	}
	fmt.Println(app.Stop(ctx))
	// Output:
	// start store
	// start web
	// myapp supervisor running
	// myapp/jobs dynamic_supervisor running
	// stop web
	// stop store
	// <nil>
}

// A supervisor whose child fails too often gives up, with an error that says which child, how often, and why.
func ExampleIntensityError() {
	ctx := context.Background()
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: silent, Intensity: headcount.Intensity{Restarts: 0, Within: 1e9}},
		headcount.ChildSpec{Name: "store", Run: func(ctx context.Context) error { return errors.New("disk full") }})
	app.Start(ctx)

	err := app.Wait(ctx)
	fmt.Println(err)
	var gaveUp *headcount.IntensityError
	fmt.Println(errors.As(err, &gaveUp), gaveUp.Child)
	// Output:
	// myapp: gave up: myapp/store failed after 0 restarts within 1s: disk full
	// true myapp/store
}

// Check finds every mistake in a tree and starts nothing.
func ExampleCheck() {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(-1))
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{},
		jobs,
		headcount.ChildSpec{Name: "my web"},
	)
	fmt.Println(headcount.Check(app))
	// Output:
	// myapp/jobs: max_children: -1 is negative; zero admits nothing, headcount.Unlimited admits any number
	// myapp: ChildSpec.Name: "my web" must not contain ' ': letters, digits and _ - . : @ + are allowed
	// myapp/"my web": ChildSpec.Run: <nil> is missing
}
