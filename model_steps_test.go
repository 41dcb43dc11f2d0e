package headcount

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing/synctest"
	"time"
)

// The operations of the model test.

// exits are the ways in which the function of a child can end.
var exits = []struct {
	name     string
	abnormal bool
	run      func(context.Context) error
}{
	{"finish", false, func(context.Context) error { return nil }},
	{"fail", true, func(context.Context) error { return io.EOF }},
	{"panic", true, func(context.Context) error { panic("a fault") }},
	{"Goexit", true, func(context.Context) error { runtime.Goexit(); return nil }},
	{"foreign cancellation", true, func(context.Context) error { return context.Canceled }},
}

const modelDeaf = 4 // so many children may ignore their context at once

func (m *model) step() {
	switch n := m.rand.IntN(100); {
	case n < 40:
		m.begin(m.sups[m.rand.IntN(len(m.sups))])
	case n < 58:
		m.change()
	case n < 72:
		m.finish(func(*attempt) bool { return true })
	case n < 76:
		m.hang()
	case n < 82:
		m.helper()
	case n < 86:
		m.cancel()
	case n < 91:
		m.terminate()
	case n < 94:
		m.terminateKey()
	case n < 97:
		m.later()
	case m.up:
		m.stop()
	default:
		m.start()
	}
}

// overload is a step in which more comes to one supervisor than it can serve.
func (m *model) overload(s *modelSup) {
	switch n := m.rand.IntN(100); {
	case n < 60:
		m.begin(s)
	case n < 78:
		m.finish(func(a *attempt) bool { return a.sup == s })
	case n < 86:
		m.terminate()
	case n < 95:
		m.change()
	default:
		m.cancel()
	}
}

// finish ends a run.
func (m *model) finish(which func(a *attempt) bool) {
	if a := m.pick(func(a *attempt) bool { return !a.backoff && which(a) }); a != nil {
		x := exits[m.rand.IntN(len(exits))]
		m.tell(a, x.name, x.run)
		m.exited(a, x.abnormal)
	}
}

// pick draws one of the children, nil if there is none such.
func (m *model) pick(f func(a *attempt) bool) *attempt {
	var these []*attempt
	for _, a := range m.alive {
		if f(a) {
			these = append(these, a)
		}
	}
	if len(these) == 0 {
		return nil
	}
	return these[m.rand.IntN(len(these))]
}

// tell gives a child something to do, and waits until that is done.
func (m *model) tell(a *attempt, what string, f func(context.Context) error) {
	m.note("%v %s: a child of %s key %q restart %v, %d restarts", time.Now().Format("04:05.000"), what, a.sup.name, a.key, a.restart, a.restarts)
	a.command <- f
	synctest.Wait()
}

// exited is the end of a run: by its restart type and its budget the child runs again, or not.
func (m *model) exited(a *attempt, abnormal bool) {
	synctest.Wait()
	for range a.helping {
		freeChain(a.sup.chain)
	}
	a.helping, a.deaf = 0, false
	again := a.restart == Permanent || a.restart == Transient && abnormal
	switch {
	case again && !a.stopping && a.restarts < 2:
		a.restarts++
		a.backoff = a.restarts == 2 // the first restart has no wait
	default:
		a.backoff = false
		a.sup.free(a.key)
		m.alive = slices.DeleteFunc(m.alive, func(other *attempt) bool { return other == a })
		m.gone = append(m.gone, a)
	}
}

// asked is what becomes of a child that was asked to stop.
func (m *model) asked(a *attempt) (stuck bool) {
	synctest.Wait()
	a.stopping = true
	if a.deaf {
		for range a.helping { // they are not
			freeChain(a.sup.chain)
		}
		a.helping = 0
		a.stuck = true
		return true
	}
	m.exited(a, false)
	return false
}

func (m *model) hang() {
	deaf := 0
	for _, a := range m.alive {
		if a.deaf {
			deaf++
		}
	}
	a := m.pick(func(a *attempt) bool { return !a.backoff && !a.deaf })
	if a == nil || deaf >= modelDeaf {
		return
	}
	m.tell(a, "hang", func(context.Context) error {
		m.mu.Lock()
		a.deaf = true
		m.mu.Unlock()
		return errGoOn
	})
}

func (m *model) helper() {
	if a := m.pick(func(a *attempt) bool { return a.helping > 0 && !a.deaf }); a != nil && m.rand.IntN(2) == 0 {
		fails := m.rand.IntN(2) == 0
		m.note("a helper in %s ends, fails: %v", a.sup.name, fails)
		if fails {
			a.help <- io.EOF
			m.exited(a, true)
			return
		}
		a.help <- nil
		a.helping--
		freeChain(a.sup.chain)
		return
	}
	a := m.pick(func(a *attempt) bool { return !a.backoff && !a.deaf })
	if a == nil {
		return
	}
	var err error
	m.tell(a, "helper", func(ctx context.Context) error {
		err = Go(ctx, func(ctx context.Context) error {
			m.mu.Lock()
			a.helpers++
			m.mu.Unlock()
			defer func() {
				m.mu.Lock()
				a.helpers--
				m.mu.Unlock()
			}()
			select {
			case err := <-a.help:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		return errGoOn
	})
	switch refused := judgeChain(a.sup.chain); {
	case refused != nil:
		if !errors.Is(err, refused.reason) {
			m.fail("helper: got %v, want %v", err, refused.reason)
		}
	case err != nil:
		m.fail("helper: %v", err)
	default:
		a.helping++
		takeChain(a.sup.chain)
	}
}

// cancel ends the context of a start that waits, or of a Do.
func (m *model) cancel() {
	s := m.sups[m.rand.IntN(len(m.sups))]
	if n := len(s.waiters); n > 0 {
		a := s.waiters[m.rand.IntN(n)]
		m.note("cancel a waiter of %s", s.name)
		a.cancel()
		synctest.Wait()
		if !a.decided || !errors.Is(a.err, context.Canceled) {
			m.fail("a cancelled waiter: decided %v, %v", a.decided, a.err)
		}
		s.leave(a)
		return
	}
	if a := m.pick(func(a *attempt) bool { return a.do && !a.deaf }); a != nil {
		m.note("cancel a Do of %s", a.sup.name)
		a.cancel()
		m.exited(a, false)
	}
}

func (m *model) terminate() {
	a := m.pick(func(a *attempt) bool { return a.child != nil })
	if a == nil {
		return
	}
	m.note("terminate a child of %s key %q deaf %v", a.sup.name, a.key, a.deaf)
	err := a.sup.d.Terminate(context.Background(), a.child.ID())
	stuck := m.asked(a)
	if got := errors.As(err, new(*StuckError)); got != stuck || !stuck && err != nil {
		m.fail("terminate: %v, stuck %v", err, stuck)
	}
}

func (m *model) terminateKey() {
	s, key := m.sups[1], "a"
	m.note("terminate key a")
	err := s.k.At(key).Terminate(context.Background())
	total := 0
	for _, a := range slices.Clone(m.alive) {
		if a.sup == s && a.key == key && m.asked(a) {
			total++
		}
	}
	m.wantStuck(err, total)
}

func (m *model) wantStuck(err error, total int) {
	m.t.Helper()
	var stuck *StuckError
	if total == 0 && err == nil {
		return
	}
	if !errors.As(err, &stuck) || stuck.Total != total || len(stuck.Paths) != total {
		m.fail("%d are stuck, but got %v", total, err)
	}
}

// change sets, caps or uncaps a limit.
func (m *model) change() {
	l := m.limits[m.rand.IntN(len(m.limits))]
	n := m.rand.IntN(l.most + 1)
	name := []string{"pressure", "quota"}[m.rand.IntN(2)]
	var err error
	kind := m.rand.IntN(6)
	if l.ref == m.sups[1].perKey && kind == 3 {
		kind = 4 // the same, when it expires
	}
	switch kind {
	case 0:
		m.note("cap %s %d", l.name, n)
		err = l.real.Cap(name, n, "")
		l.ref.caps[name] = n
	case 1, 2:
		m.note("uncap %s", l.name)
		l.real.Uncap(name)
		delete(l.ref.caps, name)
	case 3:
		expires := m.free(time.Now().Add(time.Duration(1+m.rand.IntN(30))*2*modelTick + modelTick))
		m.note("set %s %d until %v", l.name, n, expires.Format("04:05.000"))
		err = l.real.Set(n, Change{Expires: expires})
		l.ref.set(n, expires)
	default:
		m.note("set %s %d", l.name, n)
		err = l.real.Set(n, Change{})
		l.ref.set(n, time.Time{})
	}
	if err != nil {
		m.fail("%v", err)
	}
	if got, want := l.real.Value(), l.ref.inForce(); got != want {
		m.fail("%s: %d in force, want %d", l.name, got, want)
	}
}

// free gives the first time from at on at which no limit expires: of two that expired at one, either may be first.
func (m *model) free(at time.Time) time.Time {
	for _, l := range m.limits {
		if slices.ContainsFunc(l.ref.passing, func(s refSetting) bool { return s.expires.Equal(at) }) {
			return m.free(at.Add(2 * modelTick))
		}
	}
	return at
}

// later lets an hour pass, if nothing else is due: children in backoff run again.
func (m *model) later() {
	for _, l := range m.limits {
		if len(l.ref.passing) > 0 {
			return
		}
	}
	for _, s := range m.sups {
		if len(s.waiters) > 0 {
			return
		}
	}
	m.note("an hour later")
	time.Sleep(time.Hour)
	for _, a := range m.alive {
		a.backoff = false
	}
}

func (m *model) start() {
	m.note("start")
	for _, l := range m.limits[4:] { // with room for what is declared
		l.real.Uncap("pressure")
		l.real.Uncap("quota")
		clear(l.ref.caps)
		if err := l.real.Set(20, Change{}); err != nil {
			m.fail("%v", err)
		}
		l.ref.set(20, time.Time{})
	}
	if err := m.app.Start(context.Background()); err != nil {
		m.fail("start: %v", err)
	}
	m.up = true
	m.appMax.count += 2 // mid and side
	if m.reserve.size > 0 {
		m.reserve.hold(m.appMax)
	}
	takeChain(m.sups[0].chain) // jobs and users
	takeChain(m.sups[1].chain)
}

func (m *model) stop() {
	m.note("stop")
	began := time.Now()
	err := m.app.Stop(context.Background())
	synctest.Wait()
	m.note("stopped within %v: %v", time.Since(began), err)
	m.up = false
	for _, s := range m.sups {
		for _, w := range s.waiters {
			if !w.admitted && !errors.Is(w.err, ErrStopped) && !errors.Is(w.err, ErrMaxPerKey) {
				m.fail("a waiter of a stopped supervisor: decided %v, %v", w.decided, w.err)
			}
			m.gone = append(m.gone, w) // one that came in while others were stopped was stopped too
		}
		s.waiters = nil
	}
	total := 0
	for _, a := range slices.Clone(m.alive) {
		if m.asked(a) {
			total++
		}
	}
	m.wantStuck(err, total)
	freeChain(m.sups[0].chain)
	freeChain(m.sups[1].chain)
	if m.reserve.size > 0 {
		m.reserve.lend(m.appMax)
	}
	m.appMax.count -= 2
}

// end lets all go, stops the tree and looks for what is left.
func (m *model) end() {
	for _, a := range slices.Clone(m.alive) {
		if a.deaf {
			m.tell(a, "finish", exits[0].run)
			m.exited(a, false)
		}
	}
	if m.up {
		m.stop()
	}
	m.settle()
	allFree(m.t, m.app, m.mid, m.sups[0].j, m.sups[1].k, m.sups[2].j)
}
