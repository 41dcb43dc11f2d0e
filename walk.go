package headcount

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// All walks the supervisor and the supervisors below it, each before those below it: declared ones in their order, those
// that are children of dynamic supervisors in the order of their start. It visits them whether they run or not, holds
// nothing while it is ranged over, and costs the same whatever the number of other children.
func (n *node) All() iter.Seq[Node] {
	return func(yield func(Node) bool) { n.walk(yield) }
}

func (n *node) walk(yield func(Node) bool) bool {
	if n.body == nil {
		return true // the zero value
	}
	if !yield(n.self) {
		return false
	}
	for _, below := range n.body.supervisors() {
		if !below.walk(yield) {
			return false
		}
	}
	return true
}

// Find gives the supervisor at this path, which is the supervisor itself or one below it. Those below have their paths
// from the first start of the tree on.
func (n *node) Find(path string) (Node, bool) {
	if n.body == nil {
		return nil, false
	}
	at := n.Path()
	if path == at {
		return n.self, true
	}
	if !strings.HasPrefix(path, at+"/") {
		return nil, false
	}
	for _, below := range n.body.supervisors() {
		if found, ok := below.Find(path); ok {
			return found, true
		}
	}
	return nil, false
}

// Limits gives the limits of the supervisor, in the order of its [TreeNode]. The limits of its gates are not among them.
func (n *node) Limits() []*Limit {
	if n.body == nil {
		return nil
	}
	limits := []*Limit{n.ownLimit}
	if n.descendantsMax != nil {
		limits = append(limits, n.descendantsMax)
	}
	return limits
}

// Limits gives the limits of the supervisor, that of its keys included.
func (k *KeyedSupervisor[K]) Limits() []*Limit {
	if k.perKey == nil {
		return nil
	}
	return append(k.node.Limits(), k.perKey)
}

// Gates gives the gates of the supervisor.
func (n *node) Gates() []*Gate { return slices.Clone(n.gates) }

// Name gives the name of the limit: max_children, max_per_key, max_descendants, or that of its gate.
func (l *Limit) Name() string { return l.name }

// supervisors are the declared ones, in order. One that has a place elsewhere is not among them.
func (s *Supervisor) supervisors() (below []*node) {
	members := s.members()
	if len(members) == 0 {
		members = s.declared // before the first start
	}
	for _, m := range members {
		if sup := m.spec.sup; sup != nil && (!sup.attached() || sup.parent() == &s.node) {
			below = append(below, sup)
		}
	}
	return below
}

func (d *dynamic) supervisors() []*node { return d.nested.inOrder() }

// A nestedList is the supervisors among the children of a dynamic supervisor, so that they are found without a search
// through all children.
type nestedList struct {
	mu    sync.Mutex
	last  uint64
	order map[*node]uint64
}

func (l *nestedList) add(n *node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.order == nil {
		l.order = make(map[*node]uint64)
	}
	l.last++
	l.order[n] = l.last
}

func (l *nestedList) remove(n *node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.order, n)
}

func (l *nestedList) inOrder() []*node {
	l.mu.Lock()
	order := maps.Clone(l.order)
	l.mu.Unlock()
	return slices.SortedFunc(maps.Keys(order), func(a, b *node) int { return cmp.Compare(order[a], order[b]) })
}

// Root gives the root of the tree that the child of ctx is in, so that a child can look at the whole of it. It reports
// false if ctx belongs to no child.
func Root(ctx context.Context) (Node, bool) {
	c := childOf(ctx)
	if c == nil {
		return nil, false
	}
	n := c.home.supervisor()
	for p := n.parent(); p != nil; p = n.parent() {
		n = p
	}
	return n.self, true
}
