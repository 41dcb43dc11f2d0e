package headcount

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// A Gate is a limit at a supervisor that another package keeps, beside the supervisor's own: connections of one address
// prefix, requests of one route, starts in a second. That package decides what is above the limit, and calls Refuse for
// it; the gate has the value, which can be changed as any [Limit] can, the counts and the events, and the supervisor
// shows it in its Tree. A gate belongs to one supervisor, which it is given to by [Gates] or by
// [SupervisorConfig].Gates. All methods may be called from many goroutines once the supervisor has been made.
type Gate struct {
	name    string
	spec    limitSpec
	enforce func(inForce int)
	observe bool

	node    *node
	limit   *Limit
	refusal atomic.Pointer[Refusal] // made beforehand
	refused refusedCounter          // by gateRefused and gateObserved
}

// A gate counts what it refused, and what it would have refused, as if these were reasons.
const (
	gateRefused  Reason = 0
	gateObserved Reason = 1
)

// NewGate makes a gate of this name, which is a word such as conns_per_prefix: lower case letters, digits and _, at most
// 64 bytes; no other gate of the supervisor may have it. n is its limit. enforce puts a new value in force: it is called
// when the gate is given to a supervisor, and then by each change before the change returns, one call at a time; it must
// not block or change the limit. It may be nil.
func NewGate(name string, n int, enforce func(inForce int), opts ...LimitOption) *Gate {
	return &Gate{name: name, spec: newLimitSpec(n, opts), enforce: enforce, refused: newRefusedCounter()}
}

// Observing makes the gate count and tell what it would refuse, and refuse nothing. It returns the gate, and is not for
// one in use.
func (g *Gate) Observing() *Gate {
	g.observe = true
	return g
}

// Gates gives a supervisor these gates.
func Gates(gates ...*Gate) Option {
	return optionFunc(func(o *options) { o.gates = append(o.gates, gates...) })
}

// Limit gives the limit of the gate; nil before it belongs to a supervisor.
func (g *Gate) Limit() *Limit { return g.limit }

// Name gives the word that the gate was made with.
func (g *Gate) Name() string { return g.name }

// Refuse counts a refusal and returns it: a [*Refusal] that matches [ErrGate]. Nothing is allocated. A gate that only
// observes counts what it would have refused, and returns nil.
func (g *Gate) Refuse() error {
	kind := gateRefused
	if g.observe {
		kind = gateObserved
	}
	g.refused.add(kind)
	if g.refused.begins(kind) {
		g.beginSpell(kind)
	}
	if g.observe {
		return nil
	}
	return g.made()
}

// made is the refusal, with the path and the limit of now.
func (g *Gate) made() *Refusal {
	r, path := g.refusal.Load(), g.node.Path()
	if r.Path != path {
		r = &Refusal{Path: path, Reason: ReasonGate, Gate: g.name, Limit: r.Limit}
		g.refusal.Store(r)
	}
	return r
}

// A GateSnapshot is a gate at one moment.
type GateSnapshot struct {
	LimitSnapshot
	Observing bool
	Refused   uint64
	Observed  uint64 // what it would have refused
}

// Snapshot gives all there is to know of the gate. It must belong to a supervisor.
func (g *Gate) Snapshot() GateSnapshot {
	return GateSnapshot{
		LimitSnapshot: g.limit.Snapshot(), Observing: g.observe,
		Refused: g.refused.total(gateRefused), Observed: g.refused.total(gateObserved),
	}
}

// addGates gives the node its gates.
func (n *node) addGates(gates []*Gate) {
	for i, g := range gates {
		field := fmt.Sprintf("Gates[%d]", i)
		switch {
		case g == nil:
			n.problem(field, nil, "is nil")
			continue
		case g.node != nil:
			n.problem(field, g.name, "belongs to the supervisor "+g.node.Path()+" already")
			continue
		case !gateWord(g.name):
			n.problem(field, g.name, "is not a word of lower case letters, digits and _, of at most 64 bytes")
			continue
		}
		if first := n.gateNamed(g.name); first >= 0 {
			n.problem(field, g.name, fmt.Sprintf("is the name of Gates[%d] too: a limit is set, counted and shown by its name", first))
			continue
		}
		if p := g.spec.problem(); p != "" {
			n.problem(g.name, g.spec.value, p)
			g.spec.value = 0
		}
		g.node = n
		g.limit = newLimit(g.name, g.spec, n, func(inForce int) func() {
			g.refusal.Store(&Refusal{Path: n.Path(), Reason: ReasonGate, Gate: g.name, Limit: inForce})
			if g.enforce != nil {
				g.enforce(inForce)
			}
			return nil
		})
		n.gates = append(n.gates, g)
	}
}

// gateNamed gives the number of the node's gate of this name, or -1.
func (n *node) gateNamed(name string) int {
	return slices.IndexFunc(n.gates, func(g *Gate) bool { return g.name == name })
}

func gateWord(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// refusedCounts is what the node and its gates have refused.
func (n *node) refusedCounts() RefusedCounts {
	c := n.refused.counts()
	for _, g := range n.gates {
		c.Gates += g.refused.total(gateRefused)
	}
	return c
}

func (g *Gate) beginSpell(kind Reason) {
	n, observed := g.node, kind == gateObserved
	g.refused.watch(kind, func(began time.Time) {
		n.emit(LimitReached{Path: n.Path(), Time: began, Reason: g.name, Limit: g.refusal.Load().Limit, Observed: observed})
	}, func(refused uint64, lasted time.Duration) {
		n.emit(LimitCleared{Path: n.Path(), Time: time.Now(), Reason: g.name, Refused: refused, For: lasted, Observed: observed})
	})
}
