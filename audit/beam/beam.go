// Package beam reviews Elixir and Erlang code: which supervisors it has, what limits they have, and who can make them grow.
// It reads source and runs nothing of it.
//
// Elixir is reviewed in four steps. The files become an index of modules, their functions and what config/ says (module.go,
// config.go). Expressions are followed through variables, attributes, functions and configuration as far as the source tells
// (scope.go, option.go, scalar.go); what can't be followed is not known, and nothing is said of it. The inventory finds each
// place that makes a supervisor (collect.go, limit.go). A graph of calls and messages (graph.go) leads from what outsiders
// run, by role.go and entry.go, to the calls that start children: the way that a finding shows (reach.go). The rules are the
// other files, and rules/ has their pages.
package beam

import (
	"context"
	"path"

	"github.com/headcount-go/headcount/audit/report"
)

// Options says how a review reads. The zero value is ready.
type Options struct {
	// MaxFile is the largest file that is read, in bytes. 0 means 8 MiB; larger files are named as unread.
	MaxFile int64
}

func (o Options) maxFile() int64 {
	if o.MaxFile > 0 {
		return o.MaxFile
	}
	return 8 << 20
}

// Review reviews files, which are paths below root with slashes: .ex and .exs of Elixir, .erl and .hrl of Erlang; others,
// and tests of Elixir, are passed over. Files that cannot be read are in the result. The error is ctx's, or nil.
func Review(ctx context.Context, root string, files []string, o Options) (report.Result, error) {
	var elixirFiles, erlangFiles []string
	for _, f := range files {
		switch ext := path.Ext(f); {
		case ext == ".erl" || ext == ".hrl":
			erlangFiles = append(erlangFiles, f)
		case (ext == ".ex" || ext == ".exs") && !isTest(f):
			elixirFiles = append(elixirFiles, f)
		}
	}
	result := reviewElixir(ctx, root, elixirFiles, o)
	erlang := reviewErlang(ctx, root, erlangFiles, o)
	result.Findings = append(result.Findings, erlang.Findings...)
	result.Supervisors = append(result.Supervisors, erlang.Supervisors...)
	result.Unread = append(result.Unread, erlang.Unread...)
	return result, ctx.Err()
}
