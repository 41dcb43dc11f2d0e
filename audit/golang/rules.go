// Package golang reviews a Go module as a whole: where it starts goroutines, who decides how many, and what limits them.
package golang

import "github.com/headcount-go/headcount/audit/report"

var remedies = map[string]string{
	"HC101": "items.Do(ctx, fn) on a headcount.NewDynamicSupervisor with MaxChildren, or errgroup's g.SetLimit(n) before the loop",
	"HC102": "jobs.Go(ctx, fn) on a headcount.NewDynamicSupervisor with MaxChildren, and answer 503 to a refusal",
	"HC103": "messages.Do(ctx, fn) on a headcount.NewDynamicSupervisor with MaxChildren, so that reading waits when it is full",
	"HC104": "endpoint.NewTCP(name, addr, handler, endpoint.MaxConns(n)), or netutil.LimitListener(l, n) around the listener",
	"HC105": "errgroup's g.SetLimit(n) and g.Wait(), or headcount.NewDynamicSupervisor with MaxChildren",
	"HC106": "run the work in the loop itself, or on a headcount.NewDynamicSupervisor with MaxChildren",
	"HC107": "a queue that a fixed number of workers takes from, or headcount.NewDynamicSupervisor with MaxChildren",
}

var _ = report.Rule{}
