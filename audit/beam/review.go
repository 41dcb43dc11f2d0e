package beam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// A review holds what the rules read, and what they have found.
type review struct {
	p         *program
	inventory *inventory
	graph     *graph
	reached   reached[*clause]
	entries   map[*clause]entry[*clause] // that the clause is itself
	result    report.Result
}

func reviewElixir(ctx context.Context, root string, files []string, o Options) report.Result {
	var result report.Result
	p := read(ctx, root, files, o, &result)
	if ctx.Err() != nil {
		return result
	}
	return reviewProgram(p, result)
}

// reviewProgram adds to result what the rules find.
func reviewProgram(p *program, result report.Result) report.Result {
	p.readConfig()
	r := &review{p: p, inventory: newInventory(p), entries: map[*clause]entry[*clause]{}, result: result}
	r.graph = r.p.graph()
	entries := r.p.entries()
	r.reached = reachFrom(entries, r.graph.each())
	for _, e := range entries {
		if known, ok := r.entries[e.at]; !ok || e.Criticality > known.Criticality {
			r.entries[e.at] = e
		}
	}
	r.supervisors()
	r.streams()
	r.processes()
	r.listeners()
	r.queues()
	r.sort()
	return r.result
}

func (r *review) sort() {
	slices.SortStableFunc(r.result.Findings, func(a, b report.Finding) int {
		return cmp.Or(byPlace(a.Position, b.Position), cmp.Compare(a.Rule, b.Rule))
	})
	slices.SortStableFunc(r.result.Supervisors, func(a, b report.Supervisor) int { return byPlace(a.Position, b.Position) })
	slices.SortStableFunc(r.result.Unread, func(a, b report.Unread) int { return byPlace(a.Position, b.Position) })
}

func byPlace(a, b report.Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// add takes in a finding at a place of a scope; the rule's confidence is the finding's unless it has one of its own.
func (r *review) add(s *scope, at elixir.Pos, f report.Finding) {
	f.Position = s.mod.position(at)
	f.Symbol = s.symbol()
	f.Code = s.mod.src.line(at.Line)
	r.result.Findings = append(r.result.Findings, f)
}

func (s *scope) symbol() string {
	switch {
	case s.fn != nil:
		return s.fn.symbol()
	case s.mod.name != "":
		return s.mod.name
	}
	return s.mod.src.path
}

func (s *source) line(n int) string {
	if n < 1 || n > len(s.text) {
		return ""
	}
	return strings.TrimSpace(s.text[n-1])
}
