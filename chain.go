package headcount

import (
	"slices"
	"sync/atomic"
)

// A chain is the levels that one start must pass above its own supervisor's: the most specific first.
//
// All are read before the first is taken, so that a start which cannot succeed disturbs nobody. Then they are taken
// upwards. If one has filled up meanwhile, what was taken is given back and the start is refused there. Each level is
// exact; the chain is not one instant, so a start may be refused because of a slot that was held for that moment, but
// is never admitted above a limit. Nothing waits while holding.
type chain []step

// A step is a level, or a reserve: below the reserve, starts that fit into it need nothing of the levels above.
type step struct {
	level   *level
	reserve *reserve
}

// A reserve is a number of slots taken beforehand at every level above a supervisor, for its subtree alone.
//
// The word holds how many of them are in use (low half) and how many children of the subtree hold slots of the levels
// above instead (high half). A child that ends gives back a slot of the levels above while there is one, so the
// subtree never holds more above than max(size, its children). The top bit says that the slots of the reserve are taken:
// from the start of the supervisor until its last life is over. Children that are left behind then keep theirs.
type reserve struct {
	size uint64
	word atomic.Uint64

	listed  atomic.Bool // the mark of the waitlist
	waiting waitlist    // of queues below that found a level above full
}

const (
	reserveUsed     = 1<<32 - 1
	reserveBorrowed = 1 << 32
	reserveHeld     = 1 << 63
)

// hasRoom reports whether a start fits into the reserve, given its word.
func (r *reserve) hasRoom(w uint64) bool { return w&reserveHeld != 0 && w&reserveUsed < r.size }

func (r *reserve) hold() { r.word.Or(reserveHeld) }

// lend gives the reserve up, for children that are left behind to hold slots of the levels above like any others. It
// returns how many slots are to be given back there.
func (r *reserve) lend() (unused int) {
	for {
		w := r.word.Load()
		used := w & reserveUsed
		if r.word.CompareAndSwap(w, w&^reserveHeld-used+used*reserveBorrowed) {
			return int(r.size - used)
		}
	}
}

func (r *reserve) take() bool {
	for {
		w := r.word.Load()
		if !r.hasRoom(w) {
			return false
		}
		if r.word.CompareAndSwap(w, w+1) {
			return true
		}
	}
}

// settle notes a slot that was taken above. It reports false if the reserve has room again: the slot is then noted in
// the reserve, and the one above must be given back.
func (r *reserve) settle() bool {
	for {
		w := r.word.Load()
		if r.hasRoom(w) {
			if r.word.CompareAndSwap(w, w+1) {
				return false
			}
		} else if r.word.CompareAndSwap(w, w+reserveBorrowed) {
			return true
		}
	}
}

// release reports whether a slot above must be given back.
func (r *reserve) release() (above bool) {
	for {
		w := r.word.Load()
		if w&^reserveHeld >= reserveBorrowed {
			if r.word.CompareAndSwap(w, w-reserveBorrowed) {
				return true
			}
		} else if r.word.CompareAndSwap(w, w-1) {
			return false
		}
	}
}

func (r *reserve) list(q *queue) bool {
	return r.waiting.add(q, func() { r.listed.Store(true) })
}

func (r *reserve) serve() {
	r.waiting.serve(func() { r.listed.Store(true) }, func() { r.listed.Store(false) }, func() bool { return !r.hasRoom(r.word.Load()) })
}

// blocked finds the first full level without taking anything. It returns nil if there is none.
func (c chain) blocked() *level {
	for i := range c {
		if r := c[i].reserve; r != nil {
			if r.hasRoom(r.word.Load()) {
				return nil
			}
			continue
		}
		if v := judge(c[i].level.word.Load(), 1, true); v == full {
			return c[i].level
		}
	}
	return nil
}

// take takes one slot of each level, or none: then it returns the level that was full. If it reports serve, slots were
// given back on the way and the caller must call serve, at a moment when it holds no lock of a queue or of a key.
func (c chain) take() (blocked *level, serve bool) {
	for i := range c {
		gap(beforeLevel)
		if r := c[i].reserve; r != nil {
			if r.take() {
				return nil, c.settle(i)
			}
			continue
		}
		if c[i].level.take(1, true) != admitted {
			// The reserves below have not been settled yet: nothing is to be undone there.
			return c[i].level, c[:i].freeLevels()
		}
	}
	return nil, c.settle(len(c))
}

// settle notes in the reserves before step n that a start passed them and holds slots above.
func (c chain) settle(n int) (serve bool) {
	for i := n - 1; i >= 0; i-- {
		if r := c[i].reserve; r != nil && !r.settle() {
			serve = c[i+1:].free() || serve
		}
	}
	return serve
}

// free frees one slot of each level. If it reports serve, the caller must call serve (see take).
func (c chain) free() (serve bool) {
	for i := range c {
		if r := c[i].reserve; r != nil && !r.release() {
			return c[:i].freeLevels() || r.listed.Load()
		}
	}
	return c.freeLevels()
}

// freeLevels frees one slot of each level, the highest first. So a slot below is free only when those above it are: if
// it were free before, the next start there would hold a second slot above for that moment, and one somewhere else
// could be refused because of it.
func (c chain) freeLevels() (serve bool) {
	for _, s := range slices.Backward(c) {
		if s.level != nil && s.level.release() {
			serve = true
		}
	}
	return serve
}

// serve offers free slots to the queues that wait at these levels. The caller holds no lock.
func (c chain) serve() {
	for i := range c {
		if l := c[i].level; l != nil && l.listed() {
			l.serve()
		}
		if r := c[i].reserve; r != nil && r.listed.Load() {
			r.serve()
		}
	}
}

// list notes that q waits because the level is full: there, and at the reserves below it, where room would do as well.
// It reports whether that is new anywhere; see waitlist.
func (c chain) list(q *queue, at *level) (fresh bool) {
	for i := range c {
		if c[i].level == at {
			break
		}
		if r := c[i].reserve; r != nil {
			fresh = r.list(q) || fresh
		}
	}
	return at.list(q) || fresh
}
