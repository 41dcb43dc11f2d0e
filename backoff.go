package headcount

import "time"

// A Backoff says how long a child waits before it is run again. The first
// restart has no wait; the second waits about Min, and each one after it
// twice as long, up to Max. A wait is drawn at random between half of that
// time and all of it, so that children that failed together do not return
// together. A child that has run for Stable starts again without a wait.
//
// A field that is zero has its default: 100 ms, 10 s and 10 s. Where that
// would put Max below Min, the field that is set decides for both.
// The smallest wait that can be asked for is a nanosecond.
type Backoff struct {
	// Min is the wait before the second restart.
	Min time.Duration
	// Max is the longest wait.
	Max time.Duration
	// Stable is how long a child must have run for its failures to be
	// forgotten.
	Stable time.Duration
}

var defaultBackoff = Backoff{Min: 100 * time.Millisecond, Max: 10 * time.Second, Stable: 10 * time.Second}

// orDefault returns b with its zero fields filled from def.
func (b Backoff) orDefault(def Backoff) Backoff {
	switch {
	case b.Min == 0 && b.Max == 0:
		b.Min, b.Max = def.Min, def.Max
	case b.Min == 0:
		b.Min = min(def.Min, b.Max)
	case b.Max == 0:
		b.Max = max(def.Max, b.Min)
	}
	if b.Stable == 0 {
		b.Stable = def.Stable
	}
	return b
}

// problem names the field that is wrong and what it must be, or returns two
// empty strings.
func (b Backoff) problem() (field, problem string) {
	switch {
	case b.Min < 0:
		return "Min", "must not be negative"
	case b.Max < 0:
		return "Max", "must not be negative"
	case b.Stable < 0:
		return "Stable", "must not be negative"
	case b.Max != 0 && b.Max < b.Min:
		return "Max", "must not be below Min"
	}
	return "", ""
}

// delay returns the wait before a restart that follows so many consecutive
// restarts, each made before the child was stable. random returns a number in
// [0, 1). The zero fields of b must have been filled.
func (b Backoff) delay(consecutive int, random func() float64) time.Duration {
	if consecutive <= 0 {
		return 0
	}
	d := b.Max
	// Compare by shifting Max down: Min shifted up could pass the largest
	// int64.
	if shift := consecutive - 1; shift < 63 && b.Min <= b.Max>>shift {
		d = b.Min << shift
	}
	half := d / 2
	return d - min(time.Duration(random()*float64(half)), half)
}
