package audit

import (
	"context"
	"os"
	"path/filepath"

	"github.com/headcount-go/headcount/audit/internal/changed"
	"github.com/headcount-go/headcount/audit/report"
)

// answers decide which findings are told of: comments answer for some, the baseline for others, and some were not asked for.
type answers struct {
	rules      registry
	confidence report.Confidence
	baseline   baseline
	changed    func(report.Finding) bool // whether its lines have
}

func (c Config) answers(base string) (*answers, error) {
	a := &answers{rules: c.with().registry(), confidence: c.Confidence, changed: func(report.Finding) bool { return true }}
	if a.confidence == 0 {
		a.confidence = report.Medium
	}
	var err error
	if c.Baseline != "" {
		file := c.Baseline
		if !filepath.IsAbs(file) {
			file = filepath.Join(base, file)
		}
		a.baseline, err = openBaseline(file)
	}
	return a, err
}

// changedSince tells findings on lines that have changed since a revision, in whatever repositories the code is.
func (s *survey) changedSince(ctx context.Context, revision string) (func(report.Finding) bool, error) {
	repositories := map[string]changed.Lines{}
	for _, scope := range s.scopes {
		dir := scope
		if info, err := os.Stat(scope); err == nil && !info.IsDir() {
			dir = filepath.Dir(scope)
		}
		lines, top, err := changed.Since(ctx, dir, revision)
		if err != nil {
			return nil, err
		}
		repositories[top] = lines
	}
	return func(f report.Finding) bool {
		file := filepath.Join(s.base, filepath.FromSlash(f.File))
		for top, lines := range repositories {
			if rel, err := filepath.Rel(top, file); err == nil && lines.Touch(filepath.ToSlash(rel), f.Line, f.EndLine) {
				return true
			}
		}
		return false
	}, nil
}

// report makes the report of what was found, by what was answered for.
func (a *answers) report(subject []string, found report.Result, comments []*ignore) *report.Report {
	type place struct {
		file string
		line int
	}
	at := map[place][]*ignore{}
	for _, x := range comments {
		p := place{x.File, x.target}
		at[p] = append(at[p], x)
	}
	var accepted []report.Accepted
	var open []report.Finding
	for _, f := range found.Findings {
		if x := a.answering(at[place{f.File, f.Line}], f); x != nil {
			accepted = append(accepted, report.Accepted{Finding: f, Where: report.ByComment, Reason: x.reason})
		} else {
			open = append(open, f)
		}
	}
	for _, x := range comments {
		open = append(open, x.findings(a.rules)...)
	}
	found.Findings = open

	// The order of the report is that in which the baseline is used up, so that it is the same each time.
	r := report.New(subject, found, a.rules)
	r.Accepted = accepted
	left := a.baseline.counts()
	open = nil
	for _, f := range r.Findings {
		switch {
		case f.Confidence < a.confidence:
			r.Hidden.Unsure++
		case left[f.Key()] > 0:
			left[f.Key()]--
			r.Accepted = append(r.Accepted, report.Accepted{Finding: f, Where: report.ByBaseline})
		case !a.changed(f):
			r.Hidden.Unchanged++
		default:
			open = append(open, f)
		}
	}
	r.Findings = open
	for _, n := range left {
		r.Hidden.Gone += n
	}
	return r
}

// answering finds the comment that answers for a finding, and marks it as used.
func (a *answers) answering(comments []*ignore, f report.Finding) *ignore {
	for _, x := range comments {
		if x.answersFor(f, a.rules) {
			x.used[f.Rule] = true
			return x
		}
	}
	return nil
}
