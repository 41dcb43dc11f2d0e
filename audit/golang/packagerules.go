package golang

import (
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/analyzers"
	"github.com/headcount-go/headcount/audit/report"
)

// packageFindings are those of the rules that look at one package, with what only the whole program tells: who reaches the
// place.
func (p *program) packageFindings() []report.Finding {
	results, err := analyzers.Run(p.forAnalyzers())
	if err != nil {
		p.unread = append(p.unread, report.Unread{Position: report.Position{File: p.showing.path(p.dir)}, Reason: firstLine(err.Error())})
	}
	at := map[report.Position]token.Pos{}
	for _, r := range results {
		for _, problem := range r.Problems {
			at[p.at(problem.Pos)] = problem.Pos
		}
	}
	var found []report.Finding
	for _, f := range analyzers.Findings(p.showing.base, results) {
		pos := at[report.Position{File: f.File, Line: f.Line, Column: f.Column}]
		fn := p.functionAt(pos)
		if fn != nil && tests(fn) {
			continue
		}
		found = append(found, p.used(p.placed(f, fn), pos))
	}
	return found
}

// placed says of a finding who reaches it.
func (p *program) placed(f report.Finding, fn *ssa.Function) report.Finding {
	if fn != nil {
		for _, w := range []walk{p.ways.certain, p.ways.outside} {
			if steps := p.way(w, fn); steps != nil {
				f.Reach = steps
				f.Criticality = report.External
				break
			}
		}
	}
	return f
}

// used says of a limit that is missing where something is made who reaches what is started on it: mostly that is elsewhere.
func (p *program) used(f report.Finding, pos token.Pos) report.Finding {
	if f.Rule != "HC121" && f.Rule != "HC122" && f.Rule != "HC140" {
		return f
	}
	for _, u := range p.uses {
		if u.from <= pos && pos < u.to && u.Criticality > f.Criticality {
			f.Criticality, f.Reach = u.Criticality, u.reach
		}
	}
	return f
}

// forAnalyzers gives the packages that the review is about, and those of the module that they import. What others do is
// not known without the bodies of their functions, so nothing is lost by not looking.
func (p *program) forAnalyzers() []*packages.Package {
	copies := map[*packages.Package]*packages.Package{}
	var asked []*packages.Package
	for _, pkg := range p.own { // imported ones first
		c := *pkg
		c.Imports = map[string]*packages.Package{}
		for path, imp := range pkg.Imports {
			if own := copies[imp]; own != nil {
				c.Imports[path] = own
			}
		}
		copies[pkg] = &c
		if p.asked[pkg.ID] {
			asked = append(asked, &c)
		}
	}
	return asked
}

// functionAt returns the innermost function around a place.
func (p *program) functionAt(pos token.Pos) *ssa.Function {
	var best *ssa.Function
	if !pos.IsValid() {
		return nil
	}
	for _, fn := range p.funcs {
		n := fn.Syntax()
		if n == nil || pos < n.Pos() || pos > n.End() {
			continue
		}
		if best == nil || n.Pos() > best.Syntax().Pos() {
			best = fn
		}
	}
	return best
}

// oneEach leaves one finding where a rule about groups and pools and a rule about starts say the same of a line: the one
// that is more sure, and of two alike the one about the start, which says more.
func oneEach(starts, others []report.Finding) []report.Finding {
	type line struct {
		file string
		n    int
	}
	sure := map[line]report.Confidence{}
	for _, f := range others {
		if aboutGroups(f.Rule) {
			sure[line{f.File, f.Line}] = f.Confidence
		}
	}
	told := map[line]bool{}
	starts = slices.DeleteFunc(starts, func(f report.Finding) bool {
		at := line{f.File, f.Line}
		less := f.Confidence < sure[at]
		told[at] = told[at] || !less
		return less
	})
	others = slices.DeleteFunc(others, func(f report.Finding) bool { return aboutGroups(f.Rule) && told[line{f.File, f.Line}] })
	return append(starts, others...)
}

// aboutGroups names the rules about errgroup and conc, whose Go is a start as well.
func aboutGroups(rule string) bool { return rule == "HC120" || rule == "HC121" }

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
