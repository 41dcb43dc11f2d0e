package golang

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// carrierOf knows values that came from outside by their type alone.
func carrierOf(t types.Type) string {
	if isRequest(t) {
		return "HTTP request"
	}
	if what := kindOf(t, carriers); what != "" && !sentToo[what] {
		return what
	}
	if what := kindOf(t, contexts); what != "" {
		return strings.TrimSuffix(strings.TrimSuffix(what, " handler"), " method") + " request"
	}
	if ch, ok := t.Underlying().(*types.Chan); ok {
		if what := kindOf(ch.Elem(), carriers); what != "" {
			return what
		}
	}
	return ""
}

// sentToo are messages whose type is also that of messages which the program sends.
var sentToo = map[string]bool{"NATS message": true, "MQTT message": true}

func (t *tracer) received(sel *ssa.Select, index, steps, calls int) origin {
	n := 2
	for _, st := range sel.States {
		if st.Dir == types.RecvOnly {
			if n == index {
				return t.channel(st.Chan, steps, calls)
			}
			n++
		}
	}
	return origin{from: internal}
}

// channel follows what is sent on a channel, and whether an outsider's act sends it.
func (t *tracer) channel(ch ssa.Value, steps, calls int) origin {
	if what := carrierOf(ch.Type()); what != "" {
		return origin{from: outside, what: what}
	}
	if o := t.trace(ch, steps-1, calls); o.from == outside {
		return o
	}
	return t.p.feeds(ch)
}

// feeds says who sends on a channel. A channel whose elements say nothing wakes somebody, and several sends may be one
// wake-up.
func (p *program) feeds(ch ssa.Value) origin {
	if c, ok := ch.Type().Underlying().(*types.Chan); ok && saysNothing(c.Elem()) || ofContainer(ch) {
		return origin{from: internal}
	}
	for _, s := range p.index.sends[p.index.place(ch)] {
		if e, ok := p.served(s.fn); ok {
			return origin{from: outside, what: e.what, far: 1}
		}
	}
	return origin{from: internal}
}

// ofContainer reports whether v is read from a field of a generic type, which others fill with other things.
func ofContainer(v ssa.Value) bool {
	u, ok := v.(*ssa.UnOp)
	if !ok {
		return false
	}
	f, ok := u.X.(*ssa.FieldAddr)
	if !ok {
		return false
	}
	named := namedOf(f.X.Type())
	return named != nil && named.TypeArgs().Len() > 0
}
