package analyzers

import (
	"regexp"

	"github.com/headcount-go/headcount/audit/report"
)

var serverConns = rule{
	id: "HC113", name: "server-without-connection-limit", confidence: report.Low,
	summary: "nothing in the package limits the connections of an http.Server",
	run:     findUnlimitedConns,
}

// limitsListener is how functions are named that put a limit in front of a listener.
var limitsListener = regexp.MustCompile(`(?i)limit\w*listen|listen\w*limit`)

func findUnlimitedConns(u *unit) error {
	for _, fn := range u.calls(u.root) {
		if limitsListener.MatchString(fn.Name()) || isFunc(fn, headcountEndpoint, "New", "NewListener") {
			return nil
		}
	}
	for _, s := range u.servers() {
		if s.set["ConnState"] != nil || s.Criticality == report.Internal {
			continue // it counts its connections, or only this machine reaches it
		}
		u.report(s.at, Problem{
			Message: "nothing limits how many connections this http.Server holds: each is a goroutine, a descriptor and its buffers",
			Remedy: `Limit the listener:

	ln = netutil.LimitListener(ln, 20_000)
	err = srv.Serve(ln)

or, exact, by client too, and refused instead of left hanging:

	endpoint.New("web", addr, handler, endpoint.Limits{Conns: 20_000, ConnsPerClient: 64})

The number is below the descriptors that the process may have (ulimit -n), less those that it needs itself.`,
			Confidence:  report.Low,
			Criticality: s.Criticality,
		})
	}
	return nil
}
