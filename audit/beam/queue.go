package beam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// wideQueue is the limit from which a queue of Oban bounds nothing that a node could bear.
const wideQueue = 500

// queues takes the queues of Oban into the result: their limits hold on each node.
func (r *review) queues() {
	seen := map[elixir.Node]bool{}
	r.inventory.eachScope(func(s *scope, n elixir.Node) {
		r.p.fuel = fuel
		elixir.Walk(n, func(n elixir.Node) bool {
			var args []elixir.Node
			switch n := n.(type) {
			case *elixir.Tuple:
				module, given, ok := s.startTuple(n)
				if !ok || module != "Oban" {
					return true
				}
				args = given
			case *elixir.Call:
				if s.target(n) != "Oban.start_link" {
					return true
				}
				args = n.Args
			}
			if len(args) > 0 {
				r.queuesOf(term{last(args), s}.options(), seen)
			}
			return true
		})
	})
	for _, key := range slices.Sorted(maps.Keys(r.p.config.values)) {
		if app, ok := strings.CutSuffix(key, " Oban"); ok {
			r.p.fuel = fuel
			if v, ok := r.p.config.get(app, "Oban"); ok {
				r.queuesOf(v.options(), seen)
			}
		}
	}
}

func (r *review) queuesOf(o options, seen map[elixir.Node]bool) {
	v, ok := o.get("queues")
	if !ok {
		return
	}
	queues := v.options()
	for _, name := range slices.Sorted(maps.Keys(queues.values)) {
		q := queues.values[name]
		if q.node == nil || seen[q.node] {
			continue
		}
		seen[q.node] = true
		r.queue(name, q)
	}
}

func (r *review) queue(name string, q term) {
	limit := q.limit()
	if limit.State == report.Expression || limit.State == report.LimitNotKnown {
		if v, ok := q.options().get("limit"); ok {
			limit = v.limit()
		} else if v, ok := q.options().get("local_limit"); ok {
			limit = v.limit()
		}
	}
	if limit.State == report.Set {
		limit.Text += " on each node"
	}
	at := q.node.Position()
	r.result.Supervisors = append(r.result.Supervisors, report.Supervisor{
		Position: q.in.mod.position(at), Language: "elixir", Kind: "Oban queue", Name: name, Symbol: q.in.symbol(),
		Limit: limit, Criticality: report.Unbounded,
	})
	if limit.State == report.Set && limit.Value >= wideQueue {
		r.add(q.in, at, report.Finding{
			Rule: "HC212", Confidence: report.Low, Criticality: report.Unbounded,
			Message: fmt.Sprintf("Oban queue %s runs %d jobs at once on each node", name, limit.Value),
			Remedy:  name + ": 20",
		})
	}
}
