package headcount

import (
	"container/list"
	"fmt"
	"time"
)

// CoDel keeps the waiting of starts short under overload. It goes with [Wait] and holds for each class by itself.
//
// While the queue has been empty at some instant of the last interval, a start waits for at most interval, and who came
// first is served first: so a burst is taken up. A queue that stands for longer makes everybody late and takes up
// nothing. Then a start waits for at most target, and who came last is served first: it is the likeliest to be still of
// use to whoever asked for it. Once the queue has been empty, it is as before. So the time of a start is known when it
// comes: interval, less the time for which the queue has been standing, but not less than target. At its end the start is
// refused with [ErrWaitTimeout].
//
// The target is above zero, the interval at least the target and at most the d of Wait. 5 ms and 100 ms are a good choice
// for requests. What waits for a [Stream] has no end of its time and does not count here; under overload newer starts of
// its class are served before it.
//
// The method is that of Facebook (Maurer, Fail at Scale, ACM Queue 2015), after the CoDel of Nichols and Jacobson.
func CoDel(target, interval time.Duration) Option {
	return optionFunc(func(o *options) { o.codel = &codel{target, interval} })
}

// A codel says how long a start may wait, and who is next, by how long the queue of its class has been standing: the time
// since it was last empty.
//
// A start that comes when the queue has been standing for s may wait for max(target, interval - s). This one rule is
// exact for both states. If the queue stands on, it becomes overloaded at s = interval: those that have waited for target
// by then end at this very instant, the others target after they came. While a start waits the queue cannot be empty, so
// its time never changes: it needs one timer, and no state is switched. A dispatch that comes before an overdue timer
// refuses too. The article leaves those that came before the overload their interval; here all have no more than target
// once it is there.
//
// Each class is a queue by itself, because the higher classes are served before the lower ones: what stands in a lower one
// keeps no higher start waiting and must not shorten its time.
type codel struct{ target, interval time.Duration }

// may is how long a start may wait that comes when its queue has been standing for so long. That is below zero if the
// queue became empty between its coming and its turn at the lock.
func (c *codel) may(standing time.Duration) time.Duration {
	return max(c.target, c.interval-max(standing, 0))
}

func (c *codel) check(o *options) {
	if o.queueLength == 0 {
		o.problem("CoDel", fmt.Sprintf("(%v, %v)", c.target, c.interval), "has no effect: without Wait no start waits")
	}
	if c.target <= 0 {
		o.problem("CoDel.target", c.target, "is not above zero")
	}
	switch {
	case c.interval < c.target:
		o.problem("CoDel.interval", c.interval, fmt.Sprintf("is below the target, %v", c.target))
	case o.queueLength > 0 && c.interval > o.queueWithin:
		o.problem("CoDel.interval", c.interval, fmt.Sprintf("is above what Wait allows, %v", o.queueWithin))
	}
}

// A line is the waiters of one class, in the order in which they came. The lock of the queue guards it.
type line struct {
	list.List               // of *waiter
	timed     int           // of them, those with a time limit
	since     time.Duration // when the first of these came: timed was zero before
}

// next is the waiter whose turn it is: of those whose claims are not computed anew just now; nil if there is none.
func (l *line) next(c *codel, now time.Duration) *waiter {
	first, further := l.Front(), (*list.Element).Next
	if c != nil && l.timed > 0 && now-l.since >= c.interval {
		first, further = l.Back(), (*list.Element).Prev
	}
	for e := first; e != nil; e = further(e) {
		if w := e.Value.(*waiter); !w.renewing {
			return w
		}
	}
	return nil
}
