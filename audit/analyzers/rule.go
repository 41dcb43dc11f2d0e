package analyzers

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

// rulesURL is where the page of a rule can be read.
const rulesURL = "https://github.com/headcount-go/headcount/blob/main/docs/audit-rules.md#"

// A rule is one kind of finding.
type rule struct {
	id, name, summary string
	confidence        report.Confidence // of most of its findings
	requires          []*analysis.Analyzer
	facts             []analysis.Fact
	run               func(*unit) error
}

func (r rule) analyzer() *analysis.Analyzer {
	least := threshold(report.Medium)
	a := &analysis.Analyzer{
		Name:       r.id,
		Doc:        r.name + ": " + r.summary,
		URL:        rulesURL + strings.ToLower(r.id),
		Requires:   append([]*analysis.Analyzer{inspect.Analyzer}, r.requires...),
		ResultType: reflect.TypeFor[*Result](),
		FactTypes:  r.facts,
		Run: func(pass *analysis.Pass) (any, error) {
			u := &unit{
				Pass:   pass,
				root:   pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
				result: &Result{Rule: r.id, fset: pass.Fset},
				least:  report.Confidence(least),
			}
			if err := guard(func() error { return r.run(u) }); err != nil {
				return nil, fmt.Errorf("rule %s: %w", r.id, err)
			}
			return u.result, nil
		},
	}
	a.Flags.Var(&least, "confidence", "the least confidence of what is reported: high, medium or low")
	return a
}

// guard makes a panic an error: source that nobody thought of costs the findings of one package, not the review.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}

// threshold is a confidence as a flag.
type threshold report.Confidence

func (t *threshold) String() string {
	switch report.Confidence(*t) {
	case report.High:
		return "high"
	case report.Low:
		return "low"
	default:
		return "medium"
	}
}

func (t *threshold) Set(s string) error {
	switch s {
	case "high":
		*t = threshold(report.High)
	case "medium":
		*t = threshold(report.Medium)
	case "low":
		*t = threshold(report.Low)
	default:
		return errors.New("must be high, medium or low")
	}
	return nil
}
