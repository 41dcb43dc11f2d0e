package headcount

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// pendingLocked gives the first member whose failure asks for the restart of a group.
func (s *Supervisor) pendingLocked() *member {
	for _, m := range s.life.members {
		if m.pending != nil && m.child == nil {
			return m
		}
	}
	return nil
}

// restartGroup restarts the group of a member that has failed: all under one_for_all, it and those after it under
// rest_for_one. They are stopped in reverse order, then every remaining spec is started in order, also those that had
// finished. A start that fails costs one more restart: one_for_all begins again with all, rest_for_one goes on from the
// one that failed. In between, stops and terminations are served. It returns an error if the budget is used up; it
// returns nil, with the group not complete, if the supervisor is to stop or the failed member was terminated.
//
// A member that does not stop has a limit of one: the restart halts there, without cost, until it has returned.
func (s *Supervisor) restartGroup(ctx context.Context, failed *member) error {
	for round := 0; ; round++ {
		s.life.Lock()
		if failed.pending == nil || failed.removed { // terminated, or started by hand meanwhile
			s.life.Unlock()
			return nil
		}
		id, cause := failed.pending.id, failed.pending.err
		now := s.now()
		if !s.life.window.allow(now, s.cfg.Intensity) {
			s.life.Unlock()
			return s.intensityError(failed, id, cause)
		}
		delay := s.groupDelayLocked(now)
		scope := s.scopeLocked(failed)
		for _, m := range scope {
			m.terminated = false // those that had been are started again; who terminates one from now on wins
		}
		s.life.Unlock()
		s.restarts.Add(1)
		s.emit(GroupRestarted{Path: s.Path(), Time: time.Now(), Strategy: s.cfg.Strategy.String(), Child: failed.path(nil), Err: cause})

		// The group stops at once, and pauses before it starts. What a round that failed has brought up stays up during
		// the next pause.
		if round == 0 && !s.stopGroup(ctx, scope, failed) {
			return nil
		}
		wanted := s.pauseGroup(ctx, failed, delay)
		if ctx.Err() != nil {
			return nil
		}
		if round > 0 {
			if !wanted { // OTP rule S34: what is up stays up, what comes later stays down
				return nil
			}
			if !s.stopGroup(ctx, scope, failed) {
				return nil
			}
		}
		// In the first round the siblings are started also if the failed one was terminated: they were stopped because
		// of it.
		next, err := s.startGroup(ctx, scope)
		if next == nil {
			return nil
		}
		failed = next
		s.life.Lock()
		if failed.terminated || failed.removed || s.own.closed() || ctx.Err() != nil {
			s.life.Unlock()
			return nil
		}
		failed.pending = &failure{err: err}
		s.life.Unlock()
	}
}

// leaveDown is for those of a group that its restart has not brought back.
func (s *Supervisor) leaveDown() {
	s.life.Lock()
	defer s.life.Unlock()
	for _, m := range s.life.members {
		if m.child == nil && m.pending == nil {
			m.staysDown()
		}
	}
}

// scopeLocked is the group that restarts with a member, in start order.
func (s *Supervisor) scopeLocked(failed *member) []*member {
	if s.cfg.Strategy == OneForAll {
		return slices.Clone(s.life.members)
	}
	return slices.Clone(s.life.members[slices.Index(s.life.members, failed):])
}

// groupDelayLocked is the pause before the group starts again.
func (s *Supervisor) groupDelayLocked(now time.Duration) time.Duration {
	b := s.cfg.Backoff
	if now-s.life.lastGroup >= b.Stable {
		s.life.consecutive = 0
	}
	s.life.lastGroup = now
	delay := b.delay(s.life.consecutive, rand.Float64)
	s.life.consecutive++
	return delay
}

// stopGroup stops a group in reverse order. It reports false if the supervisor is to stop.
func (s *Supervisor) stopGroup(ctx context.Context, scope []*member, failed *member) bool {
	for _, m := range slices.Backward(scope) {
		c := m.present()
		if c != nil {
			c.ask()
			var stuck *StuckError
			if err := c.await(ctx, c.allowance()); err != nil && !errors.As(err, &stuck) {
				return false
			}
			if !c.hasEnded() && s.awaitGone(ctx, c) != nil {
				return false
			}
		}
		m.comesBack()
		s.life.Lock()
		if m != failed {
			m.pending = nil // its failure is part of this restart
		}
		s.life.Unlock()
	}
	return true
}

// pauseGroup waits before the group starts again. It reports false if the supervisor is to stop or the failed member
// was terminated meanwhile.
func (s *Supervisor) pauseGroup(ctx context.Context, failed *member, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	woken := false
	defer func() {
		if woken { // what is not about this restart is seen to after it
			notify(s.wake)
		}
	}()
	for {
		s.life.Lock()
		waiting := failed.pending != nil
		s.life.Unlock()
		if !waiting || ctx.Err() != nil {
			return false
		}
		select {
		case <-timer.C:
			return true
		case <-s.wake:
			woken = true
		case <-ctx.Done():
			return false
		}
	}
}

// startGroup starts a group in order. It returns the member whose start failed, and why.
func (s *Supervisor) startGroup(ctx context.Context, scope []*member) (failed *member, err error) {
	for _, m := range scope {
		// Any other error says that it was started by hand, or deleted, meanwhile, or that the supervisor is closed;
		// temporary ones have gone with their child. What is in the error is the child's and is not looked at here.
		if _, err := s.startMember(ctx, m, false); isStartError(err) {
			return m, err
		}
	}
	return nil, nil
}

func isStartError(err error) bool { _, ok := err.(*StartError); return ok }
