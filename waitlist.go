package headcount

import (
	"slices"
	"sync"
)

// A waitlist is the queues that wait for a slot of one place: a level, or a reserve. Each is in it at most once.
//
// Who frees a slot looks at the place's mark and serves the list if it is set. The mark is set and cleared under the
// lock of the list, with the first queue and the last.
type waitlist struct {
	mu     sync.Mutex
	queues []*queue
}

// add notes that q waits, and sets the mark. It reports false if q was noted already. When it has returned true, a try
// to take a slot must follow: a slot that was freed before the mark was set woke nobody.
func (l *waitlist) add(q *queue, mark func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.queues, q) {
		return false
	}
	l.queues = append(l.queues, q)
	mark()
	return true
}

// serve lets each queue that waits now try once, in turn, until the place is full. A queue that still waits for it adds
// itself again, at the end. The caller holds no lock of a queue or of a key.
func (l *waitlist) serve(unmark func(), full func() bool) {
	l.mu.Lock()
	rounds := len(l.queues)
	l.mu.Unlock()
	for range rounds {
		q := l.next(unmark)
		if q == nil {
			return
		}
		q.dispatch()
		if full() {
			return
		}
	}
}

func (l *waitlist) next(unmark func()) *queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queues) == 0 {
		return nil
	}
	q := l.queues[0]
	l.queues = slices.Delete(l.queues, 0, 1)
	if len(l.queues) == 0 {
		unmark()
	}
	return q
}
