package headcount

import (
	"context"
	"errors"
	"fmt"
)

// A Task is a child with a result. Its methods may be called from many goroutines, and again.
//
// The result is written by the child's own goroutine and read by nobody before the child has ended: whoever has it
// finds the child's slot free.
type Task[T any] struct {
	child *Child

	// Of the last run. The child's goroutine writes them; its end makes them visible.
	value    T
	err      error
	returned bool
}

// Async starts fn as a child of s and returns at once; [Task.Await] gives fn's result. An error means that fn will not
// run; it is that of [DynamicSupervisor.Go], a [*Refusal] if a limit said no.
//
// ctx bounds the waiting for a slot, where starts may wait. The task gets neither its cancellation nor its values and
// outlives its caller, unless it is shut down. A task is temporary; with WithRestart([Transient]) it is run again after
// a failure, within the budget of s, and the result is that of the last run.
func Async[T any](ctx context.Context, s Starter, fn func(ctx context.Context) (T, error), opts ...StartOption) (*Task[T], error) {
	if err := checkStarter("Async", s, opts); err != nil {
		return nil, err
	}
	t := &Task[T]{}
	child, err := s.Go(ctx, t.runs(fn), opts...)
	if err != nil {
		return nil, err
	}
	t.child = child
	return t, nil
}

// runs makes the child's function of fn. It is nil for nil, which the start refuses.
func (t *Task[T]) runs(fn func(ctx context.Context) (T, error)) func(ctx context.Context) error {
	if fn == nil {
		return nil
	}
	return func(ctx context.Context) error {
		var none T
		t.value, t.err, t.returned = none, nil, false
		t.value, t.err = fn(ctx)
		t.returned = true
		return t.err
	}
}

// Await blocks until the task has ended and returns what fn returned. Its slot is free by then. If fn panicked, the
// error is a [*PanicError]; if it ended its goroutine, [ErrGoexit]. If fn gave up because the task was stopped, the
// error matches [ErrStopped], and [ErrTimeout] if its [WithLifetime] was over, beside fn's own; a result that fn
// returned nevertheless is its result.
//
// ctx bounds the waiting and nothing else: if it ends first, Await returns its error, the task goes on, and Await may
// be called again. A task that awaits itself waits until ctx ends.
func (t *Task[T]) Await(ctx context.Context) (T, error) {
	if err := t.wait(ctx); err != nil {
		var none T
		return none, err
	}
	return t.result()
}

// Shutdown ends the task's context and waits until the task has ended, for its allowance at the most. It returns what
// [Child.Stop] returns: nil once the task has ended, a [*StuckError] if it has outlived its allowance, ctx's error.
// Await tells then how it ended.
func (t *Task[T]) Shutdown(ctx context.Context) error {
	if t == nil || t.child == nil {
		return errNoTask()
	}
	return t.child.Stop(ctx)
}

// Child gives the child that runs the task.
func (t *Task[T]) Child() *Child { return t.child }

// wait waits for the end of the task. An error says that it was not waited for.
func (t *Task[T]) wait(ctx context.Context) error {
	switch {
	case t == nil || t.child == nil:
		return errNoTask()
	case ctx == nil:
		return &ConfigError{Path: t.child.Path(), Field: "Await.ctx", Value: nil, Problem: "is nil"}
	case t.child.hasEnded():
		return nil
	}
	select {
	case <-t.child.Done():
		return nil
	case <-ctx.Done():
		if t.child.hasEnded() { // of two things that are there, the result wins
			return nil
		}
		return ctx.Err()
	}
}

func errNoTask() error {
	return &ConfigError{Path: "headcount", Field: "task", Value: nil, Problem: "is nil: it was not started"}
}

// result is what became of a task that has ended.
func (t *Task[T]) result() (T, error) {
	c := t.child
	switch err := c.result(); {
	case err != nil:
		return t.value, err
	case !t.returned:
		return t.value, fmt.Errorf("%s: no result: the function given to Around did not call next", c.Path())
	case t.err == nil:
		return t.value, nil
	// An error of fn that is none of the child: fn gave up because its context had ended, by one of these two.
	case c.expired() && matches(t.err, context.DeadlineExceeded):
		return t.value, fmt.Errorf("%s: %w: %w", c.Path(), ErrTimeout, foreignError{t.err})
	case c.flags.Load()&flagStopping != 0:
		return t.value, fmt.Errorf("%s: %w: %w", c.Path(), ErrStopped, foreignError{t.err})
	}
	return t.value, t.err
}

// expired reports whether the present or last run's time was over before it returned.
func (c *Child) expired() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.currentLocked().state.Load() == runExpired
}

// expire ends the child's context as the end of its lifetime does. It will not run again.
func (c *Child) expire() {
	c.mu.Lock()
	run := c.currentLocked()
	c.mu.Unlock()
	run.cancel(runExpired)
	c.ask()
}

// AwaitAll waits for all tasks and returns their results in the order of the tasks. A task that failed does not end the
// waiting for the others and leaves its place in the results as fn returned it; the error joins those of all that
// failed, each with the number of its task.
//
// If ctx ends first, AwaitAll returns no results and ctx's error. The tasks go on: Shutdown ends one, and each can still
// be awaited.
func AwaitAll[T any](ctx context.Context, tasks ...*Task[T]) ([]T, error) {
	if ctx == nil {
		return nil, &ConfigError{Path: "headcount", Field: "AwaitAll.ctx", Value: nil, Problem: "is nil"}
	}
	for i, t := range tasks {
		if t == nil || t.child == nil {
			return nil, fmt.Errorf("task %d: %w", i, errNoTask())
		}
	}
	results := make([]T, len(tasks))
	var failed []error
	for i, t := range tasks {
		if err := t.wait(ctx); err != nil {
			return nil, err
		}
		value, err := t.result()
		results[i] = value
		if err != nil {
			failed = append(failed, fmt.Errorf("task %d: %w", i, foreignError{err}))
		}
	}
	return results, errors.Join(failed...)
}
