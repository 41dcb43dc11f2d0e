package endpoint

import "time"

// A pace tells slow from long. The peer owes n bytes at the rate for the time that was spent waiting for it: what it is
// behind is its debt, which it pays off by being faster, and which may not grow above stall. A peer that keeps the rate
// may take as long as it likes; one that dribbles is found after stall, whatever it sent before. It is a leaky bucket
// that time fills and bytes drain. A pace is used by one goroutine at a time.
type pace struct {
	rate  float64 // bytes per second; zero asks for none
	stall time.Duration
	debt  time.Duration
}

// allowed is how long the next n bytes may be waited for; [NoTimeout] for any time.
func (p *pace) allowed(n int) time.Duration {
	if p.rate <= 0 || p.stall == NoTimeout {
		return NoTimeout
	}
	return max(p.stall-p.debt, 0) + p.worth(n)
}

// moved says that n bytes have come after waiting for d, and reports whether the peer is too far behind.
func (p *pace) moved(n int, d time.Duration) (tooSlow bool) {
	if p.rate <= 0 || p.stall == NoTimeout {
		return false
	}
	p.debt = max(p.debt+d-p.worth(n), 0)
	return p.debt > p.stall
}

// worth is the time that n bytes take at the rate.
func (p *pace) worth(n int) time.Duration {
	return time.Duration(float64(n) / p.rate * float64(time.Second))
}
