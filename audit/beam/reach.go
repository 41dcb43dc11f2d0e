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
		for _, next := range g.calls[c] {
			if _, ok := r[next]; !ok {
				r[next] = reach{r[c].entry, c, r[c].depth + 1}
				queue = append(queue, next)
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

// startOf finds the start of a child of sup that is most critical, with the way to it.
func (r reached) startOf(g *graph, sup *supervisor, only bool) (report.Criticality, []report.Step) {
	var best report.Criticality
	var path []report.Step
	for _, call := range g.starts {
		if !call.isOf(sup, only) {
			continue
		}
		who := max(r.criticality(call.in), call.owner())
		way := append(r.path(call.in), call.in.mod.step(call.verb, call.at))
		if len(way) == 1 {
			way = append([]report.Step{call.in.step()}, way...)
		}
		if path == nil || who > best || who == best && len(way) < len(path) {
			best, path = who, way
		}
	}
	return best, path
}

// isOf reports whether a call starts a child of sup: it names it, or, where it names none that is known, sup is the only
// one of its kind or is made in the same module.
func (c startCall) isOf(sup *supervisor, only bool) bool {
	if c.of != "" {
		return c.of == sup.name || sup.module != "" && c.of == sup.module
	}
	if c.kind != sup.kind.name && (c.kind != "Supervisor" || sup.kind != dynamicKind) {
		return false
	}
	return only || c.in.mod == sup.in.mod
}

// owners are words for what a user has any number of.
var owners = []string{"user", "account", "tenant", "session", "room", "player", "customer", "device", "game", "project", "organization"}

// owner is UserOwned where the function that starts the child is told for whom: start_session(user_id).
func (c startCall) owner() report.Criticality {
	for _, p := range c.in.params {
		name, _ := paramName(p)
		for _, o := range owners {
			if name == o || name == o+"_id" || name == o+"_uuid" {
				return report.UserOwned
			}
		}
	}
	return report.NotKnown
}
