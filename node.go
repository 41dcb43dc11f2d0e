package headcount

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// A Node is a supervisor of any kind: [Supervisor], [DynamicSupervisor] or [KeyedSupervisor]. No other type can be one.
type Node interface {
	Specifier
	// Name and Path tell its name, and its place in the tree: myapp/users.
	Name() string
	Path() string
	// Start, Stop and Wait begin, end and await a life of the supervisor.
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Wait(ctx context.Context) error
	// Tree, Counts and Events look at it; Goroutines, CPU and Stack at what runs in the process.
	Tree() TreeNode
	Counts() Counts
	Events(buffer int) *Subscription
	Goroutines(ctx context.Context) (GoroutineCount, error)
	CPU(ctx context.Context, d time.Duration) (CPUCount, error)
	Stack(ctx context.Context, path string, id uint64) (StackReport, error)
	// MaxChildren is the limit on its children, MaxDescendants on its subtree; that is nil if it has none.
	MaxChildren() *Limit
	MaxDescendants() *Limit

	// All, Find, Limits and Gates lead to what can be looked at and changed.
	All() iter.Seq[Node]
	Find(path string) (Node, bool)
	Limits() []*Limit
	Gates() []*Gate

	base() *node
}

// AroundFunc wraps each run of a supervisor's children, for spans and the like. It must call next once, with ctx or a
// context derived from it, and return its error. A panic in it is the child's.
type AroundFunc func(ctx context.Context, info ChildInfo, next func(context.Context) error) error

// A node is what all kinds of supervisors have: a place in the tree, a limit, counters, lives.
//
// A node lives from Start, or from its start as a child, to its stop, and may live again: it is one object for all its
// lives, and children that were stuck at the end of one are still counted in the next.
type node struct {
	name     string
	kind     Kind
	body     body
	self     Node // what the user has
	clock    *clock
	problems []error // what the constructor found; told by Check and Start
	shutdown time.Duration
	around   AroundFunc
	logger   *slog.Logger

	own            level
	ownLimit       *Limit
	descendants    *level // nil without MaxDescendants
	descendantsMax *Limit
	reserve        *reserve // nil without Reserve
	gates          []*Gate

	place  atomic.Pointer[place]
	phase  atomic.Uint32
	runner atomic.Pointer[Child] // the child that runs it, or ran it last

	bus      eventBus
	refused  refusedCounter
	stuck    atomic.Int64 // of its own children
	left     stuckList    // of the subtree
	restarts atomic.Uint64
	// restarting counts the children between two runs.
	restarting atomic.Int64
	// Of a root: the profiles that were asked for.
	goroutines shared[goroutineProfile]
	cpu        shared[cpuProfile]

	mu struct {
		sync.Mutex
		attached  bool
		finalized bool // its last life is over; it keeps its place while children are left
		reserved  bool // the reserve has been taken at the levels above

		limitSources map[string]*LimitSource
	}
}

// A body is the part of a supervisor that differs from kind to kind.
type body interface {
	// check finds what is wrong below the node.
	check(v *validation)
	// attachBelow gives the declared supervisors their places.
	attachBelow() error
	// live is one life: it calls Ready and returns when all is stopped.
	live(ctx context.Context) error
	// finalize gives back what outlasts a life: the slots of declared specs, the places of declared supervisors.
	finalize()
	// budget is what its children charge.
	budget() *byteBudget
	describe(t *TreeNode)
	// supervisors are those directly below.
	supervisors() []*node
}

// A place is where in a tree a node is. It is replaced as a whole.
type place struct {
	parent  *node
	path    string
	chain   chain           // the levels above the node's own that a child of it must pass
	labels  context.Context // the labels of its children in profiles
	stopped error
	down    error
}

// The phases of a node. Starts are admitted in phaseRunning only; the closing mark of its level says so.
const (
	phaseNew      = iota // never started
	phaseRunning         // from the start of its first child on
	phaseStopping        // no more starts
	phaseStopped         // for good, unless it is started again; or its parent has not decided yet
	phaseBetween         // its parent is about to start it again
)

func (n *node) init(name string, kind Kind, b body, limit limitSpec) {
	n.name, n.kind, n.body, n.clock = name, kind, b, newClock(time.Now())
	n.refused = newRefusedCounter()
	if p := nameProblem(name); p != "" {
		n.problem("name", name, p)
	}
	n.own.reason = ReasonMaxChildren
	n.own.mark(wordClosed)
	n.setPlace(nil, "")
	n.ownLimit = n.newLimit(limit, &n.own)
}

func (n *node) setDescendants(s limitSpec) {
	if s.given {
		n.descendants = &level{reason: ReasonMaxDescendants}
		n.descendantsMax = n.newLimit(s, n.descendants)
	}
}

func (n *node) setReserve(size int) {
	switch {
	case size < 0 || size > MaxLimit:
		n.problem("Reserve", size, "is not between 0 and MaxLimit")
	case size > 0:
		n.reserve = &reserve{size: uint64(size)}
	}
}

func (n *node) newLimit(s limitSpec, l *level) *Limit {
	if p := s.problem(); p != "" {
		n.problem(l.reason.String(), s.value, p)
		s.value = 0
	}
	return newLimit(l.reason.String(), s, n, func(inForce int) func() {
		serve := l.setLimit(inForce)
		l.nameRefusals(n.Path())
		if !serve {
			return nil
		}
		return l.serve
	})
}

func (n *node) problem(field string, value any, problem string) {
	n.problems = append(n.problems, &ConfigError{Path: n.name, Field: field, Value: value, Problem: problem})
}

func (n *node) base() *node { return n }

// Name gives the name that the supervisor was made with.
func (n *node) Name() string { return n.name }

// Path gives its place in the tree, such as myapp/users; its name, while it is in none.
func (n *node) Path() string { return n.place.Load().path }

// MaxChildren gives the limit on the supervisor's own children.
func (n *node) MaxChildren() *Limit { return n.ownLimit }

// MaxDescendants gives the limit on all descendants together, nil if the supervisor has none.
func (n *node) MaxDescendants() *Limit { return n.descendantsMax }

// Events subscribes to what happens to the supervisor and to everything below it. Up to buffer events wait to be read
// (zero: 256); what comes when they do is dropped and counted. Close the subscription when it is not read any more.
func (n *node) Events(buffer int) *Subscription { return n.bus.subscribe(buffer) }

// emit tells the subscribers of the node and of all above it.
func (n *node) emit(e Event) {
	for ; n != nil; n = n.parent() {
		n.bus.emit(e)
	}
}

// now is the time since the node was made: it is read from the monotonic clock.
func (n *node) now() time.Duration { return n.clock.now() }

func (n *node) parent() *node { return n.place.Load().parent }

// setPlace puts the node below parent; above is the path there, which may have a key in it.
func (n *node) setPlace(parent *node, above string) {
	p := &place{parent: parent, path: joinPath(above, n.name)}
	if n.descendants != nil {
		p.chain = append(p.chain, step{level: n.descendants})
	}
	if parent != nil {
		if n.reserve != nil {
			p.chain = append(p.chain, step{reserve: n.reserve})
		}
		p.chain = append(p.chain, parent.place.Load().chain...)
	}
	p.labels = pprof.WithLabels(context.Background(), pprof.Labels(labelSupervisor, p.path))
	p.stopped = fmt.Errorf("%s: %w", p.path, ErrStopped)
	p.down = fmt.Errorf("%s: %w", p.path, ErrNotRunning)
	n.place.Store(p)
	n.own.nameRefusals(p.path)
	if n.descendants != nil {
		n.descendants.nameRefusals(p.path)
	}
}

// attach gives the node and the supervisors declared below it their places. It fails if the node has a place already.
// The tree has been checked before; what a race between two starts brings together nevertheless is caught here.
func (n *node) attach(parent *node, above string) error {
	n.mu.Lock()
	taken := n.takenLocked(parent)
	if !taken {
		n.mu.attached, n.mu.finalized = true, false
	}
	n.mu.Unlock()
	if taken {
		return &ConfigError{Path: n.Path(), Field: "parent", Value: parentName(parent), Problem: "is one too many: the supervisor has a place in a tree already"}
	}
	n.setPlace(parent, above)
	if err := n.body.attachBelow(); err != nil {
		n.mu.Lock()
		n.mu.attached = false
		n.mu.Unlock()
		return err
	}
	return nil
}

func (n *node) attached() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.attached && !n.mu.finalized
}

func parentName(parent *node) string {
	if parent == nil {
		return "(root)"
	}
	return parent.Path()
}

// takenLocked reports whether the node cannot be put below parent: it lives, or has left children behind elsewhere, whose
// slots belong to the levels above them there.
func (n *node) takenLocked(parent *node) bool {
	if !n.mu.attached {
		return false
	}
	return !n.mu.finalized || (n.own.count() > 0 || n.left.count() > 0) && n.parent() != parent
}

// finalize ends the last life of a node: what it held beyond its children is given back.
func (n *node) finalize() {
	n.body.finalize()
	n.staysDown()
	n.mu.Lock()
	reserved := n.mu.reserved
	n.mu.reserved = false
	n.mu.finalized = true
	n.mu.Unlock()
	if reserved {
		n.freeReserve(n.reserve.lend())
	}
}

// takeReserve takes the slots of the reserve at the levels above, all or none.
func (n *node) takeReserve() error {
	n.mu.Lock()
	reserved := n.mu.reserved
	n.mu.Unlock()
	parent := n.parent()
	if n.reserve == nil || reserved || parent == nil {
		return nil
	}
	above := parent.place.Load().chain
	for taken := range int(n.reserve.size) {
		blocked, serve := above.take()
		if serve {
			above.serve()
		}
		if blocked != nil {
			n.freeReserve(taken)
			return n.refuse(blocked.refusals.Load().full)
		}
	}
	n.reserve.hold()
	n.mu.Lock()
	n.mu.reserved = true
	n.mu.Unlock()
	return nil
}

func (n *node) freeReserve(size int) {
	above := n.parent().place.Load().chain
	serve := false
	for range size {
		serve = above.free() || serve
	}
	if serve {
		above.serve()
	}
}

// ChildSpec makes the supervisor a child of another one: permanent, awaited until its own children have started, and
// stopped without a time limit of its own.
func (n *node) ChildSpec() ChildSpec {
	return ChildSpec{Name: n.name, Run: n.run, AwaitReady: true, sup: n}
}

// run is one life of the node, as a child.
func (n *node) run(ctx context.Context) error {
	n.runner.Store(childOf(ctx))
	if err := n.takeReserve(); err != nil {
		n.staysDown()
		return err
	}
	err := n.body.live(ctx)
	n.phase.Store(phaseStopped)
	n.emit(SupervisorStopped{Path: n.Path(), Time: time.Now(), Err: err})
	return err
}

// open lets starts in, close keeps them out. In between two lives nothing is admitted.
func (n *node) open() {
	n.phase.Store(phaseRunning)
	n.own.unmark(wordClosed)
}

func (n *node) close() {
	n.phase.Store(phaseStopping)
	n.own.mark(wordClosed)
}

// shut reports whether no starts are let in. It is what the closing mark says, but for an instant in close when the mark
// is about to be set, and it is read without touching the word that all starts change.
func (n *node) shut() bool { return n.phase.Load() != phaseRunning }

// notRunning is the error of a start that found the supervisor closed.
func (n *node) notRunning() error {
	switch n.phase.Load() {
	case phaseNew, phaseBetween:
		return n.place.Load().down
	case phaseStopped:
		if n.comesBackWithParent() {
			return n.place.Load().down
		}
	}
	return n.place.Load().stopped
}

// comesBack and staysDown tell a supervisor that has ended whether it will have another life: who wants to start a child
// there meanwhile is told that it does not run, or that it has stopped. They may be called in any phase.
func (n *node) comesBack() { n.phase.CompareAndSwap(phaseStopped, phaseBetween) }
func (n *node) staysDown() { n.phase.CompareAndSwap(phaseBetween, phaseStopped) }

// comesBackWithParent reports whether a supervisor above, with which it has stopped, is between two lives.
func (n *node) comesBackWithParent() bool {
	for n.attached() {
		if n = n.parent(); n == nil {
			return false
		}
		if phase := n.phase.Load(); phase != phaseStopped {
			return phase == phaseBetween
		}
	}
	return false
}

// Start starts the supervisor as the root of a tree. First the whole tree is checked; then the declared children are
// started in order, each awaited until it is ready. If one cannot be started, those that were are stopped in reverse
// order, and the error, a [StartError], says which and why. Errors of the check are of type [ConfigError], joined. ctx
// bounds the start only. Starting a supervisor that runs is [ErrAlreadyStarted]. Once stopped it may be started again.
func (n *node) Start(ctx context.Context) error {
	if n.body == nil {
		return errZeroSupervisor
	}
	if ctx == nil {
		return &ConfigError{Path: n.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	if last := n.runner.Load(); last != nil && !last.hasEnded() {
		return fmt.Errorf("%s: %w", n.Path(), ErrAlreadyStarted)
	}
	if err := checkRoot(n); err != nil {
		return err
	}
	if err := n.attach(nil, ""); err != nil {
		return errors.Join(ErrAlreadyStarted, err)
	}
	root := &rootHome{node: n}
	c := newChild(root, n.run)
	c.started = n.now()
	spec := n.ChildSpec()
	c.giveExtra(&extra{spec: &spec, ready: make(chan struct{})})
	c.flags.Or(flagStarting)
	n.runner.Store(c)
	root.log()
	go c.live()
	return c.awaitReady(ctx)
}

// Stop stops the supervisor and everything below it, and waits until that is done. When it returns nil, no child of the
// subtree is left. A [StuckError] names the children that outlived their allowance. If ctx ends first, Stop returns its
// error and the stop goes on. Called from inside the subtree, with a context of a child there, it returns [ErrWithin]
// at once and the stop goes on. It may be called again; before the first start it is [ErrNotRunning]. A supervisor that
// is a child of another one stays stopped until that one restarts it.
func (n *node) Stop(ctx context.Context) error {
	c := n.runner.Load()
	if c == nil {
		return n.notRunning()
	}
	return c.Stop(ctx)
}

// Wait blocks until the present life of the supervisor has ended, and returns why: nil for a stop that left nothing
// behind, a [StuckError], an [IntensityError] if it gave up. If ctx ends first, Wait returns its error.
func (n *node) Wait(ctx context.Context) error {
	c := n.runner.Load()
	if c == nil {
		return n.notRunning()
	}
	return c.Wait(ctx)
}
