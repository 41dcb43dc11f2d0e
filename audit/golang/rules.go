package golang

import (
	"embed"
	"strings"

	"github.com/headcount-go/headcount/audit/report"
)

//go:embed rules/*.md
var pages embed.FS

var rules = []report.Rule{
	{ID: "HC101", Name: "go-in-outside-loop", Summary: "a loop whose rounds an outsider decides starts a goroutine in each", Confidence: report.High},
	{ID: "HC102", Name: "go-per-request", Summary: "a goroutine is started for each request and outlives it", Confidence: report.High},
	{ID: "HC103", Name: "go-per-message", Summary: "a goroutine is started for each message", Confidence: report.High},
	{ID: "HC104", Name: "accept-without-limit", Summary: "an accept loop starts a goroutine for each connection, without a limit", Confidence: report.High},
	{ID: "HC105", Name: "go-in-inside-loop", Summary: "a loop over the program's own data starts a goroutine in each round", Confidence: report.Medium},
	{ID: "HC106", Name: "go-per-tick", Summary: "a clock or a channel starts a goroutine again and again", Confidence: report.Medium},
	{ID: "HC107", Name: "go-recursive", Summary: "goroutines start more of themselves", Confidence: report.Medium},
}

// remedies are what to write at the place, the Headcount call first.
var remedies = map[string]string{
	"HC101": "supervisor.Go(ctx, fn) of a headcount.NewDynamicSupervisor with MaxChildren(n), or an errgroup.Group with SetLimit(n)",
	"HC102": "supervisor.Go(ctx, fn) of a headcount.NewDynamicSupervisor with MaxChildren(n), and 503 for a refusal; or a channel that n workers take from",
	"HC103": "supervisor.Go(ctx, fn) of a headcount.NewDynamicSupervisor with MaxChildren(n) and Wait, so that reading waits when it is full; or a semaphore of n before the start",
	"HC104": "endpoint.NewTCP(name, addr, handler, endpoint.Limits{Conns: n}), or netutil.LimitListener(listener, n)",
	"HC105": "an errgroup.Group with SetLimit(n) and Wait, or a headcount.NewDynamicSupervisor with MaxChildren(n)",
	"HC106": "the work in the loop itself, or supervisor.Go(ctx, fn) of a headcount.NewDynamicSupervisor with MaxChildren(1)",
	"HC107": "a queue with a bound that n workers take from, or a headcount.NewDynamicSupervisor with MaxChildren(n)",
}

// Rules returns the rules of this package with their pages.
func Rules() []report.Rule {
	all := make([]report.Rule, len(rules))
	for i, r := range rules {
		page, err := pages.ReadFile("rules/" + r.ID + ".md")
		if err != nil {
			panic(err) // it is embedded
		}
		r.Page = strings.TrimSpace(string(page)) + "\n"
		all[i] = r
	}
	return all
}
