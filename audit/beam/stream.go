package beam

import (
	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

var streams = map[string]bool{
	"Task.async_stream": true, "Task.Supervisor.async_stream": true, "Task.Supervisor.async_stream_nolink": true,
}

// streams reports Task.async_stream with max_concurrency: :infinity.
func (r *review) streams() {
	r.inventory.eachScope(func(s *scope, n elixir.Node) {
		if s.fn == nil {
			return
		}
		eachCall(n, func(c *elixir.Call) {
			if streams[s.target(c)] {
				r.p.fuel = fuel
				r.stream(s, c)
			}
		})
	})
}

func (r *review) stream(s *scope, c *elixir.Call) {
	at := 0
	if _, underSupervisor := kinds[s.moduleName(c.Target)]; underSupervisor {
		at = 1
	}
	if len(c.Args) < at+3 || (term{c.Args[at], s}).few() {
		return
	}
	v, ok := (term{last(c.Args), s}).options().get("max_concurrency")
	if !ok {
		return
	}
	limit, confidence := v.scalar(), report.High
	switch {
	case limit.kind == atom && limit.text == "infinity":
	case limit.kind == expression && s.counts(v):
		confidence = report.Medium
	default:
		return
	}
	path := append(r.reached.path(s.fn), s.mod.step(c.Name, c.Pos))
	f := report.Finding{
		Rule: "HC206", Confidence: confidence, Criticality: r.reached.criticality(s.fn),
		Message: s.target(c) + " with max_concurrency: " + limit.show() + " runs all items at once",
		Remedy:  "max_concurrency: 10",
	}
	if len(path) > 1 {
		f.Reach = path
	}
	r.add(s, c.Pos, f)
}

// counts reports whether a limit is the number of items itself: length(items).
func (s *scope) counts(v term) bool {
	c := callOf(v.follow().node)
	if c == nil {
		return false
	}
	t := v.in.target(c)
	return t == "length" || t == "Enum.count" || t == "map_size"
}
