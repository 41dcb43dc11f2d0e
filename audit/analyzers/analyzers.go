// Package analyzers finds missing limits one package at a time, with the types and no call graph: servers without
// timeouts, bodies and messages of any size, pools of any number, timers started for each item.
//
// The analyzers are those of golang.org/x/tools/go/analysis: they serve go vet (see cmd/headcount-vet), golangci-lint (see
// the module golangci) and the review of a whole program, which takes more from them by [Findings] than a diagnostic can
// hold. Each analyzer is one rule and bears its id.
package analyzers

import (
	"embed"
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/headcount-go/headcount/audit/report"
)

//go:embed rules
var pages embed.FS

// rules is all there is, in the order of the ids.
func rules() []rule {
	return []rule{
		serverReadTimeout,
		serverIdleTimeout,
		packageServer,
		serverConns,
		bodyWithoutLimit,
		formWithoutLimit,
		messageWithoutLimit,
		errgroupWithoutLimit,
		poolWithoutLimit,
		queueWithoutBound,
		semaphoreOfAnySize,
		timerPerItem,
		contextFuncPerItem,
		tickerPerItem,
		headcountUnlimited,
		headcountKey,
		headcountOutsideTree,
		headcountNotPlaced,
	}
}

var all = func() []*analysis.Analyzer {
	var as []*analysis.Analyzer
	for _, r := range rules() {
		as = append(as, r.analyzer())
	}
	return as
}()

// All gives the analyzers, one for each rule. They are the same at each call. Each has a flag "confidence", the least
// confidence of what it reports to a driver: high, medium (the default) or low. Results hold everything.
func All() []*analysis.Analyzer { return slices.Clone(all) }

// Rules describes the rules, in the order of their ids.
func Rules() []report.Rule {
	var described []report.Rule
	for _, r := range rules() {
		page, err := pages.ReadFile("rules/" + r.id + ".md")
		if err != nil {
			panic(err) // the pages are part of the program
		}
		described = append(described, report.Rule{
			ID: r.id, Name: r.name, Summary: r.summary, Confidence: r.confidence, Page: string(page),
		})
	}
	return described
}
