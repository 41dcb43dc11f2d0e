package headcount

import (
	"math"
	"sync/atomic"
)

// Unlimited is the value of a limit that admits any number. It is neither zero (which admits nothing) nor negative
// (which is an error), and it shows as a finding wherever limits are shown.
const Unlimited = math.MaxInt

// MaxLimit is the largest limit that can be set: 536,870,910.
const MaxLimit = wordUnlimited - 1

// The word of a level, from the top bit down:
//
//	closed 1 | queued 1 | listed 1 | limit 29 | count 32
//
// closed: the supervisor takes no starts. queued: starts wait in this supervisor's queue, newcomers must not pass
// them. listed: a queue waits for a slot of this level, whoever frees one must serve it.
const (
	wordCount     = 1<<32 - 1
	wordLimit     = wordUnlimited << limitShift
	limitShift    = 32
	wordUnlimited = 1<<29 - 1 // also the mask of the limit
	wordListed    = 1 << 61
	wordQueued    = 1 << 62
	wordClosed    = 1 << 63
)

func countOf(w uint64) int { return int(w & wordCount) }

// limitOf gives the limit in a word, [Unlimited] included.
func limitOf(w uint64) int {
	if n := w >> limitShift & wordUnlimited; n != wordUnlimited {
		return int(n)
	}
	return Unlimited
}

// verdict is what a level, or a chain of them, says of one start.
type verdict uint8

const (
	admitted     verdict = iota
	full                 // the count has reached the limit
	fullForClass         // room is left, but not for this class
	keyFull              // the key holds all it may
	mustQueue            // others wait here already
	closed               // the supervisor takes no starts
	stale                // what the key may hold was computed from a limit that has changed since
)

// A level is one limit with its count: the children of one supervisor, or all descendants of one.
//
// Invariant: count <= limit at the instant of each admission. All changes of count, limit and marks are atomic
// operations on the one word, so a limit that was lowered is in force for every admission that comes after it, and an
// admission never has to be taken back because of this level.
type level struct {
	_    cacheLine // what all starts read is beside, and does not change
	word atomic.Uint64
	peak atomic.Uint64
	_    cacheLine

	reason      Reason
	queueLength int
	refusals    atomic.Pointer[refusals]

	waiting waitlist
}

// A cacheLine keeps what many cores change away from its neighbours.
type cacheLine [64]byte

// refusals are made beforehand, so that refusing allocates nothing.
type refusals struct{ full, priority, queueFull, waitTimeout *Refusal }

// nameRefusals makes the refusals anew, after the path or the limit has changed.
func (l *level) nameRefusals(path string) {
	limit := l.limit()
	l.refusals.Store(&refusals{
		full:        &Refusal{Path: path, Reason: l.reason, Limit: limit},
		priority:    &Refusal{Path: path, Reason: ReasonPriority, Limit: limit},
		queueFull:   &Refusal{Path: path, Reason: ReasonQueueFull, Limit: l.queueLength},
		waitTimeout: &Refusal{Path: path, Reason: ReasonWaitTimeout, Limit: limit},
	})
}

// take admits one, unless the level is closed, full, or full for a class that may fill only share of it.
// With pass it ignores starts that wait.
func (l *level) take(share float64, pass bool) verdict {
	for {
		w := l.word.Load()
		if v := judge(w, share, pass); v != admitted {
			return v
		}
		gap(beforeSwap)
		if l.word.CompareAndSwap(w, w+1) {
			l.notePeak(w + 1)
			return admitted
		}
	}
}

// takeFrom admits one if the word is still w: for a decision that was computed from w.
func (l *level) takeFrom(w uint64) bool {
	if !l.word.CompareAndSwap(w, w+1) {
		return false
	}
	l.notePeak(w + 1)
	return true
}

func judge(w uint64, share float64, pass bool) verdict {
	switch {
	case w&wordClosed != 0:
		return closed
	case w&wordQueued != 0 && !pass:
		return mustQueue
	}
	count, limit := w&wordCount, w>>limitShift&wordUnlimited
	switch {
	case limit == wordUnlimited:
		return admitted
	case count >= limit:
		return full
	case share < 1 && count >= portion(share, limit):
		return fullForClass
	}
	return admitted
}

// plainlyFull is judge(w, 1, false) == full, short enough to be inlined.
func plainlyFull(w uint64) bool {
	limit := w >> limitShift & wordUnlimited
	return w < wordQueued && w&wordCount >= limit && limit != wordUnlimited
}

// portion is share x limit, rounded up. A share is meant to a millionth: 0.28 of 25 is 7, though the product of the
// floating-point numbers is a little more.
func portion(share float64, limit uint64) uint64 {
	return uint64(math.Ceil(share*float64(limit) - 1e-6))
}

func (l *level) notePeak(w uint64) {
	count := w & wordCount
	for {
		peak := l.peak.Load()
		if count <= peak || l.peak.CompareAndSwap(peak, count) {
			return
		}
	}
}

// release frees one slot. It reports whether a queue waits here: the caller must then call serve, at a moment when it
// holds no lock of a queue or of a key.
func (l *level) release() (serve bool) {
	return l.word.Add(^uint64(0))&wordListed != 0
}

// setLimit puts n in force and reports whether a queue waits here (see release).
func (l *level) setLimit(n int) (serve bool) {
	bits := uint64(wordUnlimited)
	if n != Unlimited {
		bits = uint64(n)
	}
	for {
		w := l.word.Load()
		if l.word.CompareAndSwap(w, w&^uint64(wordLimit)|bits<<limitShift) {
			return w&wordListed != 0
		}
	}
}

func (l *level) mark(bit uint64)   { l.word.Or(bit) }
func (l *level) unmark(bit uint64) { l.word.And(^bit) }

func (l *level) count() int   { return countOf(l.word.Load()) }
func (l *level) limit() int   { return limitOf(l.word.Load()) }
func (l *level) closed() bool { return l.word.Load()&wordClosed != 0 }

func (l *level) listed() bool { return l.word.Load()&wordListed != 0 }

// list notes that q waits for a slot of this level; see waitlist.
func (l *level) list(q *queue) bool {
	return l.waiting.add(q, func() { l.mark(wordListed) })
}

// serve offers the free slots of this level to the queues that wait for one.
func (l *level) serve() {
	l.waiting.serve(func() { l.mark(wordListed) }, func() { l.unmark(wordListed) }, func() bool { return judge(l.word.Load(), 1, true) != admitted })
}
