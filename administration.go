package headcount

import (
	"context"
	"fmt"
)

// StartChild adds a child, last in order, and starts it. Like all administration it is [ErrNotRunning] until the declared
// children have started. With AwaitReady it waits until the child is ready, within ctx
// and the spec's ReadyWithin. On an error the spec is not kept: a [ConfigError], [ErrAlreadyStarted] if the name is
// taken, a [Refusal], or a [StartError]. Explicit starts use no budget of restarts.
func (s *Supervisor) StartChild(ctx context.Context, child Specifier) (*Child, error) {
	spec, err := readSpec(ctx, &s.node, child)
	if err != nil {
		return nil, err
	}
	v := &validation{path: s.Path()}
	if s.checkSpec(v, spec); len(v.problems) > 0 {
		return nil, v.problems[0]
	}
	if err := s.administered(); err != nil {
		return nil, err
	}
	m := &member{sup: s, spec: spec}
	if err := s.takeSlot(m); err != nil {
		return nil, err
	}
	s.life.Lock()
	taken := s.findLocked(spec.Name) != nil
	if !taken {
		s.life.members = append(s.life.members, m)
	}
	s.life.Unlock()
	if taken {
		m.giveBack()
		return nil, fmt.Errorf("%s: %w", m.path(nil), ErrAlreadyStarted)
	}
	if spec.sup != nil {
		if err := spec.sup.attach(&s.node, s.Path()); err != nil {
			s.life.Lock()
			s.removeLocked(m)
			s.life.Unlock()
			m.giveBack() // the supervisor is another's: it is not to be touched
			return nil, err
		}
	}
	c, err := s.startMember(ctx, m, true)
	if err != nil {
		s.remove(m)
		return nil, err
	}
	return c, nil
}

// TerminateChild stops a child and waits for it, as [Child.Stop] does; it is not restarted. Its spec is kept, unless it
// is temporary. A child that is waiting to be restarted is stopped too. Terminating one that does not run is no error;
// without such a child it returns [ErrNotFound]. No sibling is touched.
func (s *Supervisor) TerminateChild(ctx context.Context, name string) error {
	if ctx == nil {
		return &ConfigError{Path: s.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	if err := s.administered(); err != nil {
		return err
	}
	s.life.Lock()
	m := s.findLocked(name)
	if m == nil {
		s.life.Unlock()
		return s.notFound(name)
	}
	m.pending, m.terminated = nil, true
	c := m.child
	s.life.Unlock()
	notify(s.wake) // a group may be waiting to restart because of it
	if c == nil {
		m.staysDown()
		if m.spec.Restart == Temporary {
			s.remove(m)
		}
		return nil
	}
	return c.Stop(ctx)
}

// RestartChild starts a child that does not run, from its spec. It returns [ErrAlreadyStarted] if the child runs, is
// being restarted, or has not returned yet. Only this child is started, whatever the strategy. A failure leaves it
// stopped.
func (s *Supervisor) RestartChild(ctx context.Context, name string) (*Child, error) {
	if ctx == nil {
		return nil, &ConfigError{Path: s.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	if err := s.administered(); err != nil {
		return nil, err
	}
	s.life.Lock()
	m := s.findLocked(name)
	busy := m != nil && m.pending != nil
	s.life.Unlock()
	switch {
	case m == nil:
		return nil, s.notFound(name)
	case busy:
		return nil, fmt.Errorf("%s: %w", m.path(nil), ErrAlreadyStarted)
	}
	return s.startMember(ctx, m, true)
}

// DeleteChild forgets the spec of a child that does not run, and gives back its slots. It returns [ErrAlreadyStarted]
// if the child runs, is being restarted, or has not returned yet.
func (s *Supervisor) DeleteChild(ctx context.Context, name string) error {
	if ctx == nil {
		return &ConfigError{Path: s.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.administered(); err != nil {
		return err
	}
	s.life.Lock()
	m := s.findLocked(name)
	busy := m != nil && (m.child != nil || m.pending != nil)
	if m != nil && !busy {
		s.removeLocked(m)
	}
	s.life.Unlock()
	switch {
	case m == nil:
		return s.notFound(name)
	case busy:
		return fmt.Errorf("%s: %w", m.path(nil), ErrAlreadyStarted)
	}
	m.retire()
	return nil
}

// administered is an error until the declared children have started: before that their order is the owner's.
func (s *Supervisor) administered() error {
	s.life.Lock()
	defer s.life.Unlock()
	if !s.life.booted {
		return s.notBooted()
	}
	return nil
}

func (s *Supervisor) notBooted() error {
	if s.phase.Load() == phaseRunning {
		return s.place.Load().down
	}
	return s.notRunning()
}

func (s *Supervisor) findLocked(name string) *member {
	for _, m := range s.life.members {
		if m.spec.Name == name {
			return m
		}
	}
	return nil
}

func (s *Supervisor) notFound(name string) error {
	return fmt.Errorf("%s: %w: %q", s.Path(), ErrNotFound, name)
}

// Children describes the children in the order of their start, those that do not run included.
func (s *Supervisor) Children() []ChildInfo {
	var infos []ChildInfo
	for _, m := range s.members() {
		infos = append(infos, m.info())
	}
	return infos
}

// Child describes the child of this name.
func (s *Supervisor) Child(name string) (ChildInfo, bool) {
	s.life.Lock()
	m := s.findLocked(name)
	s.life.Unlock()
	if m == nil {
		return ChildInfo{}, false
	}
	return m.info(), true
}

func (m *member) info() ChildInfo {
	m.sup.life.Lock()
	c := m.child
	i := ChildInfo{
		Name: m.spec.Name, Path: m.path(nil), State: StateStopped, Restart: m.spec.Restart, LastError: m.lastErr,
	}
	if m.pending != nil {
		i.State = StateRestarting
	}
	m.sup.life.Unlock()
	if m.spec.sup != nil {
		i.Kind = m.spec.sup.kind
	}
	if c != nil {
		return c.Info()
	}
	return i
}

// Counts gives the numbers of the supervisor: Running counts the children that do.
func (s *Supervisor) Counts() Counts {
	c := Counts{
		Limit: s.own.limit(), Peak: int(s.own.peak.Load()), Stuck: int(s.stuck.Load()), Restarting: int(s.restarting.Load()),
		Restarts: s.restarts.Load(), Refused: s.refusedCounts(), Bytes: s.held.total(), MaxBytes: s.held.limit,
	}
	s.life.Lock()
	defer s.life.Unlock()
	for _, m := range s.life.members {
		if m.child != nil {
			c.Running++
		}
		if m.pending != nil {
			c.Restarting++
		}
	}
	c.Started = s.life.started
	c.Exits = exitCounts(s.life.exits)
	return c
}

func (s *Supervisor) describe(t *TreeNode) {
	t.Strategy = s.cfg.Strategy
	t.Counts = s.Counts()
	t.RestartsAllowed, t.RestartsWithin = s.cfg.Intensity.Restarts, s.cfg.Intensity.Within
	s.life.Lock()
	t.RestartsUsed = s.life.window.used(s.now(), s.cfg.Intensity)
	s.life.Unlock()
	for _, m := range s.members() {
		info := m.info()
		t.Oldest = max(t.Oldest, info.Age)
		if m.spec.sup != nil {
			t.Children = append(t.Children, m.spec.sup.Tree())
		} else {
			t.Workers = append(t.Workers, info)
		}
	}
}
