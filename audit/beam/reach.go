package beam

import (
	"slices"

	"github.com/headcount-go/headcount/audit/report"
)

// A place is code that can be reached: a clause of Elixir, a function of Erlang. Its zero value is none.
type place interface {
	comparable
	step() report.Step
}

// An entry is a place that something else than the program's own code runs.
type entry[P place] struct {
	at    P
	steps []report.Step // how it gets there, the place itself last
	report.Criticality
	// handler is what a person calls this kind of code, such as "a controller action".
	handler string
}

// A reach says who gets to a place: the entry, and the place before, none for the entry itself.
type reach[P place] struct {
	entry *entry[P]
	from  P
}

// reached says of places who gets there. Where many do, the most critical counts, and of those the nearest.
type reached[P place] map[P]reach[P]

// reachFrom walks from all entries breadth first, those of outsiders before all others. calls gives the places that one
// leads to; what was visited before may be left out.
func reachFrom[P place](entries []entry[P], calls func(from P, visit func(P))) reached[P] {
	all := reached[P]{}
	for who := report.External; who >= report.NotKnown; who-- {
		var queue []P
		for i, e := range entries {
			if _, ok := all[e.at]; !ok && e.Criticality == who {
				all[e.at] = reach[P]{entry: &entries[i]}
				queue = append(queue, e.at)
			}
		}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			calls(at, func(next P) {
				if _, ok := all[next]; !ok {
					all[next] = reach[P]{all[at].entry, at}
					queue = append(queue, next)
				}
			})
		}
	}
	return all
}

// path is the way to a place, the outermost step first; nil where none is known.
func (r reached[P]) path(p P) []report.Step {
	at, ok := r[p]
	if !ok {
		return nil
	}
	var none P
	var between []report.Step
	for at.from != none {
		between = append(between, p.step())
		p = at.from
		at = r[p]
	}
	slices.Reverse(between)
	return append(slices.Clone(at.entry.steps), between...)
}

// isEntry reports whether a place is itself one, and not only called by one.
func (r reached[P]) isEntry(p P) bool {
	var none P
	at, ok := r[p]
	return ok && at.from == none
}

func (r reached[P]) criticality(p P) report.Criticality {
	if at, ok := r[p]; ok {
		return at.entry.Criticality
	}
	return report.NotKnown
}
