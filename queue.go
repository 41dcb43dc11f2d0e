package headcount

import (
	"container/list"
	"context"
	"errors"
	"math"
	"slices"
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
// When MaxPerKey changes and a function says what a key may hold, all waiters are asked for it anew, each on its own
// goroutine. They keep their places. Until all have answered nobody is admitted from the queue, but for renewalPause at
// the most: the function is the user's and may be slow for one key. Whoever has not answered by then can be passed by
// those behind, until it has.
//
// No wake-up is lost: a queue is listed first and tries once more afterwards, so a slot that came free in between is
// either seen by that try or was freed by someone who saw the mark.
//
// The order of locks is in docs/architecture.md. Freed slots are offered (level.serve) while holding none of a queue or a
// key.
type queue struct {
	sup    *dynamic
	length int           // at most so many wait; 0 is refusal at once
	within time.Duration // at most so long
	codel  *codel        // or less; nil: no less

	bounded atomic.Int64 // of those waiting, the ones that count against length; written under mu

	mu struct {
		sync.Mutex
		renewing int         // of those waiting
		pause    *time.Timer // nobody is admitted while it is set: some are renewing
		classes  []*line
		waiting  int
		byKey    map[any]int // of the bounded ones, how many wait for each key
		waits    histogram
	}
}

// A waiter is one start that waits. It holds no slot.
type waiter struct {
	class   Class
	claim   claim
	roomy   bool // does not count against the length of the queue and has no time limit (Stream)
	began   time.Duration
	until   time.Duration // its time is over then; not if roomy
	decided chan struct{} // closed once err is set
	err     error

	// Guarded by the queue's mu.
	place    *list.Element
	renewing bool          // it has been asked for a new claim
	renew    chan struct{} // it is asked
}

// A claim tries to take all slots of one start at once. It returns the level that was full, an error that is final,
// or neither when the slots are taken.
type claim interface {
	take(pass bool) admission
	// key gives the key and how many of its starts may wait; below zero any number.
	key() (key any, most int)
	perKey() *Refusal
	// stale reports whether the limit has changed that the claim was computed from. renew computes it anew, under no
	// lock, and gives what puts that in place, under the queue's. An error ends the waiting.
	stale() bool
	renew() (replace func(), err error)
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
	w.decided, w.renew = make(chan struct{}), make(chan struct{}, 1)
	w.began = q.sup.now()
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
	err := q.await(ctx, w, timeout)
	q.mu.Lock()
	q.mu.waits.observe(q.sup.now() - w.began)
	q.mu.Unlock()
	return err
}

// await waits until w is decided, or gives up.
func (q *queue) await(ctx context.Context, w *waiter, timeout <-chan time.Time) error {
	for {
		select {
		case <-w.decided:
			return w.err
		case <-w.renew:
			q.renew(w)
		case <-timeout:
			err := q.leave(w, ErrWaitTimeout)
			if err == ErrWaitTimeout {
				err = q.sup.refuse(q.sup.own.refusals.Load().waitTimeout)
			}
			return err
		case <-ctx.Done():
			return q.leave(w, ctx.Err())
		}
	}
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
	if !w.roomy {
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
	w.place = q.mu.classes[w.class].PushBack(w)
	q.countLocked(w, 1)
	return nil
}

// limitLocked says how long w may wait.
func (q *queue) limitLocked(w *waiter) {
	if w.roomy {
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
	for w := q.nextLocked(now); w != nil; w = q.nextLocked(now) {
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
		case keyFull, closed:
			q.decideLocked(w, q.sup.refusal(a))
			continue
		case stale:
			q.renewLocked()
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

// nextLocked is the waiter whose turn it is, or nil.
func (q *queue) nextLocked(now time.Duration) *waiter {
	if q.mu.pause != nil {
		return nil
	}
	for _, class := range slices.Backward(q.mu.classes) {
		if w := class.next(q.codel, now); w != nil {
			return w
		}
	}
	return nil
}

// renewalPause is how long the queue waits for those who compute anew what their keys may hold.
const renewalPause = 10 * time.Millisecond

// renewLocked asks all waiters whose claim is stale for a new one.
func (q *queue) renewLocked() {
	asked := 0
	for _, class := range q.mu.classes {
		for e := class.Front(); e != nil; e = e.Next() {
			if w := e.Value.(*waiter); !w.renewing && w.claim.stale() {
				w.renewing = true
				w.renew <- struct{}{}
				asked++
			}
		}
	}
	q.mu.renewing += asked
	if asked > 0 && q.mu.pause == nil {
		var pause *time.Timer
		pause = time.AfterFunc(renewalPause, func() {
			q.mu.Lock()
			if q.mu.pause == pause {
				q.mu.pause = nil
			}
			q.mu.Unlock()
			q.dispatch(math.MaxInt)
		})
		q.mu.pause = pause
	}
}

// renew computes the claim of w anew, on its own goroutine: this calls the user's code.
func (q *queue) renew(w *waiter) {
	err := error(ErrGoexit)
	defer func() {
		if err != nil {
			q.leave(w, err)
		}
	}()
	var replace func()
	if replace, err = w.claim.renew(); err != nil {
		return
	}
	q.mu.Lock()
	replace()
	q.renewedLocked(w)
	q.mu.Unlock()
	q.dispatch(math.MaxInt)
}

// renewedLocked notes that w has a new claim, or needs none any more. With the last of them the pause is over, and the
// caller must dispatch.
func (q *queue) renewedLocked(w *waiter) {
	if !w.renewing {
		return
	}
	w.renewing = false
	if q.mu.renewing--; q.mu.renewing == 0 && q.mu.pause != nil {
		q.mu.pause.Stop()
		q.mu.pause = nil
	}
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
	renewing := w.renewing
	select {
	case <-w.decided:
		err = w.err
	default:
		q.decideLocked(w, err)
	}
	q.mu.Unlock()
	if renewing {
		q.dispatch(math.MaxInt) // it may have been the last that the others waited for
	}
	return err
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
	q.renewedLocked(w)
	q.mu.classes[w.class].Remove(w.place)
	q.countLocked(w, -1)
	if q.mu.waiting == 0 {
		q.sup.own.unmark(wordQueued)
	}
	w.err = err
	close(w.decided)
}

// errStale sends a start that does not wait yet back to its beginning: what its key may hold must be computed anew.
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
