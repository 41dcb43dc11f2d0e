package attack

import (
	"sync/atomic"
	"time"
)

// Stats is what an attacker saw. It tells that the attack took place; it is no measure of the defence.
type Stats struct {
	Opened     int           // connections that the system established
	OpenFailed int           // connections it did not, or whose TLS handshake failed
	PeakOpen   int           // most connections open at once, those waiting in the kernel's backlog included
	Closed     int           // connections that the target closed
	Sent       int           // requests, streams, frames or messages, whatever the attack consists of
	Accepted   int           // answers below 400, upgrades included
	Refused    int           // answers of 400 and above
	Reset      int           // HTTP/2 streams reset and connections told to go away, by the target
	Written    int64         // bytes
	Took       time.Duration // from first to last
}

type tally struct {
	began                                  time.Time
	opened, openFailed, open, peak, closed atomic.Int64
	sent, accepted, refused, reset         atomic.Int64
	written                                atomic.Int64
}

func (t *tally) connOpens() {
	t.opened.Add(1)
	now := t.open.Add(1)
	for {
		peak := t.peak.Load()
		if now <= peak || t.peak.CompareAndSwap(peak, now) {
			return
		}
	}
}

func (t *tally) answer(status int) {
	if status < 400 {
		t.accepted.Add(1)
	} else {
		t.refused.Add(1)
	}
}

func (t *tally) stats() Stats {
	return Stats{
		Opened:     int(t.opened.Load()),
		OpenFailed: int(t.openFailed.Load()),
		PeakOpen:   int(t.peak.Load()),
		Closed:     int(t.closed.Load()),
		Sent:       int(t.sent.Load()),
		Accepted:   int(t.accepted.Load()),
		Refused:    int(t.refused.Load()),
		Reset:      int(t.reset.Load()),
		Written:    t.written.Load(),
		Took:       time.Since(t.began),
	}
}
