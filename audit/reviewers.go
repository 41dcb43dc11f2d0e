package audit

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/headcount-go/headcount/audit/analyzers"
	"github.com/headcount-go/headcount/audit/beam"
	"github.com/headcount-go/headcount/audit/golang"
	"github.com/headcount-go/headcount/audit/live"
	"github.com/headcount-go/headcount/audit/report"
)

// reviewers review code bases by language.
type reviewers struct {
	golang func(ctx context.Context, dir string) (report.Result, error)
	beam   func(ctx context.Context, root string, files []string) (report.Result, error)
	rules  []func() []report.Rule
}

var theReviewers = reviewers{
	golang: func(ctx context.Context, dir string) (report.Result, error) {
		return golang.Review(ctx, dir, nil, golang.Options{})
	},
	beam: func(ctx context.Context, root string, files []string) (report.Result, error) {
		below := make([]string, 0, len(files))
		for _, file := range files {
			name, err := filepath.Rel(root, file)
			if err != nil {
				return report.Result{}, err
			}
			below = append(below, filepath.ToSlash(name))
		}
		return beam.Review(ctx, root, below, beam.Options{MaxFile: maxFile})
	},
	rules: []func() []report.Rule{golang.Rules, analyzers.Rules, beam.Rules, live.Rules},
}

// review reviews a code base. A panic, which would be a mistake of ours, takes only that code base out of the review.
func (r *reviewers) review(ctx context.Context, u *unit) (result report.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = report.Result{}, fmt.Errorf("the review has failed, which is a mistake in it: %v", p)
		}
	}()
	if u.language == goCode {
		return r.golang(ctx, u.root)
	}
	return r.beam(ctx, u.root, u.files)
}
