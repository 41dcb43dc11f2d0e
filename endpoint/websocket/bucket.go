package websocket

import "time"

// A bucket measures a rate: it holds up to burst tokens, rate of them come in a second, and each arrival takes one. It
// belongs to the goroutine that reads, so it has no lock; and it knows absences, which a shared library's does not.
type bucket struct {
	rate, burst float64
	tokens      float64
	extra       float64 // above burst, for absences
	at          time.Time
}

// mostExtra is how many bursts an absence can be worth. Without a bound a slow handler would save up for its peer.
const mostExtra = 4

func newBucket(rate float64, burst int, now time.Time) bucket {
	return bucket{rate: rate, burst: float64(burst), tokens: float64(burst), at: now}
}

// absent tells that nobody has looked for d. What arrives after that has been on its way all the time, and an honest peer
// must not pay for a handler that was busy.
func (b *bucket) absent(d time.Duration) {
	b.extra = min(b.extra+b.rate*d.Seconds(), mostExtra*b.burst)
}

func (b *bucket) take(now time.Time) bool {
	b.tokens = min(b.tokens+b.rate*now.Sub(b.at).Seconds(), b.burst+b.extra)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	b.extra = max(0, min(b.extra, b.tokens-b.burst))
	return true
}
