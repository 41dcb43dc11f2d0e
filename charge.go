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
	refused, held, most := b.take(c, bytes)
	// What the child is called is the user's code to say: no lock is held here.
	path := c.home.supervisor().Path()
	switch refused {
	case chargeEnded:
		return fmt.Errorf("%s: %w", path, ErrStopped)
	case chargeNegative:
		return &ConfigError{Path: path, Field: "Charge.bytes", Value: bytes, Problem: fmt.Sprintf("gives back more than the %d held", held)}
	case chargeOwn:
		return fmt.Errorf("%s: %w: %d held by the child of %d, %d more asked for", path, ErrMaxBytes, held, most, bytes)
	case chargeAll:
		return fmt.Errorf("%s: %w: %d held by all children of %d, %d more asked for", path, ErrMaxBytes, held, most, bytes)
	}
	return nil
}

type chargeVerdict uint8

const (
	charged        chargeVerdict = iota
	chargeEnded                  // the child is on its way out
	chargeNegative               // more is given back than is held
	chargeOwn                    // above the child's own budget
	chargeAll                    // above the supervisor's
)

// take decides and accounts in one step. It returns what was held, and of how much, where it refuses.
func (b *byteBudget) take(c *Child, bytes int64) (v chargeVerdict, held, most int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.extraLocked() // before the look at the flag: a child that leaves now finds it, and gives back what it holds
	limit := b.limit
	if limit == 0 {
		limit = math.MaxInt64
	}
	switch own := x.spec.MaxBytes; {
	case c.flags.Load()&flagLeaving != 0:
		return chargeEnded, 0, 0
	case bytes < 0 && x.bytes+bytes < 0:
		return chargeNegative, x.bytes, 0
	case bytes > 0 && own > 0 && bytes > own-x.bytes:
		return chargeOwn, x.bytes, own
	case bytes > 0 && bytes > limit-b.held:
		return chargeAll, b.held, limit
	}
	x.bytes += bytes
	b.held += bytes
	return charged, 0, 0
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
