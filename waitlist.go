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

// serve offers free slots to the queues in turn, one slot a turn, until the place is full or none of them takes one. A
// queue that waits on is in the list again afterwards: who finds the place full adds itself, who was served is added
// here, and gets its next turn before this ends unless the place is full. The caller holds no lock of a queue or of a key.
func (l *waitlist) serve(mark, unmark func(), full func() bool) {
	l.mu.Lock()
	unserved := len(l.queues) // turns until all have had one in vain
	l.mu.Unlock()
	for unserved > 0 {
		q := l.next(unmark)
		if q == nil {
			return
		}
		if more := q.dispatch(1); more {
			l.add(q, mark)
			l.mu.Lock()
			unserved = len(l.queues)
			l.mu.Unlock()
		} else {
			unserved--
		}
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
