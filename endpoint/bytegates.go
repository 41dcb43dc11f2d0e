package endpoint

import (
	"sync/atomic"

	"github.com/headcount-go/headcount"
)

// byteGates are the gates of layer 2. But for the resets they admit none: a client that was too slow or sent too much,
// by [Timeouts], [Rates] and [Sizes], is counted and told of there.
type byteGates struct {
	cfg       *config
	observing bool

	handshake    *headcount.Gate // a TLS handshake failed or was slow
	slowHeader   *headcount.Gate
	badRequest   *headcount.Gate // what came was not a request
	slowBody     *headcount.Gate
	bigBody      *headcount.Gate
	slowResponse *headcount.Gate
	resets       *headcount.Gate
	resetLimit   atomic.Int64
}

func newByteGates(cfg *config) *byteGates {
	b := &byteGates{cfg: cfg, observing: cfg.observe[LayerBytes]}
	none := func(name string, observing bool) *headcount.Gate {
		g := headcount.NewGate(name, 0, nil, headcount.Ceiling(0))
		if observing {
			return g.Observing()
		}
		return g
	}
	b.handshake = none("handshake", b.observing)
	b.slowHeader = none("slow_header", false) // these two are net/http's own refusals
	b.badRequest = none("bad_request", false)
	b.slowBody = none("slow_body", b.observing)
	b.bigBody = none("big_body", b.observing)
	b.slowResponse = none("slow_response", b.observing)
	b.resets = newGate("resets", cfg.rates.Resets, b.observing, func(n int) { b.resetLimit.Store(int64(n)) })
	return b
}

// gates are those that mean something for this kind of config.
func (b *byteGates) gates() []*headcount.Gate {
	switch b.cfg.kind {
	case kindHTTP:
		return []*headcount.Gate{b.handshake, b.slowHeader, b.badRequest, b.slowBody, b.bigBody, b.slowResponse, b.resets}
	case kindHandler:
		return []*headcount.Gate{b.slowBody, b.bigBody, b.slowResponse}
	}
	return []*headcount.Gate{b.handshake, b.slowResponse}
}

func (b *byteGates) writePace() pace {
	return pace{rate: float64(b.cfg.rates.WriteBytes), stall: b.cfg.timeouts.Stall}
}

func (b *byteGates) readPace() pace {
	return pace{rate: float64(b.cfg.rates.ReadBytes), stall: b.cfg.timeouts.Stall}
}

// closing counts a connection whose last request was none: net/http answers or drops it by itself. Of HTTP/2 it does not
// tell when it begins to read a request; there, what is malformed resets its stream.
func (b *byteGates) closing(c *conn) {
	if c.http2.Load() || c.begun.Load() <= c.requests.Load() {
		return
	}
	if c.late.Load() {
		_ = b.slowHeader.Refuse()
	} else {
		_ = b.badRequest.Refuse()
	}
}
