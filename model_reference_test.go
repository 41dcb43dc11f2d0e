package headcount

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// The reference of the model test: what the laws say of limits, slots, reserves, keys and waiters, one step at a time, in
// plain variables.

// A refLimit is a limit: what a person set, and the caps.
type refLimit struct {
	setting, lasting int
	expires          time.Time
	caps             map[string]int
}

func newRefLimit(n int) *refLimit {
	return &refLimit{setting: n, lasting: n, caps: make(map[string]int)}
}

func (l *refLimit) inForce() int {
	n := l.setting
	for _, c := range l.caps {
		n = min(n, c)
	}
	return n
}

func (l *refLimit) set(n int, expires time.Time) {
	l.setting, l.expires = n, expires
	if expires.IsZero() {
		l.lasting = n
	}
}

func (l *refLimit) expire(now time.Time) {
	if !l.expires.IsZero() && !now.Before(l.expires) {
		l.set(l.lasting, time.Time{})
	}
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
	up       bool
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
	if s.perKey == nil {
		return nil
	}
	held, most := s.keys[key], s.most(key)
	if held >= most || held > 0 && float64(held) >= s.keyShare*float64(limit-n) {
		return &refRefusal{ErrMaxPerKey, s.own.path, most}
	}
	return nil
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

// enqueue says whether a start that was refused may wait. If not, for which reason.
func (s *refSup) enqueue(a *attempt, refused *refRefusal) *refRefusal {
	if s.queue == 0 || refused.reason == ErrMaxPerKey {
		return refused
	}
	if len(s.waiters) >= int(math.Ceil(s.share(a.class)*float64(s.queue))) {
		return &refRefusal{ErrQueueFull, s.own.path, s.queue}
	}
	if s.perKey != nil {
		waiting := 0
		for _, w := range s.waiters {
			if w.key == a.key {
				waiting++
			}
		}
		if most := s.most(a.key); s.keys[a.key] >= most || waiting >= most {
			return &refRefusal{ErrMaxPerKey, s.own.path, most}
		}
	}
	return nil
}

// head is the waiter whose turn it is: the first of the highest class.
func (s *refSup) head() (head *attempt) {
	for _, w := range s.waiters {
		if head == nil || w.class > head.class {
			head = w
		}
	}
	return head
}

func (s *refSup) leave(a *attempt) {
	s.waiters = slices.DeleteFunc(s.waiters, func(w *attempt) bool { return w == a })
}

// settle goes through the waiters of the supervisor that have been decided, in the order in which they must have been,
// and finds what was not lawful. It returns those that were admitted.
func (s *refSup) settle(now time.Time) (in []*attempt, err error) {
	for {
		head := s.head()
		if head == nil {
			return in, nil
		}
		verdict := s.judge(head.key, head.class)
		switch {
		case head.admitted && verdict == nil:
			s.take(head.key)
			s.leave(head)
			in = append(in, head)
		case head.admitted:
			return in, fmt.Errorf("%s: a waiter was admitted against %v", s.name, verdict.reason)
		case verdict != nil && verdict.reason == ErrMaxPerKey:
			if err := head.refusedAs(verdict); err != nil {
				return in, fmt.Errorf("%s: a waiter: %w", s.name, err)
			}
			s.leave(head)
		case verdict == nil:
			return in, fmt.Errorf("%s: a waiter (class %d key %q) was lost: there is room", s.name, head.class, head.key)
		default:
			return in, s.settleRest(now)
		}
	}
}

// settleRest is for those behind the first waiter that must wait: none of them may have been admitted.
func (s *refSup) settleRest(now time.Time) error {
	for _, w := range slices.Clone(s.waiters) {
		overdue := !now.Before(w.began.Add(s.within))
		switch {
		case w.admitted:
			return fmt.Errorf("%s: a waiter passed those before it", s.name)
		case !w.decided && !overdue:
			continue
		case !w.decided:
			return fmt.Errorf("%s: a start waits longer than it may", s.name)
		case overdue:
			if err := w.refusedAs(&refRefusal{ErrWaitTimeout, s.own.path, s.own.limit.inForce()}); err != nil {
				return fmt.Errorf("%s: a waiter: %w", s.name, err)
			}
		default:
			return fmt.Errorf("%s: a waiter was refused before its time: %v", s.name, w.err)
		}
		s.leave(w)
	}
	return nil
}
