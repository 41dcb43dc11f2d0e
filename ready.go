package headcount

import (
	"context"
	"time"
)

// Ready tells that the child whose context this is has started: the start call returns now. Calling it again, in a
// child without AwaitReady, or with the context of no child does nothing.
func Ready(ctx context.Context) {
	if c := childOf(ctx); c != nil {
		c.markReady()
	}
}

func (c *Child) markReady() {
	if c.flags.Or(flagReady)&flagReady != 0 {
		return
	}
	c.flags.And(^uint32(flagStarting))
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.extra.Load(); x != nil && x.ready != nil {
		close(x.ready)
		x.ready = nil
	}
}

// failReady ends a run that was not ready in time.
func (c *Child) failReady(run *runContext) {
	if c.flags.Load()&flagReady != 0 {
		return
	}
	c.mu.Lock()
	x := c.extraLocked()
	if !run.over && !x.helperExit.abnormal() {
		x.helperExit = exit{exitError, ErrNotReady}
	}
	c.mu.Unlock()
	run.cancel(runCancelled)
}

// awaitReady waits for the start of a child with AwaitReady. On an error the child will not run on: it has ended, or
// was asked to and keeps its slot until it returns.
func (c *Child) awaitReady(ctx context.Context) error {
	c.mu.Lock()
	x := c.extra.Load()
	var ready chan struct{}
	if x != nil {
		ready = x.ready
	}
	c.mu.Unlock()
	if ready == nil { // it has been ready already, or need not be
		return nil
	}
	var tooLate <-chan time.Time
	if x.spec.ReadyWithin > 0 {
		timer := time.NewTimer(x.spec.ReadyWithin)
		defer timer.Stop()
		tooLate = timer.C
	}
	var err error
	select {
	case <-ready:
		return nil
	case <-c.Done():
		select {
		case <-ready:
			return nil // it was ready, and has ended since
		default:
		}
		switch err = c.result(); err {
		case nil:
			err = ErrStopped
		case ErrIgnore:
			return nil
		}
	case <-ctx.Done():
		err = ctx.Err()
		c.abandon()
	case <-tooLate:
		err = ErrNotReady
		c.abandon()
	}
	if below, ok := err.(*StartError); ok { // of a supervisor: it names the child that failed
		return below
	}
	return &StartError{Path: c.Path(), Err: err}
}

// abandon asks the child to stop without waiting for it. If it outlives its allowance, it is told to be stuck.
func (c *Child) abandon() {
	c.ask()
	c.flags.And(^uint32(flagStarting)) // nobody waits for it any more: how it ends is told as any end is
	switch allowance := c.allowance(); {
	case allowance == ShutdownInfinity:
	case c.hasEnded():
	default:
		allowance = lasting(allowance)
		time.AfterFunc(allowance, func() {
			if !c.hasEnded() {
				c.markStuck(allowance)
			}
		})
	}
}
