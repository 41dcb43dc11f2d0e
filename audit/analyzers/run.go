package analyzers

import (
	"errors"
	"fmt"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"
)

// Run applies all rules to packages that were loaded with packages.LoadSyntax or more, for a review of a whole program. What
// helpers in other packages do is known of those that were loaded with their syntax. A package with errors in it, or one
// that imports such a package, is left out: who has loaded it knows of them. An error is one of the rules' own; the
// results of the others are good.
func Run(pkgs []*packages.Package) ([]*Result, error) {
	graph, err := checker.Analyze(All(), pkgs, nil)
	if err != nil {
		return nil, fmt.Errorf("run the analyzers: %w", err)
	}
	var results []*Result
	var failed []error
	for _, act := range graph.Roots {
		switch result, ok := act.Result.(*Result); {
		case ok && act.Err == nil:
			results = append(results, result)
		case !act.Package.IllTyped:
			failed = append(failed, fmt.Errorf("%s: %w", act.Package.PkgPath, act.Err))
		}
	}
	return results, errors.Join(failed...)
}
