package headcount

import (
	"math"
	"math/bits"
	"time"
)

// histogramBounds is the number of finite bounds: 1 µs, 2 µs, 4 µs up to
// 2^36 µs, which is 19 hours and 5 minutes.
const histogramBounds = 37

// A histogram counts durations in buckets whose upper bounds are the powers of
// two of a microsecond. Its bounds are fixed, so that the stripes of one
// supervisor and the children of many can be added up. The zero value is
// ready. Its owner's lock guards it.
type histogram struct {
	counts [histogramBounds + 1]uint64
	// The sum in nanoseconds has two words: 50 000 children that live side by
	// side would fill one in two days.
	sumHigh, sumLow uint64
}

// observe counts d. A negative duration counts as zero.
func (h *histogram) observe(d time.Duration) { h.observeFor(d, 1) }

// observeFor counts d for n observations.
func (h *histogram) observeFor(d time.Duration, n uint64) {
	d = max(d, 0)
	i := 0
	if d > 0 {
		// A bound belongs to its bucket: 1 µs to the first, 1001 ns to the
		// second.
		i = min(bits.Len64(uint64(d-1)/1000), histogramBounds)
	}
	h.counts[i] += n
	high, low := bits.Mul64(uint64(d), n)
	var carry uint64
	h.sumLow, carry = bits.Add64(h.sumLow, low, 0)
	h.sumHigh += high + carry
}

// addTo adds the counts of h to the snapshot, which may be the zero value.
func (h *histogram) addTo(snapshot *Histogram) {
	if snapshot.Counts == nil {
		snapshot.Bounds = make([]time.Duration, histogramBounds)
		for i := range snapshot.Bounds {
			snapshot.Bounds[i] = time.Microsecond << i
		}
		snapshot.Counts = make([]uint64, histogramBounds+1)
	}
	for i, n := range h.counts {
		snapshot.Counts[i] += n
		snapshot.Count += n
	}
	snapshot.Sum += (float64(h.sumHigh)*(1<<64) + float64(h.sumLow)) / float64(time.Second)
}

// A Histogram is a snapshot of how long something took, counted in buckets.
// The zero value is a snapshot of nothing.
type Histogram struct {
	// Bounds are the upper bounds of the buckets, each included in its bucket,
	// rising by the factor two from 1 µs to 19 h.
	Bounds []time.Duration
	// Counts are the numbers of observations in each bucket, not cumulative.
	// There is one more than Bounds: the last is for what took longer than
	// all of them.
	Counts []uint64
	// Count is the number of all observations.
	Count uint64
	// Sum is the sum of all observations in seconds. It is not a
	// time.Duration because the lives of many children together soon pass the
	// 292 years that one can hold.
	Sum float64
}

// Quantile returns an upper bound of the q-quantile, q from 0 to 1: at least
// the share q of all observations took no longer. It is the upper bound of a
// bucket, so it is less than twice the true value wherever that is above
// 1 µs. A quantile beyond the last bound is told as that bound. Without
// observations it is 0.
func (h Histogram) Quantile(q float64) time.Duration {
	if h.Count == 0 || len(h.Bounds) == 0 {
		return 0
	}
	rank := 1.0
	if q > 0 { // and is a number
		rank = max(1, math.Ceil(min(q, 1)*float64(h.Count)))
	}
	var below uint64
	for i, bound := range h.Bounds {
		below += h.Counts[i]
		if float64(below) >= rank {
			return bound
		}
	}
	return h.Bounds[len(h.Bounds)-1]
}
