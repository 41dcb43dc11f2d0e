package headcount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/headcount-go/headcount"
)

// A dynamic supervisor runs what is started, up to its limit, and refuses the rest at once.
func ExampleDynamicSupervisor() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2), headcount.WithLogger(silent))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}

	finish := make(chan struct{})
	work := func(ctx context.Context) error { <-finish; return nil }
	var last *headcount.Child
	for range 2 {
		last, _ = jobs.Go(ctx, work)
	}
	_, err := jobs.Go(ctx, work)
	fmt.Println(err)
	fmt.Println(errors.Is(err, headcount.ErrRefused), errors.Is(err, headcount.ErrMaxChildren))

	// Once the end of a child can be seen, its slot is free.
	close(finish)
	last.Wait(ctx)
	_, err = jobs.Go(ctx, work)
	fmt.Println("started:", err == nil)

	fmt.Println("stopped:", jobs.Stop(ctx) == nil)
	// Output:
	// jobs: start refused: max_children is 2
	// true true
	// started: true
	// stopped: true
}

// Do runs a function as a child on the caller's goroutine: a request handler, say. Its panic is an error.
func ExampleDynamicSupervisor_Do() {
	ctx := context.Background()
	requests := headcount.NewDynamicSupervisor("requests", headcount.MaxChildren(100), headcount.WithLogger(silent))
	requests.Start(ctx)
	defer requests.Stop(ctx)

	err := requests.Do(ctx, func(ctx context.Context) error {
		self, _ := headcount.Self(ctx)
		fmt.Println("running:", self.Kind, self.State)
		panic("a bug")
	})
	fmt.Println(err)
	fmt.Println("slots held:", requests.Counts().Running)
	// Output:
	// running: worker running
	// panic: a bug
	// slots held: 0
}

// A child that fails is restarted from its own spec, within a budget of its own.
func ExampleDynamicSupervisor_StartChild() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10), headcount.WithLogger(silent))
	jobs.Start(ctx)
	defer jobs.Stop(ctx)

	tries := 0
	child, err := jobs.StartChild(ctx, headcount.ChildSpec{
		Name:    "import",
		Restart: headcount.Transient,
		Run: func(ctx context.Context) error {
			if tries++; tries < 2 {
				return errors.New("connection lost")
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(child.Path(), child.Wait(ctx), tries)
	// Output:
	// jobs/import <nil> 2
}
