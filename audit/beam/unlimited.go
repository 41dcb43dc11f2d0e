package beam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// supervisors takes the inventory into the result and reports those without a limit and without an end of restarts.
func (r *review) supervisors() {
	r.inventory.find()
	ofKind := map[string]int{}
	for _, sup := range r.inventory.all {
		ofKind[sup.kind.name]++
	}
	for _, sup := range r.inventory.all {
		only := ofKind[sup.kind.name] == 1
		who, path := r.startOf(sup, only)
		switch {
		case sup.kind.isStatic():
			who, path = report.NotKnown, nil
		case sup.kind.limit == "max_demand":
			who = max(who, report.Unbounded) // what its producers have for it is not asked for by start_child
		}
		row := report.Supervisor{
			Position: sup.in.mod.position(sup.at), Language: "elixir", Kind: sup.title(), Name: sup.name, Symbol: sup.in.symbol(),
			Strategy: sup.strategy(), Restarts: sup.budget().String(), Limit: sup.limit, Criticality: who, Reach: path,
		}
		r.added(sup, &row)
		r.result.Supervisors = append(r.result.Supervisors, row)
		r.unlimited(sup, row, r.graph.counted(sup, only))
		r.endless(sup, row)
	}
}

func (sup *supervisor) title() string {
	if sup.parts != nil {
		return "PartitionSupervisor of " + sup.kind.name
	}
	return sup.kind.name
}

// counted reports whether the children of sup are counted where they are started, or by a function called there: a limit by
// hand, which holds unless two ask at once.
func (g *graph) counted(sup *supervisor, only bool) bool {
	if len(g.counts) == 0 {
		return false
	}
	for _, call := range g.starts {
		if call.isOf(sup, only) && (g.counts[call.in] || g.callsCounter(call.in)) {
			return true
		}
	}
	return false
}

func (g *graph) callsCounter(c *clause) bool {
	for _, function := range g.calls[c] {
		if slices.ContainsFunc(function, func(c *clause) bool { return g.counts[c] }) {
			return true
		}
	}
	return false
}

// unlimited reports a supervisor that starts as many children as it is asked for.
func (r *review) unlimited(sup *supervisor, row report.Supervisor, counted bool) {
	f := report.Finding{Rule: sup.kind.rule, Criticality: row.Criticality, Reach: row.Reach, Confidence: report.High}
	switch {
	case sup.kind.rule == "HC204":
		if row.State != report.Set || !strings.HasSuffix(row.Text, "by default") {
			return
		}
		f.Confidence = report.Low
		f.Message = fmt.Sprintf("%s runs up to %s children, because no max_demand is chosen", sup.called(), row.Text)
		f.Remedy = "subscribe_to: [{Producer, min_demand: 25, max_demand: 50}]"
	case sup.kind.rule == "" || row.State != report.Unlimited:
		return
	case sup.kind == dynamicKind:
		f.Message = sup.called() + " is a simple_one_for_one, which has no limit"
		f.Remedy = "DynamicSupervisor.init(strategy: :one_for_one, max_children: 1_000)"
	default:
		f.Message = sup.called() + " has no max_children"
		if row.Text == ":infinity" {
			f.Message = sup.called() + " has max_children: :infinity"
		}
		if sup.parts != nil {
			f.Message += " in any of its partitions"
		}
		f.Remedy = sup.remedy()
	}
	if counted && f.Confidence == report.High {
		f.Confidence = report.Medium
		f.Message += ", only a count before the start, which two starts at once pass"
	}
	r.add(sup.in, sup.at, f)
}

// called names a supervisor in a message.
func (sup *supervisor) called() string { return strings.TrimSpace(sup.title() + " " + sup.name) }

// remedy is what stands at the place, with a limit.
func (sup *supervisor) remedy() string {
	limit := &elixir.Pair{Key: &elixir.Atom{Name: sup.kind.limit}, Value: &elixir.Number{Text: "1_000"}}
	short := show(limit)
	var code string
	switch n := sup.from.(type) {
	case *elixir.Alias:
		return "{" + n.Name + ", " + short + "}"
	case *elixir.Tuple:
		copied := *n
		copied.Elems = withLimit(n.Elems, limit)
		code = showNode(&copied, 0)
	case *elixir.Call:
		copied := *n
		copied.Parens = true
		copied.Args = withLimit(n.Args, limit)
		code = showNode(&copied, 0)
	}
	if code == "" || strings.Contains(code, "...") || len(code) > 200 || !strings.Contains(code, short) {
		return short
	}
	return code
}

// withLimit returns nodes with a limit in the keywords at their end.
func withLimit(nodes []elixir.Node, limit *elixir.Pair) []elixir.Node {
	l, ok := last(nodes).(*elixir.List)
	if !ok || len(l.Elems) != len(elixir.Keywords(l)) {
		return nodes
	}
	copied := *l
	copied.Elems = nil
	for _, e := range l.Elems {
		if p, ok := e.(*elixir.Pair); !ok || show(p.Key) != show(limit.Key) {
			copied.Elems = append(copied.Elems, e)
		}
	}
	copied.Elems = append(copied.Elems, limit)
	return append(append([]elixir.Node(nil), nodes[:len(nodes)-1]...), &copied)
}
