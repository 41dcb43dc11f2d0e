package headcount

import "context"

// A Starter starts children: a [DynamicSupervisor], or one key of a [KeyedSupervisor]. What only needs a place for its
// work, such as [Async] and [Stream], takes a Starter, so that the limit is its caller's choice.
type Starter interface {
	// Go starts fn as a child.
	Go(ctx context.Context, fn func(ctx context.Context) error, opts ...StartOption) (*Child, error)
	// StartChild starts a child from its spec.
	StartChild(ctx context.Context, s Specifier) (*Child, error)
	// Do runs fn as a child on the caller's goroutine.
	Do(ctx context.Context, fn func(ctx context.Context) error, opts ...StartOption) error
}

var (
	_ Starter = (*DynamicSupervisor)(nil)
	_ Starter = Keyed[string]{}
)

// startsAt gives the supervisor behind a Starter of ours, or nil.
func (d *DynamicSupervisor) startsAt() *dynamic {
	if d == nil {
		return nil
	}
	return &d.dynamic
}

func (k Keyed[K]) startsAt() *dynamic {
	if k.sup == nil {
		return nil
	}
	return &k.sup.dynamic
}

// checkStarter finds what is wrong with starting work that has a result. For what the start itself finds it is left to
// the start.
func checkStarter(use string, s Starter, opts []StartOption) error {
	path := "headcount"
	ours, ok := s.(interface{ startsAt() *dynamic })
	switch {
	case s == nil, ok && ours.startsAt() == nil:
		return &ConfigError{Path: path, Field: use + ".s", Value: nil, Problem: "is nil: there is no supervisor to start children"}
	case ok:
		path = ours.startsAt().Path()
	}
	for _, o := range opts {
		if o.kind == optionRestart && Restart(o.n) == Permanent {
			return &ConfigError{Path: path, Field: use + ".WithRestart", Value: Permanent, Problem: "does not go with a result: a permanent child never ends for good"}
		}
	}
	return nil
}
