package headcount

import "maps"

// compareLocked compares all there is to see with the reference, and with what the functions of the children have seen.
func (m *model) compareLocked() {
	m.t.Helper()
	same := func(what string, got, want int) {
		m.t.Helper()
		if got != want {
			m.fail("%s: %d, want %d", what, got, want)
		}
	}
	for _, a := range m.gone {
		same("a child that has ended: calls of its function", a.inside+a.helpers, 0)
	}
	m.gone = nil
	stuckAll := 0
	for _, s := range m.sups {
		held, backoff, stuck, helping := 0, 0, 0, 0
		keys := make(map[string]int)
		for _, a := range m.alive {
			if a.sup != s {
				continue
			}
			held++
			keys[a.key]++
			want := 1
			if a.backoff {
				backoff++
				want = 0
			}
			if a.stuck {
				stuck++
			}
			helping += a.helping
			same(s.name+": calls of a child's function", a.inside, want)
			same(s.name+": helpers of a child", a.helpers, a.helping)
		}
		stuckAll += stuck
		same(s.name+": slots in the reference", s.own.count, held)
		same(s.name+": slots", s.d.own.count(), held)
		same(s.name+": in the registry", s.d.registry.unfinished(), held)
		c := s.d.Counts()
		same(s.name+": running", c.Running, held)
		same(s.name+": restarting", c.Restarting, backoff)
		same(s.name+": stuck", c.Stuck, stuck)
		same(s.name+": waiting", c.Waiting, len(s.waiters))
		same(s.name+": limit", c.Limit, s.own.limit.inForce())
		if s.k != nil {
			same(s.name+": keys with state", keysIn(s.k), len(keys))
			waiting := make(map[any]int)
			for _, w := range s.waiters {
				waiting[w.key]++
			}
			s.d.queue.mu.Lock()
			byKey := maps.Clone(s.d.queue.mu.byKey)
			s.d.queue.mu.Unlock()
			if !maps.Equal(byKey, waiting) {
				m.fail("%s: waiting by key: %v, want %v", s.name, byKey, waiting)
			}
			for key, n := range keys {
				same(s.name+": slots of "+key, s.k.At(key).Count(), n)
			}
		}
	}
	same("descendants of mid", m.mid.descendants.count(), m.midMax.count)
	same("descendants of app", m.app.descendants.count(), m.appMax.count)
	same("stuck below app", m.app.left.count(), stuckAll)
	if r := m.mid.reserve; r != nil {
		w := r.word.Load()
		same("used of the reserve", int(w&reserveUsed), m.reserve.used)
		same("borrowed beyond the reserve", int(w&^reserveHeld/reserveBorrowed), m.reserve.borrowed)
	}
}
