package analyzers

import (
	"fmt"

	"golang.org/x/tools/go/analysis"

	"github.com/headcount-go/headcount/audit/report"
)

const bodyRemedy = `Limit the body before it is read, in this handler:

	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)

or for all handlers at once:

	handler = http.MaxBytesHandler(mux, 1<<20)

An endpoint of Headcount does so by itself (endpoint.Sizes{Body: 1 << 20}). Choose the largest honest request, times two.`

var bodyWithoutLimit = rule{
	id: "HC114", name: "body-without-limit", confidence: report.High,
	summary:  "the body of a request is read without a limit on its size",
	requires: []*analysis.Analyzer{bodies},
	run: func(u *unit) error {
		return u.reportBodies("%s takes the body of the request without a limit: the client decides how much memory it needs", bodyRemedy)
	},
}

var formWithoutLimit = rule{
	id: "HC115", name: "multipart-without-limit", confidence: report.High,
	summary:  "a multipart form is parsed without a limit on its size",
	requires: []*analysis.Analyzer{bodies},
	run: func(u *unit) error {
		return u.reportBodies("%s stores a multipart form of any size: what is too large for memory goes to disk, all of it", bodyRemedy)
	},
}

func (u *unit) reportBodies(message, remedy string) error {
	reads := u.ResultOf[bodies].(bodyReads)
	u.result.BodiesLimited = reads.limited
	for _, r := range reads.found {
		if r.rule != u.result.Rule {
			continue
		}
		at, ok := u.root.FindByPos(r.pos, r.pos)
		if !ok {
			continue
		}
		u.report(callAround(at), Problem{
			Message:     fmt.Sprintf(message, r.by),
			Remedy:      remedy,
			Confidence:  r.Confidence,
			Criticality: r.Criticality,
		})
	}
	return nil
}
