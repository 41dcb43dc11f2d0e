package headcount

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// A stuckList is the stuck children of a subtree that have not returned, with the order in which they became stuck.
// Each supervisor keeps one, so that its stop names exactly those that are left, also where what was between it and them
// has ended or is gone.
type stuckList struct {
	mu       sync.Mutex
	last     uint64
	children map[*Child]uint64
}

// noteStuck enters a child of this node that has become stuck, here and at all supervisors above. Its counterpart,
// forgetStuck, comes when the child's slots are free: until then there is something left.
func (n *node) noteStuck(c *Child) {
	n.stuck.Add(1)
	for ; n != nil; n = n.parent() {
		n.left.add(c)
	}
}

func (n *node) forgetStuck(c *Child) {
	n.stuck.Add(-1)
	for ; n != nil; n = n.parent() {
		n.left.remove(c)
	}
}

func (l *stuckList) add(c *Child) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.children == nil {
		l.children = make(map[*Child]uint64)
	}
	l.last++
	l.children[c] = l.last
}

func (l *stuckList) remove(c *Child) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.children, c)
}

func (l *stuckList) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.children)
}

// stuckNow names the children of the subtree that are stuck. Paths are asked for under no lock: they are the user's to
// give.
func (n *node) stuckNow() *StuckError {
	n.left.mu.Lock()
	order := maps.Clone(n.left.children)
	n.left.mu.Unlock()
	children := slices.SortedFunc(maps.Keys(order), func(a, b *Child) int { return cmp.Compare(order[a], order[b]) })
	e := &StuckError{Path: n.Path(), Total: len(children)}
	for _, c := range children[:min(len(children), maxReported)] {
		e.Paths = append(e.Paths, c.Path())
	}
	return e
}
