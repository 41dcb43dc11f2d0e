package headcount

import (
	"fmt"
	"maps"
	"sync"
)

// nestlings are the supervisors below a dynamic one, by their paths. A worker is told apart by its id; what is below a
// supervisor, its events and its goroutines are told by the path alone, so no two may have the same.
//
// One keeps its path until it has ended and nothing that it has left behind is there any more.
type nestlings struct {
	sync.Mutex // before node.mu
	at         map[string]*node
	sweep      int // with so many entries those that keep nothing are dropped
}

// attach gives sup its place below parent.
func (n *nestlings) attach(sup, parent *node, above string) error {
	path := joinPath(above, sup.name)
	n.Lock()
	defer n.Unlock()
	if other := n.at[path]; other != nil && other != sup && other.keepsPath(path) {
		return fmt.Errorf("%s: %w: a supervisor of this name", path, ErrAlreadyStarted)
	}
	if err := sup.attach(parent, above); err != nil {
		return err
	}
	if n.at == nil {
		n.at = make(map[string]*node)
	}
	n.at[path] = sup
	if len(n.at) > n.sweep {
		maps.DeleteFunc(n.at, func(path string, s *node) bool { return !s.keepsPath(path) })
		n.sweep = 2*len(n.at) + 16
	}
	return nil
}

// forget notes that sup has ended.
func (n *nestlings) forget(sup *node) {
	path := sup.Path()
	n.Lock()
	defer n.Unlock()
	if n.at[path] == sup && !sup.keepsPath(path) {
		delete(n.at, path)
	}
}

// keepsPath reports whether a supervisor is at this path still, with all of it or with what it has left behind.
func (n *node) keepsPath(path string) bool {
	return n.Path() == path && (n.attached() || n.own.count() > 0 || n.left.count() > 0)
}
