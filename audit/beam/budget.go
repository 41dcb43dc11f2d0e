package beam

import (
	"fmt"

	"github.com/headcount-go/headcount/audit/report"
)

// A budget is how many restarts a supervisor allows within how many seconds.
type budget struct{ restarts, seconds scalar }

func (sup *supervisor) budget() budget {
	return budget{
		sup.either("max_restarts", "intensity", scalar{number, sup.defaultRestarts(), ""}),
		sup.either("max_seconds", "period", scalar{number, 5, ""}),
	}
}

// defaultRestarts is 3 in Elixir; flags that OTP reads itself allow 1.
func (sup *supervisor) defaultRestarts() int64 {
	if sup.flags {
		return 1
	}
	return 3
}

func (sup *supervisor) either(elixirs, otps string, byDefault scalar) scalar {
	for _, key := range []string{elixirs, otps} {
		if v, ok := sup.options.get(key); ok {
			return v.scalar()
		}
	}
	if sup.options.open {
		return scalar{}
	}
	return byDefault
}

func (b budget) String() string {
	if b.restarts.kind == unknown || b.seconds.kind == unknown {
		return ""
	}
	return b.restarts.show() + " in " + b.seconds.show() + "s"
}

// Restarts come to an end when they come faster than the budget allows. A child that fails at once takes a few milliseconds
// for each turn, for the report of its crash alone; a budget of more than endlessRate a second is not used up by that.
const (
	endlessRate     = 100
	endlessRestarts = 1000
)

// endless reports a budget of restarts that is never used up.
func (r *review) endless(sup *supervisor, row report.Supervisor) {
	b := sup.budget()
	if b.restarts.kind != number || b.seconds.kind != number {
		return
	}
	if b.restarts.n < endlessRestarts || b.restarts.n < product(max(b.seconds.n, 1), endlessRate) {
		return
	}
	r.add(sup.in, sup.at, report.Finding{
		Rule: "HC213", Confidence: report.Medium, Criticality: row.Criticality, Reach: row.Reach,
		Message: fmt.Sprintf("%s allows %d restarts in %d s, which a child that always fails does not use up", sup.called(), b.restarts.n, b.seconds.n),
		Remedy:  "max_restarts: 10, max_seconds: 60",
	})
}
