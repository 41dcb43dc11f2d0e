package headcount

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// The reference of the model test: what the laws say of limits, slots, reserves, keys and waiters, one step at a time, in
// plain variables.

// A refLimit is a limit: what a person set for good, what was set for a time since then, and the caps.
type refLimit struct {
	lasting int
	passing []refSetting
	caps    map[string]int
}

type refSetting struct {
	n       int
	expires time.Time
}

func newRefLimit(n int) *refLimit { return &refLimit{lasting: n, caps: make(map[string]int)} }

// setting is the last that was set and has not expired.
func (l *refLimit) setting() int {
	if len(l.passing) > 0 {
		return l.passing[len(l.passing)-1].n
	}
	return l.lasting
}

func (l *refLimit) inForce() int {
	n := l.setting()
	for _, c := range l.caps {
		n = min(n, c)
	}
	return n
}

func (l *refLimit) set(n int, expires time.Time) {
	if expires.IsZero() {
		l.lasting, l.passing = n, nil
		return
	}
	l.passing = append(l.passing, refSetting{n, expires})
}

func (l *refLimit) expire(now time.Time) {
	l.passing = slices.DeleteFunc(l.passing, func(s refSetting) bool { return !now.Before(s.expires) })
}

// A refLevel is a count below a limit, or a reserve.
type refLevel struct {
	path  string
	limit *refLimit
	count int

	reserve        bool
	held           bool
	size           int
	used, borrowed int // count is not used then
}

func (l *refLevel) full() bool { return l.count >= l.limit.inForce() }

func (l *refLevel) roomInReserve() bool { return l.held && l.used < l.size }

// A refSup is a dynamic or keyed supervisor.
type refSup struct {
	name     string
	own      *refLevel
	chain    []*refLevel // above, upwards
	perKey   *refLimit   // nil: it has no keys
	bonus    map[string]int
	keyShare float64
	keys     map[string]int // what each holds
	shares   []float64
	queue    int
	within   time.Duration
	waiters  []*attempt // in the order in which they came

	target, interval time.Duration     // CoDel; zero: without it
	standing         map[int]time.Time // since when starts of each class have waited without a break
}

func (s *refSup) share(class int) float64 {
	if class < len(s.shares) {
		return s.shares[class]
	}
	return 1
}

func (s *refSup) most(key string) int { return s.perKey.inForce() + s.bonus[key] }

// A refusal of the reference: the reason, and where.
type refRefusal struct {
	reason error
	path   string
	limit  int
}

// judge says what becomes of a start now. Nil is admission.
func (s *refSup) judge(key string, class int) *refRefusal {
	n, limit := s.own.count, s.own.limit.inForce()
	if n >= limit {
		return &refRefusal{ErrMaxChildren, s.own.path, limit}
	}
	if n >= int(math.Ceil(s.share(class)*float64(limit))) {
		return &refRefusal{ErrPriority, s.own.path, limit}
	}
	if above := judgeChain(s.chain); above != nil {
		return above
	}
	if s.keyRefuses(key) {
		return &refRefusal{ErrMaxPerKey, s.own.path, s.most(key)}
	}
	return nil
}

// keyRefuses is the limit of the key: what it may hold shrinks to its share of what is free.
func (s *refSup) keyRefuses(key string) bool {
	if s.perKey == nil {
		return false
	}
	held, free := s.keys[key], s.own.limit.inForce()-s.own.count
	return held >= s.most(key) || held > 0 && float64(held) >= s.keyShare*float64(free)
}

func judgeChain(chain []*refLevel) *refRefusal {
	for _, l := range chain {
		if l.reserve {
			if l.roomInReserve() {
				return nil
			}
		} else if l.full() {
			return &refRefusal{ErrMaxDescendants, l.path, l.limit.inForce()}
		}
	}
	return nil
}

func (s *refSup) take(key string) {
	s.own.count++
	if s.perKey != nil {
		s.keys[key]++
	}
	takeChain(s.chain)
}

func (s *refSup) free(key string) {
	s.own.count--
	if s.perKey != nil {
		if s.keys[key]--; s.keys[key] == 0 {
			delete(s.keys, key)
		}
	}
	freeChain(s.chain)
}

func takeChain(chain []*refLevel) {
	for _, l := range chain {
		switch {
		case !l.reserve:
			l.count++
		case l.roomInReserve():
			l.used++
			return
		default:
			l.borrowed++
		}
	}
}

func freeChain(chain []*refLevel) {
	for _, l := range chain {
		switch {
		case !l.reserve:
			l.count--
		case l.borrowed > 0:
			l.borrowed--
		default:
			l.used--
			return
		}
	}
}

// hold takes the slots of a reserve at the level above it, and lend gives up what of it is not used.
func (l *refLevel) hold(above *refLevel) {
	l.held = true
	above.count += l.size
}

func (l *refLevel) lend(above *refLevel) {
	above.count -= l.size - l.used
	l.borrowed += l.used
	l.used, l.held = 0, false
}

// enqueue says whether a start that was refused may wait. If not, for which reason.
func (s *refSup) enqueue(a *attempt, refused *refRefusal) *refRefusal {
	if s.queue == 0 || refused.reason == ErrMaxPerKey {
		return refused
	}
	if s.keyRefuses(a.key) {
		return &refRefusal{ErrMaxPerKey, s.own.path, s.most(a.key)}
	}
	if len(s.waiters) >= int(math.Ceil(s.share(a.class)*float64(s.queue))) {
		return &refRefusal{ErrQueueFull, s.own.path, s.queue}
	}
	waiting := 0 // of the key: it must not fill the queue either
	for _, w := range s.waiters {
		if w.key == a.key {
			waiting++
		}
	}
	if s.perKey != nil && waiting >= s.most(a.key) {
		return &refRefusal{ErrMaxPerKey, s.own.path, s.most(a.key)}
	}
	return nil
}

// wait puts a start behind the others, and says for how long.
func (s *refSup) wait(a *attempt) {
	sameClass := func(w *attempt) bool { return w.class == a.class }
	if !slices.ContainsFunc(s.waiters, sameClass) {
		if s.standing == nil {
			s.standing = make(map[int]time.Time)
		}
		s.standing[a.class] = a.began
	}
	s.waiters = append(s.waiters, a)
	a.until = a.began.Add(s.within)
	if s.interval > 0 { // target, but not before the queue is overloaded
		a.until = a.began.Add(s.target)
		if overload := s.standing[a.class].Add(s.interval); overload.After(a.until) {
			a.until = overload
		}
	}
}

// head is the waiter whose turn it is: of the highest class the first, or the last if that class is overloaded.
func (s *refSup) head() (head *attempt) {
	for _, w := range s.waiters {
		overloaded := s.interval > 0 && !time.Now().Before(s.standing[w.class].Add(s.interval))
		if head == nil || w.class > head.class || w.class == head.class && overloaded {
			head = w
		}
	}
	return head
}

func (s *refSup) leave(a *attempt) {
	s.waiters = slices.DeleteFunc(s.waiters, func(w *attempt) bool { return w == a })
}

// settleNext takes over what became of the head of the queue, if that has been decided: nil if it has not.
func (s *refSup) settleNext() (decided *attempt, err error) {
	head := s.head()
	if head == nil || !head.decided {
		return nil, nil
	}
	verdict := s.judge(head.key, head.class)
	switch {
	case head.admitted && verdict != nil:
		return nil, fmt.Errorf("%s: a waiter was admitted against %v", s.name, verdict.reason)
	case head.admitted:
		s.take(head.key)
	case s.keyRefuses(head.key):
		if err := head.refusedAs(&refRefusal{ErrMaxPerKey, s.own.path, s.most(head.key)}); err != nil {
			return nil, nil // not for this reason; see settleRest
		}
	default:
		return nil, nil
	}
	s.leave(head)
	return head, nil
}

// settleRest is for those that are left when all have been taken over that were decided in their turn.
func (s *refSup) settleRest(now time.Time) error {
	for _, w := range slices.Clone(s.waiters) {
		switch overdue := !now.Before(w.until); {
		case w.admitted:
			return fmt.Errorf("%s: a waiter passed those before it", s.name)
		case !overdue && w.decided && (w.keyFull || s.keyRefuses(w.key)) && w.refusedAs(&refRefusal{ErrMaxPerKey, s.own.path, s.most(w.key)}) == nil:
			// Its key's limit was lowered: what the key says does not wait, wherever in the queue, and a child of the key that
			// ends may free slots elsewhere, its helpers', before that of the key.
			s.leave(w)
		case !overdue && w.decided:
			return fmt.Errorf("%s: a waiter (class %d, key %q, since %v) was refused before its time: %w", s.name, w.class, w.key, w.began.Format("04:05.000"), w.err)
		case overdue:
			if err := w.refusedAs(&refRefusal{ErrWaitTimeout, s.own.path, s.own.limit.inForce()}); err != nil {
				return fmt.Errorf("%s: a waiter whose time is over: %w", s.name, err)
			}
			s.leave(w)
		}
	}
	for _, w := range s.waiters {
		w.keyFull = s.keyRefuses(w.key)
	}
	if head := s.head(); head != nil && s.judge(head.key, head.class) == nil {
		return fmt.Errorf("%s: a waiter of class %d, key %q was lost: there is room", s.name, head.class, head.key)
	}
	return nil
}
