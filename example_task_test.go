package headcount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/headcount-go/headcount"
)

// Async starts a task and Await gives its result. The slot of the task is free
// by then, so that with a limit of one the next start is not refused.
func ExampleAsync() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	for _, word := range []string{"supervision", "limits"} {
		task, err := headcount.Async(ctx, jobs, func(context.Context) (int, error) {
			return len(word), nil
		})
		if err != nil { // a refusal would be here
			fmt.Println(err)
			return
		}
		n, err := task.Await(ctx)
		fmt.Println(word, n, err)
	}
	// Output:
	// supervision 11 <nil>
	// limits 6 <nil>
}

// The context of Await bounds the waiting and nothing else: the task goes on,
// and can be awaited again.
func ExampleTask_Await() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	page := make(chan string)
	task, err := headcount.Async(ctx, jobs, func(context.Context) (string, error) {
		return <-page, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	_, err = task.Await(impatient)
	fmt.Println(err)

	page <- "hello"
	fmt.Println(task.Await(ctx))
	// Output:
	// context canceled
	// hello <nil>
}

// Shutdown ends a task whose result is not wanted any more.
func ExampleTask_Shutdown() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	task, err := headcount.Async(ctx, jobs, func(ctx context.Context) (int, error) {
		<-ctx.Done() // a long search
		return 0, ctx.Err()
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(task.Shutdown(ctx))

	_, err = task.Await(ctx)
	fmt.Println(errors.Is(err, headcount.ErrStopped), jobs.Counts().Running)
	// Output:
	// <nil>
	// true 0
}

// AwaitAll waits for all tasks, also when some fail. A panic is the error of
// its task.
func ExampleAwaitAll() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	var tasks []*headcount.Task[int]
	for _, divisor := range []int{1, 0, 4} {
		task, err := headcount.Async(ctx, jobs, func(context.Context) (int, error) {
			return 100 / divisor, nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		tasks = append(tasks, task)
	}
	quotients, err := headcount.AwaitAll(ctx, tasks...)
	fmt.Println(quotients)
	fmt.Println(err)
	// Output:
	// [100 0 25]
	// task 1: panic: runtime error: integer divide by zero
}
