package headcount

import (
	"context"
	"time"
)

// ask asks the child to stop: its context ends and it will not run again.
func (c *Child) ask() {
	c.mu.Lock()
	c.flags.Or(flagStopping)
	run := c.currentLocked()
	c.mu.Unlock()
	run.cancel(runCancelled)
}

// Stop ends the child's context and waits until the child has ended, for its allowance at the most. It returns nil once
// the child has ended, however it did. A [StuckError] says that it has outlived its allowance: it keeps its slot until
// it returns. If ctx ends first, Stop returns its error and the child goes on stopping. Called from inside the child it
// does not wait and returns [ErrWithin]. A stopped child is not restarted.
func (c *Child) Stop(ctx context.Context) error {
	if ctx == nil {
		return &ConfigError{Path: c.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	c.ask()
	if c.contains(ctx) {
		return ErrWithin
	}
	return c.await(ctx, c.allowance())
}

// contains reports whether ctx belongs to this child or to one below it.
func (c *Child) contains(ctx context.Context) bool {
	for inner := childOf(ctx); inner != nil; {
		if inner == c {
			return true
		}
		for n := inner.home.supervisor(); n != nil; n = n.parent() {
			if n.runner.Load() == c {
				return true
			}
		}
		caller := inner.first.callerNow()
		if caller == nil {
			return false
		}
		inner = childOf(caller)
	}
	return false
}

// await waits for the end of a child that was asked to stop.
func (c *Child) await(ctx context.Context, allowance time.Duration) error {
	var over <-chan time.Time
	switch {
	case allowance >= 0:
		timer := time.NewTimer(allowance)
		defer timer.Stop()
		over = timer.C
	case allowance == ShutdownNow:
		if !c.hasEnded() {
			return c.overdue(0)
		}
	}
	select {
	case <-c.Done():
		return c.leftBehind()
	case <-ctx.Done():
		return ctx.Err()
	case <-over:
		if c.hasEnded() {
			return c.leftBehind()
		}
		return c.overdue(allowance)
	}
}

// overdue is the end of waiting for a child. One that has returned and only has its tail left is waited for.
func (c *Child) overdue(allowance time.Duration) error {
	if err := c.markStuck(allowance); err != nil {
		return err
	}
	<-c.Done()
	return c.leftBehind()
}

// leftBehind is what a supervisor that has ended says of children that have not. For any other child, and once they
// have returned, it is nil.
func (c *Child) leftBehind() error {
	x := c.extra.Load()
	if x == nil || x.spec.sup == nil {
		return nil
	}
	return x.spec.sup.stuckNow().orNil()
}

// markStuck notes that the child has outlived its allowance. It returns nil if the child has returned just now.
func (c *Child) markStuck(allowance time.Duration) error {
	n := c.home.supervisor()
	path := c.Path()
	fresh := false
	c.mu.Lock()
	x := c.extraLocked()
	flags := c.flags.Load()
	for flags&(flagStuck|flagLeaving) == 0 && !fresh {
		x.stuckSince = n.now()
		// One step with the look at the flags: a child that leaves meanwhile is not to be counted any more.
		if fresh = c.flags.CompareAndSwap(flags, flags|flagStuck); fresh {
			n.noteStuck(c)
		}
		flags = c.flags.Load()
	}
	c.mu.Unlock()
	switch {
	case fresh:
		n.emit(ChildStuck{Path: path, Time: time.Now(), ID: c.id, After: allowance})
	case flags&flagStuck == 0:
		return nil
	}
	return &StuckError{Path: path, Paths: []string{path}, Total: 1}
}

// unstick is the counterpart of markStuck, when the child has returned after all and its slots are free.
func (c *Child) unstick() {
	n := c.home.supervisor()
	c.mu.Lock() // markStuck has counted it
	since := c.extra.Load().stuckSince
	c.mu.Unlock()
	n.forgetStuck(c)
	n.emit(ChildUnstuck{Path: c.Path(), Time: time.Now(), ID: c.id, Stuck: n.now() - since})
}

// allowance is how long a stop waits for the child.
func (c *Child) allowance() time.Duration {
	n := c.home.supervisor()
	if x := c.extra.Load(); x != nil {
		if x.spec.Shutdown != 0 {
			return x.spec.Shutdown
		}
		if x.spec.sup != nil {
			return ShutdownInfinity
		}
	}
	if n.shutdown != 0 {
		return n.shutdown
	}
	return defaultShutdown
}
