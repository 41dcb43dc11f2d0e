package headcount

import (
	"container/list"
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A queue holds the starts of one supervisor that wait for a slot. It is bounded in length and in time.
//
// A start waits only in its own supervisor's queue, whatever level is full; the queue then is listed at that level,
// and whoever frees a slot there offers it to the queues listed, in turn. Within the queue the highest class comes
// first, and within a class who came first, or last under overload (see codel). The head stands for all behind it: what
// is full for the head is full for them.
//
// No wake-up is lost: a queue is listed first and tries once more afterwards, so a slot that came free in between is
// either seen by that try or was freed by someone who saw the mark.
//
// Lock order: queue.mu before a shard of the key table before level.mu. Freed slots are offered (level.serve) while
// holding none of them.
type queue struct {
	sup    *dynamic
	length int           // at most so many wait; 0 is refusal at once
	within time.Duration // at most so long
	codel  *codel        // or less; nil: no less

	bounded atomic.Int64 // of those waiting, the ones that count against length; written under mu

	mu struct {
		sync.Mutex
		classes []*line
		waiting int
		byKey   map[any]int // of the bounded ones, how many wait for each key
		waits   histogram
	}
}

// A waiter is one start that waits. It holds no slot.
type waiter struct {
	class   Class
	claim   claim
	roomy   bool // does not count against the length of the queue and has no time limit (Stream)
	waited  bool // since began: it comes back to its place, not behind those that came later
	began   time.Duration
	until   time.Duration // its time is over then; not if roomy
	place   *list.Element
	decided chan struct{} // closed once err is set
	err     error
}

// A claim tries to take all slots of one start at once. It returns the level that was full, an error that is final,
// or neither when the slots are taken.
type claim interface {
	take(pass bool) admission
	// key gives the key and how many of its starts may wait; below zero any number.
	key() (key any, most int)
	perKey() *Refusal
}

// admission is what became of one try to take all slots of a start.
type admission struct {
	verdict verdict
	blocked *level   // the level that said full
	perKey  *Refusal // keyFull: the refusal
	serve   bool     // slots were given back on the way: the caller must serve, without locks
}

// admit waits for a slot, or refuses: the slow half of a start, after the supervisor was found full or its queue in use.
// A nil return means that all slots are taken.
func (q *queue) admit(ctx context.Context, w *waiter, first admission) error {
	first = q.pass(w, first)
	switch {
	case first.verdict != full && first.verdict != fullForClass && first.verdict != mustQueue:
		return q.sup.refusal(first)
	case !w.roomy && q.length == 0:
		return q.sup.refusal(first)
	}
	w.decided = make(chan struct{})
	if !w.waited {
		w.began = q.sup.now()
	}
	if err := q.enter(w); err != nil {
		return err
	}
	q.dispatch(math.MaxInt)

	var timeout <-chan time.Time
	if !w.roomy {
		timer := time.NewTimer(w.until - q.sup.now())
		defer timer.Stop()
		timeout = timer.C
	}
	var err error
	select {
	case <-w.decided:
		err = w.err
	case <-timeout:
		if err = q.leave(w, ErrWaitTimeout); err == ErrWaitTimeout {
			err = q.sup.refuse(q.sup.own.refusals.Load().waitTimeout)
		}
	case <-ctx.Done():
		err = q.leave(w, ctx.Err())
	}
	q.mu.Lock()
	q.mu.waits.observe(q.sup.now() - w.began)
	q.mu.Unlock()
	return err
}

// isFull reports whether no more starts of the class may wait.
func (q *queue) isFull(class Class) bool {
	return q.bounded.Load() >= int64(portion(q.sup.share(class), uint64(q.length)))
}

// refuses is the short way to a refusal, without the waiter that the start would have been.
func (q *queue) refuses(class Class) bool {
	if q.length == 0 || !q.isFull(class) {
		return false
	}
	if class == 0 {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.highest() >= int(class)
}

// pass is for a start where others wait: if its class is higher than all of theirs it goes before them, though it may
// not wait itself.
func (q *queue) pass(w *waiter, first admission) admission {
	if first.verdict == mustQueue {
		q.mu.Lock()
		if q.highest() < int(w.class) {
			first = w.claim.take(true)
		}
		q.mu.Unlock()
		if first.serve {
			q.sup.serve()
		}
	}
	return first
}

// enter puts w into the queue, or refuses it if too many wait.
func (q *queue) enter(w *waiter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !w.roomy && !w.waited {
		if q.isFull(w.class) {
			return q.sup.refuse(q.sup.own.refusals.Load().queueFull)
		}
		// One key must not fill the queue either.
		if key, most := w.claim.key(); most >= 0 && q.mu.byKey[key] >= most {
			return q.sup.refuse(w.claim.perKey())
		}
	}
	// The mark comes before the look at the closing mark: a start that waits is seen by the stop, or sees it.
	q.sup.own.mark(wordQueued)
	if q.sup.own.closed() {
		if q.mu.waiting == 0 {
			q.sup.own.unmark(wordQueued)
		}
		return q.sup.notRunning()
	}
	for len(q.mu.classes) <= int(w.class) {
		q.mu.classes = append(q.mu.classes, new(line))
	}
	q.limitLocked(w)
	if w.waited {
		w.place = q.mu.classes[w.class].PushFront(w)
	} else {
		w.place = q.mu.classes[w.class].PushBack(w)
	}
	w.waited = true
	q.countLocked(w, 1)
	return nil
}

// limitLocked says how long w may wait. One that comes back keeps what it was told, and its line has not been empty.
func (q *queue) limitLocked(w *waiter) {
	if w.roomy || w.waited {
		return
	}
	may := q.within
	if q.codel != nil {
		line := q.mu.classes[w.class]
		if line.timed == 0 {
			line.since = q.sup.now() // not began: the last one may have left since
		}
		may = q.codel.may(w.began - line.since)
	}
	w.until = w.began + may
}

func (q *queue) countLocked(w *waiter, by int) {
	q.mu.waiting += by
	if w.roomy {
		return
	}
	q.mu.classes[w.class].timed += by
	q.bounded.Add(int64(by))
	key, most := w.claim.key()
	if most < 0 {
		return
	}
	if q.mu.byKey == nil {
		q.mu.byKey = make(map[any]int)
	}
	if q.mu.byKey[key] += by; q.mu.byKey[key] == 0 {
		delete(q.mu.byKey, key)
	}
}

// highest is the highest class with a waiter, or -1.
func (q *queue) highest() int {
	for class := len(q.mu.classes) - 1; class >= 0; class-- {
		if q.mu.classes[class].Len() > 0 {
			return class
		}
	}
	return -1
}

// dispatch admits up to most of those that wait, in order, as long as there is room. Where it finds a level full it lists
// the queue there. It reports whether it stopped before that, with others still waiting: the queue may then be listed
// nowhere, and the caller must see to it.
func (q *queue) dispatch(most int) (more bool) {
	serve := false
	q.mu.Lock()
	var listedAt *level
	var now time.Duration
	if q.codel != nil {
		now = q.sup.now()
	}
	for class := q.highest(); class >= 0; class = q.highest() {
		w := q.mu.classes[class].next(q.codel, now)
		if q.codel != nil && !w.roomy && now >= w.until { // its timer has not come to it yet
			q.decideLocked(w, q.sup.refuse(q.sup.own.refusals.Load().waitTimeout))
			continue
		}
		a := w.claim.take(true)
		serve = serve || a.serve
		switch a.verdict {
		case admitted:
			q.decideLocked(w, nil)
			if most--; most == 0 {
				more = q.mu.waiting > 0
				break
			}
			continue
		case keyFull, closed, stale:
			q.decideLocked(w, q.sup.refusal(a))
			continue
		}
		if most == 0 {
			break
		}
		gap(beforeList)
		if a.blocked == listedAt || !q.list(a.blocked) {
			break
		}
		listedAt = a.blocked // once more: a slot may have come free before the queue was listed
	}
	q.mu.Unlock()
	if serve {
		q.sup.serve()
	}
	return more
}

// list notes that the queue waits for a level, its own or one above.
func (q *queue) list(at *level) (fresh bool) {
	if at == &q.sup.own {
		return at.list(q)
	}
	return q.sup.place.Load().chain.list(q, at)
}

// leave ends the waiting of w with err, unless it has been decided already.
func (q *queue) leave(w *waiter, err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-w.decided:
		return w.err
	default:
		q.decideLocked(w, err)
		return err
	}
}

// flush ends all waiting: the supervisor has been closed.
func (q *queue) flush(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for class := q.highest(); class >= 0; class = q.highest() {
		q.decideLocked(q.mu.classes[class].Front().Value.(*waiter), err)
	}
}

func (q *queue) decideLocked(w *waiter, err error) {
	q.mu.classes[w.class].Remove(w.place)
	q.countLocked(w, -1)
	if q.mu.waiting == 0 {
		q.sup.own.unmark(wordQueued)
	}
	w.err = err
	close(w.decided)
}

// errStale sends a start that waited back to its beginning: what its key may hold must be computed anew.
var errStale = errors.New("headcount: limit of the key has changed")

func (q *queue) addWaitsTo(h *Histogram) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.waits.addTo(h)
}

func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.waiting
}
