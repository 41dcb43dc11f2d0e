package audit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/headcount-go/headcount/audit/report"
)

// Config says what to review and what to tell of it.
type Config struct {
	// Paths are directories and files. A directory stands for all below it; Go's dir/... is the same.
	Paths []string
	// Dir is the directory that Paths and the files in the report are relative to. "" is the current one.
	Dir string
	// Confidence is the lowest that a finding must have to be told of. Zero is report.Medium.
	Confidence report.Confidence
	// Baseline is a file of findings that were there before, made by WriteBaseline. They are not told of. "" is none.
	Baseline string
	// NewFrom is a revision of git. Only findings on lines that have changed since the history of the work tree left that of the revision are
	// told of. "" is none.
	NewFrom string

	reviewers *reviewers // those of tests
}

// Run reviews code. It takes as long as loading and type checking all of it takes, and ends early when ctx does.
//
// An error means that there is no report: a path that is not there, nothing to review, a baseline or a revision that cannot be read. Code that
// cannot be read is no error; it is named in the report's Unread.
func Run(ctx context.Context, c Config) (*report.Report, error) {
	if len(c.Paths) == 0 {
		return nil, errors.New("no path to review was given")
	}
	base, err := realDir(c.Dir)
	if err != nil {
		return nil, err
	}
	answers, err := c.answers(base)
	if err != nil {
		return nil, err
	}
	found, err := look(ctx, base, c.Paths)
	if err != nil {
		return nil, err
	}
	if len(found.units) == 0 && len(found.unread) == 0 {
		return nil, fmt.Errorf("nothing to review in %s: no Go module, and no Elixir or Erlang file", quoted(c.Paths))
	}
	if c.NewFrom != "" {
		if answers.changed, err = found.changedSince(ctx, c.NewFrom); err != nil {
			return nil, err
		}
	}
	result, comments, err := c.review(ctx, found)
	if err != nil {
		return nil, err
	}
	return answers.report(c.Paths, result, comments), nil
}

func (c Config) with() *reviewers {
	if c.reviewers != nil {
		return c.reviewers
	}
	return &theReviewers
}

func realDir(dir string) (string, error) {
	if dir == "" {
		dir = "."
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// review reviews each code base and reads the comments of its files.
func (c Config) review(ctx context.Context, found *survey) (report.Result, []*ignore, error) {
	all := report.Result{Unread: found.unread}
	var comments []*ignore
	for _, u := range found.units {
		r, err := c.with().review(ctx, u)
		if ctx.Err() != nil {
			return report.Result{}, nil, ctx.Err()
		}
		if err != nil {
			r.Unread = append(r.Unread, report.Unread{Reason: err.Error()})
		}
		// What a comment speaks of may follow from the part that could not be read.
		whole := len(r.Unread) == 0
		found.place(u, &r)
		in := found.readSources(u, r.Findings)
		for _, comment := range in {
			comment.unsure = comment.unsure || !whole
		}
		comments = append(comments, in...)
		all.Findings = append(all.Findings, r.Findings...)
		all.Supervisors = append(all.Supervisors, r.Supervisors...)
		all.Unread = append(all.Unread, r.Unread...)
	}
	return all, comments, nil
}

// place makes the positions of a review of u relative to the directory of the survey, and keeps those below the paths that were given.
func (s *survey) place(u *unit, r *report.Result) {
	// A module of a workspace is loaded with its siblings, which are reviewed on their own.
	own := make(map[string]bool, len(u.files))
	for _, file := range u.files {
		own[file] = s.covers(file)
	}
	// A place without a file stands for the code base.
	move := func(p *report.Position) { p.File = s.shown(u.abs(p.File)) }
	steps := func(steps []report.Step) {
		for i := range steps {
			if steps[i].File != "" {
				move(&steps[i].Position)
			}
		}
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f report.Finding) bool { return !own[u.abs(f.File)] })
	for i := range r.Findings {
		move(&r.Findings[i].Position)
		steps(r.Findings[i].Reach)
	}
	r.Supervisors = slices.DeleteFunc(r.Supervisors, func(x report.Supervisor) bool { return !own[u.abs(x.File)] })
	for i := range r.Supervisors {
		move(&r.Supervisors[i].Position)
		steps(r.Supervisors[i].Reach)
	}
	r.Unread = slices.DeleteFunc(r.Unread, func(x report.Unread) bool { return x.File != "" && !s.covers(u.abs(x.File)) })
	for i := range r.Unread {
		move(&r.Unread[i].Position)
	}
}
