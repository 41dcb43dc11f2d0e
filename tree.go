package headcount

import (
	"iter"
	"time"
)

// A TreeNode describes a supervisor at one moment: itself, its declared children, and the supervisors among them. The
// children of dynamic supervisors are not listed, only counted; [DynamicSupervisor.Children] gives pages of them.
type TreeNode struct {
	Name     string
	Path     string
	Kind     Kind
	Strategy Strategy // of a Supervisor
	State    State
	Since    time.Time // when its present life began

	Counts       Counts
	Limits       []LimitSnapshot // max_children, max_per_key, max_descendants: those it has
	Gates        []GateSnapshot
	LimitSources []LimitSource // files and the like, see [ReportLimits]; mostly at the root
	Queue        int           // how many starts may wait
	Reserve      int

	Descendants     int // under its MaxDescendants; without one: not counted, -1
	DescendantsPeak int

	// RestartsUsed of RestartsAllowed are used up in the present RestartsWithin. For a dynamic supervisor without
	// Escalate the budget is each child's own, and nothing is used here.
	RestartsUsed    int
	RestartsAllowed int
	RestartsWithin  time.Duration

	Oldest   time.Duration // age of the child that started first; of a dynamic supervisor nearly so
	Workers  []ChildInfo   // the declared children that are not supervisors
	Children []TreeNode    // the declared supervisors
}

// All walks the supervisors of the tree, each before those below it.
func (t TreeNode) All() iter.Seq[TreeNode] {
	return func(yield func(TreeNode) bool) { t.walk(yield) }
}

func (t TreeNode) walk(yield func(TreeNode) bool) bool {
	if !yield(t) {
		return false
	}
	for _, c := range t.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Find gives the supervisor at this path.
func (t TreeNode) Find(path string) (TreeNode, bool) {
	for n := range t.All() {
		if n.Path == path {
			return n, true
		}
	}
	return TreeNode{}, false
}

// Tree describes the supervisor and the declared ones below it. It costs about the same whatever the number of dynamic
// children, and stops none of them.
func (n *node) Tree() TreeNode {
	t := TreeNode{
		Name: n.name, Path: n.Path(), Kind: n.kind, State: n.state(),
		Limits: []LimitSnapshot{n.ownLimit.Snapshot()}, Descendants: -1,
	}
	if c := n.runner.Load(); c != nil {
		t.Since = c.began()
	}
	if n.descendants != nil {
		t.Limits = append(t.Limits, n.descendantsMax.Snapshot())
		t.Descendants, t.DescendantsPeak = n.descendants.count(), int(n.descendants.peak.Load())
	}
	for _, g := range n.gates {
		t.Gates = append(t.Gates, g.Snapshot())
	}
	t.LimitSources = n.limitSources()
	if n.reserve != nil {
		t.Reserve = int(n.reserve.size)
	}
	n.body.describe(&t)
	return t
}

func (n *node) state() State {
	c := n.runner.Load()
	if c == nil {
		return StateStopped
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return stateOf(c.flags.Load())
}

// began is when the present run of the child began.
func (c *Child) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.home.supervisor()
	since := c.started
	if x := c.extra.Load(); x != nil && x.began > since {
		since = x.began
	}
	return n.clock.epoch.Add(since)
}

func (d *dynamic) describe(t *TreeNode) {
	t.Counts = d.Counts()
	t.Queue = d.queue.length
	in := d.opts.intensity
	if d.opts.escalate {
		in = d.opts.common
		d.life.Lock()
		t.RestartsUsed = d.life.window.used(d.now(), in)
		d.life.Unlock()
	}
	t.RestartsAllowed, t.RestartsWithin = in.Restarts, in.Within
	if c := d.registry.oldest(); c != nil {
		t.Oldest = d.now() - c.started
	}
}
