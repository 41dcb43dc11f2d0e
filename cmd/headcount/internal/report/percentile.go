package report

import (
	"math"
	"time"
)

// Percentile returns the smallest value that at least the share q of all are not above (the nearest rank; nothing is
// interpolated). sorted holds the latencies of what succeeded, in rising order; failed operations count as ones that
// never ended, so that failing fast does not look like being fast. It returns false when the rank falls among those, or
// when there is nothing at all.
func Percentile(sorted []time.Duration, failed int, q float64) (time.Duration, bool) {
	all := len(sorted) + failed
	rank := int(math.Ceil(q * float64(all)))
	rank = max(rank, 1)
	if rank > len(sorted) {
		return 0, false
	}
	return sorted[rank-1], true
}
