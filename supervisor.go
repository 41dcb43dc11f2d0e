package headcount

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Supervisor starts the children that it was declared with in order, restarts them by its strategy, and stops them in
// reverse order. Children may be added, terminated, restarted and deleted while it runs. All methods may be called from
// many goroutines.
//
// A child that fails more often than Intensity allows makes the supervisor give up: it stops all children and fails
// with an [IntensityError], which its own supervisor treats as it treats any failure.
//
// Each declared child holds its slot, at this supervisor and at every subtree limit above, from the start until the
// supervisor is stopped for good or the child's spec is deleted: a restart is never refused for lack of room.
type Supervisor struct {
	node
	cfg      SupervisorConfig
	declared []*member
	held     byteBudget
	lastID   atomic.Uint64
	wake     chan struct{} // there is something for the owner to see to

	// life is guarded by its lock. No user code runs under it, and nobody waits holding it. The order of starts and
	// stops is kept by one owner, the goroutine that runs the supervisor.
	life struct {
		sync.Mutex
		members     []*member // in start order
		leaving     []*Child  // not their member's any more, but their tail is not over
		window      restartWindow
		consecutive int           // group restarts without a stable time in between
		lastGroup   time.Duration // when the last one began
		failure     error         // it gives up
		autoStop    bool          // its significant children have ended
		booted      bool          // the declared children have started
		started     uint64
		exits       [exitKinds]uint64
	}
}

// A SupervisorConfig says how a [Supervisor] treats its children. The zero value is one_for_one with 3 restarts in 5 s.
type SupervisorConfig struct {
	Strategy Strategy
	// Intensity is the budget of restarts of all children together; the restart of a group costs one. The zero value is
	// 3 within 5 s.
	Intensity Intensity
	// AutoShutdown stops the supervisor when significant children have ended for good.
	AutoShutdown AutoShutdown
	// Backoff spaces the restarts. The zero value waits not at all for the first, then from 100 ms up to 10 s.
	Backoff Backoff
	// Shutdown is the allowance of children that do not have their own. Zero is 5 s.
	Shutdown time.Duration
	// MaxChildren limits the specs that the supervisor holds. The zero value is MaxChildren(1000).
	MaxChildren ChildLimit
	// MaxDescendants limits all children below the supervisor together, at any depth. The zero value is no such limit.
	MaxDescendants DescendantLimit
	// Reserve keeps so many slots of every limit above for this supervisor's subtree alone. A root cannot have one.
	Reserve int
	// MaxBytes is the budget of the declared children together for Charge. Zero is none.
	MaxBytes int64
	// Gates are limits beside the supervisor's own that another package keeps.
	Gates []*Gate
	// Check is asked, when the tree is checked, for what is wrong that only the maker of the supervisor can know. It
	// starts nothing. A [ConfigError] that it returns, or joins to others, need not know its Path.
	Check func() error
	// Around wraps each run of a child.
	Around AroundFunc
	// Logger is where events are logged if the supervisor is a root. Nil is slog.Default().
	Logger *slog.Logger
}

const defaultMaxChildren = 1000

// NewSupervisor makes a supervisor with these children. Nothing runs until it is started. What is wrong with it or its
// children is told by [Check] and by the start.
func NewSupervisor(name string, cfg SupervisorConfig, children ...Specifier) *Supervisor {
	s := &Supervisor{cfg: cfg, wake: make(chan struct{}, 1)}
	if !cfg.MaxChildren.spec.given {
		cfg.MaxChildren = MaxChildren(max(defaultMaxChildren, len(children)))
	}
	s.node.init(name, SupervisorKind, s, cfg.MaxChildren.spec)
	s.self = s
	s.node.shutdown, s.node.around, s.node.logger = cfg.Shutdown, cfg.Around, cfg.Logger
	s.setDescendants(cfg.MaxDescendants.spec)
	s.setReserve(cfg.Reserve)
	s.addGates(cfg.Gates)
	s.setPlace(nil, "")
	s.held.limit = cfg.MaxBytes
	for i, child := range children {
		if isNil(child) {
			s.problem(fmt.Sprintf("children[%d]", i), nil, "is nil")
			continue
		}
		spec := child.ChildSpec()
		s.declared = append(s.declared, &member{sup: s, spec: spec})
	}
	if most := cfg.MaxChildren.spec.value; most >= 0 && len(children) > most {
		s.problem("max_children", most, fmt.Sprintf("is less than the %d children declared", len(children)))
	}
	s.checkConfig()
	s.cfg.Intensity = cfg.Intensity.orDefault(defaultIntensity)
	s.cfg.Backoff = cfg.Backoff.orDefault(defaultBackoff)
	return s
}

func (s *Supervisor) checkConfig() {
	cfg := &s.cfg
	if cfg.Strategy > RestForOne {
		s.problem("Strategy", cfg.Strategy, "is not a strategy")
	}
	if cfg.AutoShutdown > AllSignificant {
		s.problem("AutoShutdown", cfg.AutoShutdown, "is not a kind of automatic shutdown")
	}
	if field, p := cfg.Intensity.problem(); p != "" {
		s.problem("Intensity."+field, cfg.Intensity, p)
	}
	if field, p := cfg.Backoff.problem(); p != "" {
		s.problem("Backoff."+field, cfg.Backoff, p)
	}
	if cfg.Shutdown < ShutdownInfinity {
		s.problem("Shutdown", cfg.Shutdown, "is negative")
	}
	if cfg.MaxBytes < 0 {
		s.problem("MaxBytes", cfg.MaxBytes, "is negative")
	}
}

func (s *Supervisor) check(v *validation) {
	if s.cfg.Check != nil {
		v.joined(s.cfg.Check())
	}
	names := make(map[string]bool)
	for _, m := range s.declared {
		v.child(m.spec, &s.node)
		if names[m.spec.Name] {
			v.add("ChildSpec.Name", m.spec.Name, "is taken by another child")
		}
		names[m.spec.Name] = true
		s.checkSpec(v, m.spec)
	}
}

// checkSpec finds what is wrong with a spec under this very supervisor.
func (s *Supervisor) checkSpec(v *validation, spec ChildSpec) {
	if spec.Significant && s.cfg.AutoShutdown == Never {
		v.problems = append(v.problems, &ConfigError{
			Path: checkedPath(v.path, spec.Name), Field: "ChildSpec.Significant", Value: true,
			Problem: "has no effect: the supervisor's AutoShutdown is never",
		})
	}
	if spec.Intensity != (Intensity{}) {
		v.problems = append(v.problems, &ConfigError{
			Path: checkedPath(v.path, spec.Name), Field: "ChildSpec.Intensity", Value: spec.Intensity,
			Problem: "has no effect: the children of a Supervisor share its budget",
		})
	}
}

func (s *Supervisor) attachBelow() error {
	for i, m := range s.declared {
		if m.spec.sup == nil {
			continue
		}
		if err := m.spec.sup.attach(&s.node, s.Path()); err != nil {
			s.detachBelow(s.declared[:i])
			return err
		}
	}
	return nil
}

// detachBelow gives up the places of declared supervisors, but for those that have moved elsewhere.
func (s *Supervisor) detachBelow(members []*member) {
	for _, m := range members {
		if sup := m.spec.sup; sup != nil && sup.parent() == &s.node {
			sup.finalize()
		}
	}
}

func (s *Supervisor) budget() *byteBudget { return &s.held }

// live is one life of the supervisor: its owner.
func (s *Supervisor) live(ctx context.Context) error {
	if err := s.begin(); err != nil {
		s.close()
		return err
	}
	for _, m := range s.members() {
		if err := s.boot(ctx, m); err != nil {
			s.close()
			stuck := s.stopMembers()
			if ctx.Err() != nil { // a stop came first
				return stuck.orNil()
			}
			return withStuck(err, stuck)
		}
	}
	s.life.Lock()
	s.life.booted = true
	s.life.Unlock()
	s.emit(SupervisorStarted{Path: s.Path(), Time: time.Now()})
	Ready(ctx)
	for {
		select {
		case <-ctx.Done():
			return s.end(nil)
		case <-s.wake:
		}
		s.life.Lock()
		failure, autoStop := s.life.failure, s.life.autoStop
		failed := s.pendingLocked()
		s.life.Unlock()
		if failure == nil && !autoStop && failed != nil {
			failure = s.restartGroup(ctx, failed)
			s.leaveDown()
		}
		switch {
		case failure != nil:
			return s.end(failure)
		case autoStop:
			return s.end(nil)
		}
	}
}

// begin prepares a life: the supervisor has its declared children again, and their slots. Until they have started there
// is no administration: the list is the owner's alone.
func (s *Supervisor) begin() error {
	s.life.Lock()
	added := s.life.members
	s.life.members = slices.Clone(s.declared)
	s.life.window = restartWindow{}
	s.life.consecutive = 0
	s.life.failure, s.life.autoStop, s.life.booted = nil, false, false
	for _, m := range s.declared {
		m.removed, m.retired, m.final, m.terminated, m.done, m.pending = false, false, false, false, false, nil
		m.comesBack()
	}
	s.life.Unlock()
	s.open()
	select {
	case <-s.wake:
	default:
	}
	for _, m := range added { // of the last life, not declared
		if !slices.Contains(s.declared, m) {
			s.remove(m)
		}
	}
	var taken []*member
	for _, m := range s.declared {
		fresh, err := s.holdAgain(m)
		if fresh {
			taken = append(taken, m)
		}
		if err != nil {
			for _, m := range taken {
				m.giveBack()
			}
			return err
		}
	}
	return nil
}

// holdAgain takes the slots of a declared child, and its place, unless it has them since an earlier life.
func (s *Supervisor) holdAgain(m *member) (fresh bool, err error) {
	m.holding.Lock()
	defer m.holding.Unlock()
	if m.slot.Load() {
		return false, nil
	}
	if err := s.takeSlot(m); err != nil {
		return false, err
	}
	return true, s.takeBack(m)
}

// takeBack gives a declared supervisor its place again, if its spec had been deleted in an earlier life.
func (s *Supervisor) takeBack(m *member) error {
	sup := m.spec.sup
	if sup == nil || sup.parent() == &s.node && sup.attached() {
		return nil
	}
	return sup.attach(&s.node, s.Path())
}

// boot starts a declared child. One that is still stuck from an earlier life is waited for: it has a limit of one.
func (s *Supervisor) boot(ctx context.Context, m *member) error {
	if c := m.present(); c != nil {
		if err := s.awaitGone(ctx, c); err != nil {
			return &StartError{Path: c.Path(), Err: err}
		}
	}
	_, err := s.startMember(ctx, m, true)
	return err
}

// end stops all children and gives the supervisor's last word.
func (s *Supervisor) end(failure error) error {
	s.close()
	if failure != nil {
		s.emit(SupervisorGaveUp{Path: s.Path(), Time: time.Now(), Err: failure})
	}
	stuck := s.stopMembers()
	if failure == nil {
		return stuck.orNil()
	}
	return withStuck(failure, stuck)
}

// stopMembers stops the children in reverse order, each with its own allowance.
func (s *Supervisor) stopMembers() *StuckError {
	s.life.Lock()
	leaving := slices.Clone(s.life.leaving)
	s.life.Unlock()
	stop := func(c *Child) {
		if c != nil {
			c.ask()
			_ = c.await(context.Background(), c.allowance()) // who is stuck is noted
		}
	}
	for _, c := range leaving {
		stop(c)
	}
	for _, m := range slices.Backward(s.members()) {
		stop(m.present())
	}
	return s.stuckNow()
}

func (s *Supervisor) members() []*member {
	s.life.Lock()
	defer s.life.Unlock()
	return slices.Clone(s.life.members)
}

// startMember starts a child that does not run and waits until it is ready. One that was terminated is started by hand
// only, and at the beginning of a life.
func (s *Supervisor) startMember(ctx context.Context, m *member, byHand bool) (*Child, error) {
	c := newChild(m, m.spec.Run)
	c.prepare(m.spec)
	c.id, c.started = s.lastID.Add(1), s.now()
	s.life.Lock()
	var err error
	switch {
	case s.own.closed():
		err = s.notRunning()
	case m.removed, m.terminated && !byHand:
		err = fmt.Errorf("%s: %w", m.path(nil), ErrNotFound)
	case m.child != nil:
		err = fmt.Errorf("%s: %w", m.path(nil), ErrAlreadyStarted)
	default:
		m.child = c
		m.pending, m.terminated, m.done = nil, false, false
		s.life.started++
	}
	s.life.Unlock()
	if err != nil {
		return nil, err
	}
	m.comesBack()
	go c.live()
	if err := c.awaitReady(ctx); err != nil {
		s.emit(StartFailed{Path: c.Path(), Time: time.Now(), Err: err})
		return nil, err
	}
	return c, nil
}

// awaitGone waits for a child that has outlived its stop.
func (s *Supervisor) awaitGone(ctx context.Context, c *Child) error {
	s.emit(GroupHalted{Path: s.Path(), Time: time.Now(), Child: c.Path()})
	select {
	case <-c.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeSlot takes the slots of a member.
func (s *Supervisor) takeSlot(m *member) error {
	if v := s.own.take(1, true); v == closed {
		return s.notRunning()
	} else if v != admitted {
		return s.refuse(s.own.refusals.Load().full)
	}
	chain := s.place.Load().chain
	blocked, serve := chain.take()
	if blocked != nil {
		s.own.release()
	}
	if serve {
		chain.serve()
	}
	if blocked != nil {
		return s.refuse(blocked.refusals.Load().full)
	}
	m.slot.Store(true)
	return nil
}

// remove takes a member out for good. Its slots are given back now, or when its child has returned.
func (s *Supervisor) remove(m *member) {
	s.life.Lock()
	s.removeLocked(m)
	gone := m.child == nil
	s.life.Unlock()
	if gone {
		m.retire()
	}
}

func (s *Supervisor) removeLocked(m *member) {
	m.removed, m.pending = true, nil
	s.leavingLocked(m.child)
	if i := slices.Index(s.life.members, m); i >= 0 {
		s.life.members = slices.Delete(s.life.members, i, i+1)
	}
}

func (s *Supervisor) leavingLocked(c *Child) {
	if c != nil && !slices.Contains(s.life.leaving, c) {
		s.life.leaving = append(s.life.leaving, c)
	}
}

// finalize gives back the slots of all specs whose children have returned; the others follow when they do.
func (s *Supervisor) finalize() {
	for _, m := range s.members() {
		s.life.Lock()
		m.final = true
		gone := m.child == nil
		s.life.Unlock()
		if gone {
			m.giveBack()
		}
		s.detachBelow([]*member{m})
	}
	s.detachBelow(s.declared) // those that were never started have a place too
}
