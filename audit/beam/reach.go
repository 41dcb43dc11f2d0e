package beam

import (
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/report"
)

// A reach says who gets to a clause: the entry, and the clauses between.
type reach struct {
	entry *entry
	from  *clause // the caller; nil for the entry itself
	depth int
}

// A map from clauses to who reaches them. Where many do, the most critical counts, and of those the nearest.
type reached map[*clause]reach

// reach walks from all entries at once, breadth first, those of outsiders before all others.
func (g *graph) reach(entries []entry) reached {
	all := reached{}
	slices.SortStableFunc(entries, func(a, b entry) int { return int(b.Criticality) - int(a.Criticality) })
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].Criticality == entries[0].Criticality {
			n++
		}
		all.from(g, entries[:n])
		entries = entries[n:]
	}
	return all
}

func (r reached) from(g *graph, entries []entry) {
	var queue []*clause
	done := map[**clause]bool{} // shared slices of clauses, by their first element
	for i := range entries {
		c := entries[i].clause
		if _, ok := r[c]; !ok {
			r[c] = reach{entry: &entries[i]}
			queue = append(queue, c)
		}
	}
	for len(queue) > 0 {
		c := queue[0]
		queue = queue[1:]
		for _, function := range g.calls[c] {
			if done[&function[0]] {
				continue
			}
			done[&function[0]] = true
			for _, next := range function {
				if _, ok := r[next]; !ok {
					r[next] = reach{r[c].entry, c, r[c].depth + 1}
					queue = append(queue, next)
				}
			}
		}
	}
}

// path is the way to a clause, the outermost step first; nil where none is known.
func (r reached) path(c *clause) []report.Step {
	at, ok := r[c]
	if !ok {
		return nil
	}
	var between []report.Step
	for at.from != nil {
		between = append(between, c.step())
		c = at.from
		at = r[c]
	}
	slices.Reverse(between)
	return append(slices.Clone(at.entry.steps), between...)
}

func (r reached) criticality(c *clause) report.Criticality {
	if at, ok := r[c]; ok {
		return at.entry.Criticality
	}
	return report.NotKnown
}

// written is the path as a line: router -> UserSocket -> RoomChannel.join -> start_child.
func written(path []report.Step) string {
	names := make([]string, len(path))
	for i, s := range path {
		names[i] = s.Name
	}
	return strings.Join(names, " -> ")
}
