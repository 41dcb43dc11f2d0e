package headcount

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A member is one spec of a [Supervisor], with the child that runs it, if one does. Its fields are guarded by the
// supervisor's life, but for the slot.
//
// What it does follows from two of them, the child and what is pending:
//
//	idle       no child, nothing pending: before its start, after a normal end, or terminated
//	running    a child, until that has returned: also while it restarts, stops, or is stuck
//	awaiting   something pending: its child has failed, or is about to leave, and the owner will restart the group
//
//	idle -> running              startMember: in a life's beginning, with its group, or by hand
//	running -> idle              leave
//	running -> awaiting -> idle  afterRun; stopGroup, or TerminateChild, which also marks it terminated
//	awaiting -> running          the restart of the group
//
// Whether it belongs to the supervisor follows from the others:
//
//	member     its slots are held and, if it is a supervisor, its place
//	removed    deleted, or temporary and over, or not started: no member any more, its child may be leaving still
//	retired    removed, and the child has gone: slots and place have been given back
//	final      the supervisor has ended for good: the slots go when the child has gone, the spec stays
//
//	member -> removed -> retired   remove, DeleteChild or leave; then retire, once
//	any -> member                  begin, if it was declared: a new life has all its declared children
type member struct {
	sup  *Supervisor
	spec ChildSpec
	slot atomic.Bool // it holds its slots

	// holding makes one step of what takes the slots and the place, or gives them back: the end of a member and a new
	// life may meet. It comes before life.
	holding sync.Mutex

	child      *Child // from its start until it has returned, stuck or not
	pending    *failure
	terminated bool // by TerminateChild: no restart of a group starts it
	done       bool // it is significant and has ended for good
	removed    bool // it is no member any more
	retired    bool // its slots and its place have been given back
	final      bool // the supervisor has ended for good
	lastErr    error
}

// A failure waits for the owner to restart a group because of it.
type failure struct {
	id  uint64 // of the child
	err error
}

func (m *member) supervisor() *node { return &m.sup.node }

func (m *member) path(*Child) string { return joinPath(m.sup.Path(), m.spec.Name) }

func (m *member) keyName() string { return "" }

// present is the member's child, nil if it has returned.
func (m *member) present() *Child {
	m.sup.life.Lock()
	defer m.sup.life.Unlock()
	return m.child
}

// afterRun decides what becomes of a child whose run has ended. Under one_for_one it runs again on its own goroutine,
// whatever happens to its siblings meanwhile; otherwise the owner is asked to restart the group.
func (m *member) afterRun(c *Child, x exit) (again bool) {
	s := m.sup
	flags := c.flags.Load()
	if flags&flagStarting != 0 {
		return false // the start call tells
	}
	restart := m.spec.Restart == Permanent || m.spec.Restart == Transient && x.abnormal()
	if flags&flagStopping != 0 || x.err == ErrIgnore || s.own.closed() {
		restart = false
	} else if !restart {
		s.endedForGood(m)
	}
	allowed := restart
	now := s.now()
	if restart && s.cfg.Strategy == OneForOne {
		s.life.Lock()
		allowed = s.life.window.allow(now, s.cfg.Intensity)
		s.life.Unlock()
	}
	if x.abnormal() {
		s.emit(ChildFailed{Path: c.Path(), Time: time.Now(), ID: c.id, Err: x.err, Restart: allowed})
	}
	switch {
	case !restart:
		return false
	case !allowed:
		s.giveUp(s.intensityError(m, c.id, x.err))
		return false
	case s.cfg.Strategy != OneForOne:
		s.life.Lock()
		if !m.terminated && c.flags.Load()&flagStopping == 0 {
			m.pending = &failure{c.id, x.err}
		}
		s.life.Unlock()
		m.comesBack()
		return false // the owner is woken when the child has gone
	}
	s.held.release(c) // what the run held went with it
	delay := c.backoff(now, s.cfg.Backoff, x)
	s.restarts.Add(1)
	s.emit(ChildRestarted{Path: c.Path(), Time: time.Now(), ID: c.id, Restarts: c.restarts() + 1, Delay: delay, Err: x.err})
	return c.nextRun(delay)
}

// comesBack and staysDown tell a supervisor that does not run whether it will be started again; see node.
func (m *member) comesBack() {
	if sup := m.spec.sup; sup != nil {
		sup.comesBack()
	}
}

func (m *member) staysDown() {
	if sup := m.spec.sup; sup != nil {
		sup.staysDown()
	}
}

// leave takes the child out of its member, and the member out of the supervisor if its spec goes with the child.
func (m *member) leave(c *Child) {
	s := m.sup
	s.held.release(c)
	s.life.Lock()
	defer s.life.Unlock()
	m.child = nil
	s.leavingLocked(c)
	m.lastErr = c.result()
	s.life.exits[c.first.how]++
	if m.spec.Restart == Temporary && m.pending == nil && !m.final {
		s.removeLocked(m)
	}
}

// free gives the slots back if the spec has gone. Otherwise the spec keeps them.
func (m *member) free(*Child) {
	m.holding.Lock()
	m.sup.life.Lock()
	removed, over := m.removed, m.removed || m.final
	m.sup.life.Unlock()
	if over {
		m.giveBack()
	}
	m.holding.Unlock()
	if removed {
		m.retire()
	}
}

func (m *member) countDown(c *Child) {
	s := m.sup
	s.life.Lock()
	s.life.leaving = slices.DeleteFunc(s.life.leaving, func(other *Child) bool { return other == c })
	s.life.Unlock()
	notify(s.wake)
}

// retire ends a member that has been removed and whose child has gone.
func (m *member) retire() {
	gap(beforeRelease)
	m.holding.Lock()
	defer m.holding.Unlock()
	m.sup.life.Lock()
	due := m.removed && !m.retired // else it was done, or a new life has taken the member back
	m.retired = m.retired || due
	m.sup.life.Unlock()
	if !due {
		return
	}
	m.giveBack()
	m.sup.detachBelow([]*member{m})
}

// giveBack frees the member's slots, once.
func (m *member) giveBack() {
	if m.slot.CompareAndSwap(true, false) {
		m.freeSlots()
	}
}

func (m *member) freeSlots() {
	chain := m.sup.place.Load().chain
	m.sup.own.release() // nobody waits there
	if chain.free() {
		chain.serve()
	}
}

// giveUp makes the supervisor fail.
func (s *Supervisor) giveUp(e *IntensityError) {
	s.life.Lock()
	if s.life.failure == nil {
		s.life.failure = e
	}
	s.life.Unlock()
	notify(s.wake)
}

// intensityError tells of a member that has used up the budget.
func (s *Supervisor) intensityError(m *member, id uint64, err error) *IntensityError {
	in := s.cfg.Intensity
	s.emit(ChildGivenUp{Path: m.path(nil), Time: time.Now(), ID: id, Restarts: in.Restarts, Within: in.Within, Err: err})
	return &IntensityError{Path: s.Path(), Child: m.path(nil), Restarts: in.Restarts, Within: in.Within, Err: err}
}

// endedForGood looks whether the supervisor shuts down because this significant member has ended by itself.
func (s *Supervisor) endedForGood(m *member) {
	if !m.spec.Significant {
		return
	}
	s.life.Lock()
	defer s.life.Unlock()
	m.done = true // while its child is on its way out: of two that end at once, the second finds the first done
	if s.cfg.AutoShutdown == AllSignificant {
		for _, other := range s.life.members {
			if other.spec.Significant && !other.done && (other.child != nil || other.pending != nil) {
				return
			}
		}
	}
	s.life.autoStop = s.cfg.AutoShutdown != Never
	notify(s.wake)
}
