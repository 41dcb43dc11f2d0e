package beam

import (
	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// itemCalls finds the calls that are made once for each item of something whose number is not known: inside the function
// that Enum.map and the like are given, and inside for.
func (s *scope) itemCalls() map[elixir.Pos]bool {
	found := map[elixir.Pos]bool{}
	inside := func(n elixir.Node) {
		eachCall(n, func(c *elixir.Call) { found[c.Pos] = true })
	}
	if s.chunks() {
		return found
	}
	eachCall(s.fn.code, func(c *elixir.Call) {
		switch {
		case found[c.Pos]: // all inside is found already
		case loops[s.target(c)] && len(c.Args) >= 2 && !(term{c.Args[0], s}).few():
			inside(last(c.Args))
		case c.Target == nil && c.Name == "for" && !s.fewRounds(c):
			for _, section := range c.Sections {
				if section.Body != nil {
					inside(section.Body)
				}
			}
			if do, ok := elixir.Lookup(last(c.Args), "do"); ok {
				inside(do)
			}
		}
	})
	return found
}

var loops = map[string]bool{
	"Enum.map": true, "Enum.each": true, "Enum.flat_map": true, "Enum.map_reduce": true, "Enum.reduce": true, "Enum.into": true,
	"Enum.with_index": true, "Stream.map": true, "Stream.each": true, "Stream.flat_map": true,
}

// chunks reports whether the clause cuts its items into pieces, which is how their number is bounded by hand.
func (s *scope) chunks() bool {
	found := false
	eachCall(s.fn.code, func(c *elixir.Call) {
		t := s.target(c)
		found = found || t == "Enum.chunk_every" || t == "Stream.chunk_every" || t == "Enum.take" || t == "Stream.take"
	})
	return found
}

// few reports whether the number of items is written in the source: a list, a map, a sigil, a range of numbers or of
// schedulers.
func (t term) few() bool {
	t = t.follow()
	switch n := t.node.(type) {
	case *elixir.List:
		for _, e := range n.Elems {
			if b, ok := e.(*elixir.Binop); ok && b.Op == "|" {
				return false
			}
		}
		return true
	case *elixir.Map, *elixir.Sigil, *elixir.Tuple:
		return true
	case *elixir.Binop:
		return n.Op == ".." && t.isFixed(n.Left) && t.isFixed(n.Right)
	case *elixir.Call:
		switch t.in.target(n) {
		case "Enum.take", "Enum.slice", "Enum.zip", "Enum.with_index", "Enum.reverse", "Enum.shuffle", "Enum.sort":
			return len(n.Args) > 0 && (t.in.target(n) == "Enum.take" || term{n.Args[0], t.in}.few())
		}
	}
	return false
}

func (t term) isFixed(n elixir.Node) bool {
	switch s := (term{n, t.in}).scalar(); s.kind {
	case number:
		return true
	case expression:
		return s.text == "System.schedulers_online()" || s.text == "System.schedulers_online"
	}
	return false
}

// fewRounds reports whether all generators of a for are few.
func (s *scope) fewRounds(c *elixir.Call) bool {
	for _, a := range c.Args {
		if b, ok := a.(*elixir.Binop); ok && b.Op == "<-" && !(term{b.Right, s}).few() {
			return false
		}
	}
	return true
}

// perItem reports a process for each item.
func (r *review) perItem(s *scope, call *elixir.Call, who report.Criticality) {
	if who == report.Internal || who == report.NotKnown {
		return
	}
	path := append(r.reached.path(s.fn), s.mod.step(call.Name, call.Pos))
	r.add(s, call.Pos, report.Finding{
		Rule: "HC209", Confidence: report.Medium, Criticality: who, Reach: path,
		Message: s.target(call) + " starts a process for each item, all at once",
		Remedy:  "Task.Supervisor.async_stream_nolink(MyApp.TaskSupervisor, items, fun, max_concurrency: 10)",
	})
}
