package headcount

import (
	"context"
	"fmt"
	"runtime/debug"
)

// Go starts fn on a goroutine that belongs to the child of ctx. The child ends when Run and all such goroutines have
// returned; when Run returns, their context ends. An error of fn, or a panic in it, ends the child's context and is the
// child's error, if it was the first. The goroutine counts under the subtree limits above the child: there the start
// may be refused. With the context of no child, Go returns [ErrNoChild]; after the end of the child, [ErrStopped].
//
// A bare go statement in a child is invisible to its supervisor, and a panic there ends the process.
func Go(ctx context.Context, fn func(ctx context.Context) error) error {
	run := runOf(ctx)
	if run == nil {
		return ErrNoChild
	}
	c := run.child
	n := c.home.supervisor()
	if fn == nil {
		return &ConfigError{Path: c.Path(), Field: "Go.fn", Value: nil, Problem: "is nil"}
	}
	chain := n.place.Load().chain
	blocked := chain.blocked()
	serve := false
	if blocked == nil {
		blocked, serve = chain.take()
	}
	if serve {
		chain.serve()
	}
	if blocked != nil {
		return n.refuse(blocked.refusals.Load().full)
	}
	if !c.addHelper(run) {
		if chain.free() {
			chain.serve()
		}
		return fmt.Errorf("%s: %w", c.Path(), ErrStopped)
	}
	go c.help(run, chain, fn)
	return nil
}

// addHelper enters a helper of a run. Once that has been settled, or another one has begun, there are no more.
func (c *Child) addHelper(run *runContext) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.extraLocked()
	if run != c.currentLocked() || run.over && x.helpers == 0 {
		return false
	}
	x.helpers++
	return true
}

// help is the goroutine of a helper. Its slots are free before the child can end.
func (c *Child) help(run *runContext, chain chain, fn func(ctx context.Context) error) {
	c.label()
	x := exit{exitGoexit, ErrGoexit}
	defer func() {
		if v := recover(); v != nil {
			x = exit{exitPanic, &PanicError{Value: v, Stack: debug.Stack()}}
		}
		if x.abnormal() {
			c.failHelper(run, x)
		}
		if chain.free() {
			chain.serve()
		}
		c.endHelper()
	}()
	x = c.judge(run, fn(run))
}

func (c *Child) failHelper(run *runContext, x exit) {
	c.mu.Lock()
	if e := c.extra.Load(); !e.helperExit.abnormal() {
		e.helperExit = x
	}
	c.mu.Unlock()
	run.cancel(runCancelled)
}

func (c *Child) endHelper() {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.extra.Load()
	if e.helpers--; e.helpers == 0 && e.helpersEnd != nil {
		close(e.helpersEnd)
		e.helpersEnd = nil
	}
}
