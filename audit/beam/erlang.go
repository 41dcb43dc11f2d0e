package beam

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/erlang"
	"github.com/headcount-go/headcount/audit/report"
)

// An erlReview holds what the rules for Erlang read, and what they have found.
type erlReview struct {
	p       *erlProgram
	graph   *erlGraph
	reached reached[*erlFunction]
	result  report.Result
}

func reviewErlang(ctx context.Context, root string, files []string, o Options) report.Result {
	r := &erlReview{p: &erlProgram{
		modules: map[string]*erlModule{}, headers: map[string][]*erlModule{},
		bound: map[*erlang.Clause]map[string][]erlBinding{}, guards: map[string]bool{},
	}}
	for _, name := range files {
		if ctx.Err() != nil {
			return r.result
		}
		if !isErlangTest(name) {
			r.read(root, name, o)
		}
	}
	r.p.names()
	r.p.routes()
	r.graph = r.p.graph()
	r.reached = reachFrom(r.p.entries(r.graph), r.graph.each)
	r.supervisors()
	r.listeners()
	r.processes()
	slices.SortStableFunc(r.result.Findings, func(a, b report.Finding) int {
		return cmp.Or(byPlace(a.Position, b.Position), cmp.Compare(a.Rule, b.Rule))
	})
	slices.SortStableFunc(r.result.Supervisors, func(a, b report.Supervisor) int { return byPlace(a.Position, b.Position) })
	return r.result
}

// isErlangTest tells suites of Common Test and EUnit, and what lies in a directory for tests.
func isErlangTest(file string) bool {
	return isTest(file) || strings.HasSuffix(file, "_SUITE.erl") || strings.HasSuffix(file, "_tests.erl")
}

func (r *erlReview) read(root, name string, o Options) {
	text, err := readText(filepath.Join(root, filepath.FromSlash(name)), o.maxFile())
	if err != nil {
		r.result.Unread = append(r.result.Unread, unread(name, err))
		return
	}
	file := erlang.Parse(string(text))
	for _, p := range file.Problems {
		r.result.Unread = append(r.result.Unread, report.Unread{
			Position: report.Position{File: name, Line: p.Line, Column: p.Column},
			Reason:   fmt.Sprintf("the form that begins at line %d: %s", p.Form, p.Reason),
		})
	}
	r.p.add(name, strings.Split(string(text), "\n"), file)
}

// add takes in a finding at a place of a function.
func (r *erlReview) add(fn *erlFunction, at erlang.Pos, f report.Finding) {
	f.Position = fn.mod.position(at)
	f.Symbol = fn.symbol()
	if at.Line >= 1 && at.Line <= len(fn.mod.text) {
		f.Code = strings.TrimSpace(fn.mod.text[at.Line-1])
	}
	r.result.Findings = append(r.result.Findings, f)
}
