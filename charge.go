package headcount

import (
	"context"
	"fmt"
	"math"
	"sync"
)

// A byteBudget is what the children of one supervisor say that they hold, with a limit for all. The lock makes it
// exact: charges are rare beside starts.
type byteBudget struct {
	mu    sync.Mutex
	limit int64 // zero is none
	held  int64
}

// Charge accounts bytes that the child of ctx holds, against its own MaxBytes and its supervisor's; a negative number
// gives bytes back. What a child still holds when its run ends is given back for it. A charge that would pass a
// budget changes nothing and returns an error that matches [ErrMaxBytes]; so does giving back more than is held, as a
// [ConfigError]. With the context of no child it returns [ErrNoChild].
//
// Go cannot cap the memory of a goroutine: Charge bounds what children declare.
func Charge(ctx context.Context, bytes int64) error {
	c := childOf(ctx)
	if c == nil {
		return ErrNoChild
	}
	return c.home.supervisor().body.budget().charge(c, bytes)
}

func (b *byteBudget) charge(c *Child, bytes int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flags.Load()&flagLeaving != 0 {
		return fmt.Errorf("%s: %w", c.Path(), ErrStopped)
	}
	x := c.extraLocked()
	switch own := x.spec.MaxBytes; {
	case bytes < 0 && x.bytes+bytes < 0:
		return &ConfigError{Path: c.home.supervisor().Path(), Field: "Charge.bytes", Value: bytes, Problem: fmt.Sprintf("gives back more than the %d held", x.bytes)}
	case bytes > 0 && own > 0 && bytes > own-x.bytes:
		return fmt.Errorf("%s: %w: %d held by the child of %d, %d more asked for", c.home.supervisor().Path(), ErrMaxBytes, x.bytes, own, bytes)
	case bytes > 0 && bytes > math.MaxInt64-b.held:
		return fmt.Errorf("%s: %w: %d held by all children, %d more cannot be counted", c.home.supervisor().Path(), ErrMaxBytes, b.held, bytes)
	case bytes > 0 && b.limit > 0 && bytes > b.limit-b.held:
		return fmt.Errorf("%s: %w: %d held by all children of %d, %d more asked for", c.home.supervisor().Path(), ErrMaxBytes, b.held, b.limit, bytes)
	}
	x.bytes += bytes
	b.held += bytes
	return nil
}

// release gives back what a child that leaves still holds.
func (b *byteBudget) release(c *Child) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.extra.Load(); x != nil {
		b.held -= x.bytes
		x.bytes = 0
	}
}

func (b *byteBudget) total() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}
