package headcount_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/headcount-go/headcount"
)

// Stream runs a function over many inputs, some at a time, and yields the
// results in the order of the inputs. A failure is the error of its result.
func ExampleStream() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	shout := func(_ context.Context, word string) (string, error) {
		if word == "" {
			return "", errors.New("nothing to shout")
		}
		return strings.ToUpper(word), nil
	}
	words := slices.Values([]string{"one", "two", "", "four"})
	for r := range headcount.Stream(ctx, jobs, words, shout, headcount.StreamConfig{Concurrency: 8}) {
		fmt.Println(r.Index, r.In, r.Out, r.Err)
	}
	// Output:
	// 0 one ONE <nil>
	// 1 two TWO <nil>
	// 2   nothing to shout
	// 3 four FOUR <nil>
}

// Unordered, a slow input delays no other.
func ExampleStreamConfig() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	quickIsDone := make(chan struct{})
	fetch := func(_ context.Context, page string) (int, error) {
		if page == "slow" {
			<-quickIsDone
		}
		return len(page), nil
	}
	pages := slices.Values([]string{"slow", "quick"})
	for r := range headcount.Stream(ctx, jobs, pages, fetch, headcount.StreamConfig{Concurrency: 2, Unordered: true}) {
		fmt.Println(r.In, r.Out)
		if r.In == "quick" {
			close(quickIsDone)
		}
	}
	// Output:
	// quick 5
	// slow 4
}

// Leaving the loop stops what still runs: when the loop is over, so are its
// tasks.
func ExampleStream_firstError() {
	ctx := context.Background()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10))
	if err := jobs.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Stop(ctx)

	check := func(ctx context.Context, disk string) (bool, error) {
		if disk == "sda" {
			return false, errors.New("sda: bad block")
		}
		<-ctx.Done() // a long check
		return false, ctx.Err()
	}
	disks := slices.Values([]string{"sda", "sdb", "sdc"})
	for r := range headcount.Stream(ctx, jobs, disks, check, headcount.StreamConfig{Concurrency: 3}) {
		if r.Err != nil {
			fmt.Println(r.Err)
			break
		}
	}
	fmt.Println("still running:", jobs.Counts().Running)
	// Output:
	// sda: bad block
	// still running: 0
}
