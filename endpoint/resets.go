package endpoint

import (
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount"
)

// A resetBudget decides when an HTTP/2 connection has reset so many streams that it is cut. A stream that is opened and
// reset at once costs the client a few bytes and the server a handler, and frees its place among the streams that the
// connection may have, so only a rate stops it: "rapid reset", CVE-2023-44487, and its other half, where the client
// makes the server reset ("MadeYouReset", CVE-2025-8671). Envoy cuts a connection when, of 500 streams or more, over
// half were reset within a second of their start; HAProxy counts such events and cuts at a threshold.
//
// The budget is a leaky bucket that holds most resets and empties within one period, kept as the time at which it will
// be empty. A client that keeps to most in every period is never cut; one that has sent more than twice as many within
// a period always is; between the two it depends on what came before. An exact window would have to remember the time
// of each reset, 8 x most bytes for every connection, for a line that nobody can draw so sharply. This is one word.
//
// It may be used by the goroutine that reads the connection and the one that writes it at the same time. The zero value
// is an empty bucket.
type resetBudget struct {
	empty atomic.Int64 // nanoseconds on the clock of spend
}

// longestPeriod keeps sums of times from overflowing: 73 years.
const longestPeriod = time.Duration(rateLongest)

// spend puts n resets into the bucket and reports whether they were too many for a budget of most within the period:
// [headcount.Unlimited] for no limit; none at all with a limit of zero. What was too many is not put in. now is
// monotonic and not negative.
func (b *resetBudget) spend(n int, now time.Duration, most int, within time.Duration) (over bool) {
	if n <= 0 || most == headcount.Unlimited {
		return false
	}
	most, within = min(most, headcount.MaxLimit), min(within, longestPeriod)
	if n > most {
		return true
	}
	// One reset leaks out in this time, rounded down: in favour of the client.
	each := max(int64(within)/int64(most), 1)
	full := int64(most) * each
	for {
		was := b.empty.Load()
		at := max(was, int64(now)) + int64(n)*each
		if at-int64(now) > full {
			return true
		}
		if b.empty.CompareAndSwap(was, at) {
			return false
		}
	}
}
