package analyzers

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/report"
)

// Findings turns the results of the analyzers over the packages of one program into findings, in the order of their
// places. Files are named relative to dir. It is given the results of all packages at once because a limit in one of them
// can hold for another.
func Findings(dir string, results []*Result) []report.Finding {
	limited := slices.ContainsFunc(results, func(r *Result) bool { return r.BodiesLimited })
	var findings []report.Finding
	for _, r := range results {
		for _, p := range r.Problems {
			f := Finding(dir, r, p)
			if limited && ofBodies(r.Rule) {
				f.Confidence = report.Low
			}
			findings = append(findings, f)
		}
	}
	slices.SortFunc(findings, func(a, b report.Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Rule, b.Rule))
	})
	// A package and its variant with tests are analysed both.
	return slices.CompactFunc(findings, func(a, b report.Finding) bool { return a.Rule == b.Rule && a.Position == b.Position })
}

// Finding turns one problem of r into a finding, by itself: for who knows more of the place, see Problem.Reached.
func Finding(dir string, r *Result, p Problem) report.Finding {
	start, end := r.fset.Position(p.Pos), r.fset.Position(p.End)
	file := start.Filename
	if rel, err := filepath.Rel(dir, file); err == nil {
		file = rel
	}
	return report.Finding{
		Rule: r.Rule,
		Position: report.Position{
			File: filepath.ToSlash(file), Line: start.Line, Column: start.Column, EndLine: end.Line,
		},
		Symbol:      p.Symbol,
		Message:     p.Message,
		Remedy:      p.Remedy,
		Confidence:  p.Confidence,
		Criticality: p.Criticality,
		Code:        p.Code,
	}
}

func ofBodies(rule string) bool { return rule == "HC114" || rule == "HC115" }
