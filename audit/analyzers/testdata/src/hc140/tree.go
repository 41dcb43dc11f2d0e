// Package hc140 leaves limits out of a tree.
package hc140

import (
	"math"
	"net/http"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
)

func tree(h http.Handler, n int, demo bool) *headcount.Supervisor {
	limit := n
	if demo {
		limit = headcount.Unlimited
	}
	return headcount.NewSupervisor("app", headcount.SupervisorConfig{},
		headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited)), // want `MaxChildren\(Unlimited\): .* high unbounded`
		headcount.NewDynamicSupervisor("more", headcount.MaxChildren(math.MaxInt)),         // want `HC140`
		endpoint.New("web", ":80", h, endpoint.Limits{
			Conns:          10_000,
			ConnsPerClient: headcount.Unlimited, // want `an endpoint whose ConnsPerClient is Unlimited .* high external`
		}),
		headcount.NewDynamicSupervisor("few", headcount.MaxChildren(8)),
		headcount.NewDynamicSupervisor("none", headcount.MaxChildren(0)),
		headcount.NewDynamicSupervisor("asked", headcount.MaxChildren(limit)),
	)
}

var gate = headcount.NewGate("bytes", headcount.Unlimited, nil) // want `this gate has Unlimited`

var all = headcount.MaxDescendants(headcount.Unlimited) // want `MaxDescendants\(Unlimited\) limits nothing`
