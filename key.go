package headcount

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// Keyed is the part of a [KeyedSupervisor] that belongs to one key. It is a [Starter].
type Keyed[K comparable] struct {
	sup *KeyedSupervisor[K]
	key K
}

// errZeroKeyed is what the zero Keyed says.
var errZeroKeyed error = &ConfigError{Path: "(none)", Field: "Keyed", Value: "zero value", Problem: "is of no supervisor: use KeyedSupervisor.At"}

// Go starts fn as a child of the key, like [DynamicSupervisor.Go].
func (k Keyed[K]) Go(ctx context.Context, fn func(ctx context.Context) error, opts ...StartOption) (*Child, error) {
	if k.sup == nil {
		return nil, errZeroKeyed
	}
	if len(opts) == 0 && ctx != nil && fn != nil && k.sup.plainlyFull() {
		return nil, k.sup.refuse(k.sup.own.refusals.Load().full)
	}
	var s start
	if len(opts) > 0 || !k.sup.plainStart(ctx, fn) {
		if err := k.sup.readStart(&s, ctx, fn, opts); err != nil {
			return nil, err
		}
	}
	e, err := k.sup.admit(ctx, k.key, s.class, s.roomy)
	if err != nil {
		return nil, err
	}
	c := newChild(e, fn)
	if s.special {
		c.giveExtra(s.extra())
	}
	e.enter(c)
	go c.live()
	return c, nil
}

// Do runs fn as a child of the key on the caller's goroutine, like [DynamicSupervisor.Do].
func (k Keyed[K]) Do(ctx context.Context, fn func(ctx context.Context) error, opts ...StartOption) error {
	if k.sup == nil {
		return errZeroKeyed
	}
	var s start
	if err := k.sup.readDo(&s, ctx, fn, opts); err != nil {
		return err
	}
	e, err := k.sup.admit(ctx, k.key, s.class, s.roomy)
	if err != nil {
		return err
	}
	c := s.onCaller(ctx, e, fn)
	e.enter(c)
	return c.do(ctx)
}

// StartChild starts a child of the key from its spec, like [DynamicSupervisor.StartChild].
func (k Keyed[K]) StartChild(ctx context.Context, s Specifier) (*Child, error) {
	if k.sup == nil {
		return nil, errZeroKeyed
	}
	spec, err := k.sup.readSpec(ctx, s)
	if err != nil {
		return nil, err
	}
	e, err := k.sup.admit(ctx, k.key, spec.Class, false)
	if err != nil {
		return nil, err
	}
	return k.sup.launch(ctx, e, &k.sup.node, spec, e.enter, e.giveBack)
}

// Count is the number of slots that the key holds.
func (k Keyed[K]) Count() int {
	if k.sup == nil {
		return 0
	}
	s, e := k.sup.keys.lock(k.key)
	defer s.mu.Unlock()
	if e != nil {
		return e.held
	}
	return 0
}

// Lookup gives a child of the key: the one, where a key may hold one.
func (k Keyed[K]) Lookup() (*Child, bool) {
	if k.sup == nil {
		return nil, false
	}
	s, e := k.sup.keys.lock(k.key)
	defer s.mu.Unlock()
	if e != nil && len(e.children) > 0 {
		return e.children[0], true
	}
	return nil, false
}

// Children gives a page of the key's children, like [DynamicSupervisor.Children].
func (k Keyed[K]) Children(q Query) (infos []ChildInfo, next uint64) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	for _, c := range k.children() {
		if c.id <= q.After {
			continue
		}
		if len(infos) == limit {
			return infos, next
		}
		if info := c.Info(); q.Match == nil || q.Match(info) {
			infos = append(infos, info)
			next = c.id
		}
	}
	return infos, 0
}

// children are the key's children in the order of their ids.
func (k Keyed[K]) children() []*Child {
	if k.sup == nil {
		return nil
	}
	s, e := k.sup.keys.lock(k.key)
	var children []*Child
	if e != nil {
		children = slices.Clone(e.children)
	}
	s.mu.Unlock()
	slices.SortFunc(children, func(a, b *Child) int { return cmp.Compare(a.id, b.id) })
	return children
}

// Terminate stops all children of the key at once and waits for each as [Child.Stop] does. It returns nil when they
// have ended, also if there was none; a [StuckError] names those that outlived their allowance.
func (k Keyed[K]) Terminate(ctx context.Context) error {
	if k.sup == nil {
		return errZeroKeyed
	}
	if ctx == nil {
		return &ConfigError{Path: k.sup.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	children := k.children()
	began := time.Now()
	within := false
	for _, c := range children {
		c.ask()
		within = within || c.contains(ctx)
	}
	if within {
		return ErrWithin
	}
	stuck := &StuckError{Path: k.sup.Path() + "/" + k.sup.shown(k.key)}
	for _, c := range children {
		allowance := c.allowance()
		if allowance > 0 {
			allowance = max(allowance-time.Since(began), 0) // all at once: each allowance began at the same time
		}
		err := c.await(ctx, allowance)
		if err != nil && !errors.As(err, new(*StuckError)) {
			return err
		}
		stuck.join(err)
	}
	return stuck.orNil()
}
