package headcount

import (
	"sort"
	"time"
)

// maxIntensity bounds Intensity.Restarts, because each restart that counts is
// a time stamp in memory for as long as it counts.
const maxIntensity = 10_000

// An Intensity is a budget of restarts: at most Restarts of them Within any
// period of that length. The restart that would be one more is not made; the
// supervisor gives up instead.
//
// The zero value means the default, 3 restarts within 5 seconds. Restarts 0
// with Within set makes the first restart one too many.
type Intensity struct {
	// Restarts is how many restarts are allowed within the period, from 0 to
	// 10000.
	Restarts int
	// Within is the period. It must be positive when Restarts is set. A
	// restart counts while its age is below Within: measured on the monotonic
	// clock, exact, not in whole seconds as in OTP (rule S37).
	Within time.Duration
}

var defaultIntensity = Intensity{Restarts: 3, Within: 5 * time.Second}

// orDefault returns i, or def when i is the zero value. It replaces the whole
// and not field by field: Restarts 0 has a meaning of its own.
func (i Intensity) orDefault(def Intensity) Intensity {
	if i == (Intensity{}) {
		return def
	}
	return i
}

// problem names the field that is wrong and what it must be, or returns two
// empty strings.
func (i Intensity) problem() (field, problem string) {
	switch {
	case i == (Intensity{}):
		return "", ""
	case i.Restarts < 0:
		return "Restarts", "must not be negative"
	case i.Restarts > maxIntensity:
		return "Restarts", "must be at most 10000"
	case i.Within <= 0:
		return "Within", "must be positive"
	}
	return "", ""
}

// A restartWindow remembers when restarts were made, for as long as they
// count. It is a ring that grows up to the number of restarts allowed, so
// that a child that never fails costs no more than the empty struct. The zero
// value is an empty window. Its owner's lock guards it.
//
// Times are monotonic, counted from any fixed moment. Stamps never fall: two
// callers may read the clock in one order and arrive in the other, and then
// the older reading is stamped with the newer, which counts it a little
// longer and never shorter.
type restartWindow struct {
	ring  []time.Duration
	first int32 // index in ring of the oldest stamp
	count int32 // stamps held, old ones included until the next allow
}

// allow reports whether one more restart may be made at now, and records it
// if so. A restart that is refused is not made, so it leaves no stamp.
func (w *restartWindow) allow(now time.Duration, in Intensity) bool {
	w.forget(now, in.Within)
	if int(w.count) >= in.Restarts {
		return false
	}
	if w.count > 0 {
		now = max(now, w.stamp(int(w.count)-1))
	}
	if int(w.count) == len(w.ring) {
		w.grow(in.Restarts)
	}
	w.ring[w.index(int(w.count))] = now
	w.count++
	return true
}

// used returns how many restarts count at now. It changes nothing, so that a
// read lock is enough for it.
func (w *restartWindow) used(now time.Duration, in Intensity) int {
	n := int(w.count)
	return n - sort.Search(n, func(i int) bool { return now-w.stamp(i) < in.Within })
}

// forget drops the stamps that no longer count at now.
func (w *restartWindow) forget(now, within time.Duration) {
	for w.count > 0 && now-w.ring[w.first] >= within {
		w.first = int32(w.index(1))
		w.count--
	}
	if w.count == 0 && len(w.ring) > smallRing {
		*w = restartWindow{} // a storm is over: give its memory back
	}
}

// smallRing is the largest ring that is kept while it is empty.
const smallRing = 8

// grow makes room for at least one more stamp. The ring never gets longer
// than the stamps that may be held.
func (w *restartWindow) grow(restarts int) {
	ring := make([]time.Duration, min(max(4, 2*len(w.ring)), max(restarts, len(w.ring)+1)))
	for i := range int(w.count) {
		ring[i] = w.stamp(i)
	}
	w.ring, w.first = ring, 0
}

// stamp returns the i-th oldest stamp.
func (w *restartWindow) stamp(i int) time.Duration { return w.ring[w.index(i)] }

// index returns where in the ring the i-th oldest stamp stands.
func (w *restartWindow) index(i int) int {
	i += int(w.first)
	if i >= len(w.ring) {
		i -= len(w.ring)
	}
	return i
}
