package golang

import (
	"cmp"
	"context"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// Options say how a module is reviewed.
type Options struct {
	// Base is the directory that the paths of the result are relative to. Empty means the directory of the review.
	Base string
	// Offline forbids the go command to fetch modules. Those that are not in the module cache are named as unread.
	Offline bool
}

// Review reads the Go module that dir is in and says where it starts goroutines without a limit. The patterns are those
// of the go command, relative to dir; none means "./...". Findings are about the packages that match; who calls them is
// looked for in the whole module.
//
// Code that does not compile is named in the result, and the rest is reviewed. The error is [ErrNoModule] where there is
// no module at dir. Review never runs code of the module.
func Review(ctx context.Context, dir string, patterns []string, o Options) (report.Result, error) {
	dir, err := resolved(dir)
	if err != nil {
		return report.Result{}, err
	}
	if o.Base != "" {
		if o.Base, err = resolved(o.Base); err != nil {
			return report.Result{}, err
		}
	}
	m, err := load(ctx, dir, patterns, o)
	if err != nil {
		return report.Result{}, err
	}
	p := newProgram(m)
	p.understand()
	if err := ctx.Err(); err != nil {
		return report.Result{}, err
	}
	supervisors := p.supervisors()
	found := oneEach(p.findings(), p.packageFindings())
	slices.SortStableFunc(found, func(a, b report.Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Rule, b.Rule))
	})
	return report.Result{Findings: found, Supervisors: supervisors, Unread: p.unread}, nil
}

// resolved makes a path absolute and free of symbolic links, as the go command writes them.
func resolved(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return real, nil
}

// understand finds out who calls whom, and what an outsider reaches.
func (p *program) understand() {
	p.graph = newGraph(p)
	p.index = newIndex(p, p.graph)
	p.entries = entriesOf(p)
	newWays(p)
}

func (p *program) findings() []report.Finding {
	var found []report.Finding
	for _, s := range p.startsOf() {
		if v := p.judge(s); v.rule != "" {
			found = append(found, p.finding(s, v))
		}
	}
	return found
}

func (p *program) finding(s start, v verdict) report.Finding {
	f := report.Finding{
		Rule:       v.rule,
		Position:   p.at(s.instr.Pos()),
		Symbol:     symbolOf(s.fn),
		Confidence: v.sure,
		Message:    v.message(s),
		Remedy:     remedies[v.rule],
		Code:       p.line(s.instr.Pos()),
	}
	f.Criticality, f.Reach = p.reached(s.fn, v)
	if len(f.Reach) > 0 {
		last := report.Step{Name: s.how, Position: f.Position}
		f.Reach = append(f.Reach, last)
	}
	return f
}

// reached says who decides how often fn runs, and by which way.
func (p *program) reached(fn *ssa.Function, v verdict) (report.Criticality, []report.Step) {
	here := report.Step{Name: nameOf(fn), Position: p.at(fn.Pos())}
	switch {
	case v.walk != nil:
		return report.External, p.way(v.walk, fn)
	case v.rule == "HC104":
		here.Name = "each connection accepted in " + here.Name
		return report.External, []report.Step{here}
	}
	// A way that may lead elsewhere is worth telling only where there is no other.
	for _, w := range []walk{p.ways.certain, p.ways.outside} {
		at, ok := w[fn]
		if ok && (at.steps <= 4 || v.rule != "HC103") {
			return report.External, p.way(w, fn)
		}
	}
	switch v.rule {
	case "HC105":
		if v.read {
			return report.Unbounded, nil
		}
	case "HC101":
		return report.External, []report.Step{here}
	case "HC103":
		here.Name = bare(v.what) + " received in " + here.Name
		return report.External, []report.Step{here}
	case "HC106", "HC107":
		return report.Unbounded, nil
	}
	return report.Internal, nil
}

func (p *program) at(pos token.Pos) report.Position { return p.showing.position(p.fset.Position(pos)) }

// line returns the source line at pos.
func (p *program) line(pos token.Pos) string {
	at := p.fset.Position(pos)
	lines, ok := p.lines[at.Filename]
	if !ok {
		if src, err := os.ReadFile(at.Filename); err == nil {
			lines = strings.Split(string(src), "\n")
		}
		p.lines[at.Filename] = lines
	}
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[at.Line-1])
}
