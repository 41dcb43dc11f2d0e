// Package main makes one of each: what the inventory has to list.
package main

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/pool"
	"github.com/thejerf/suture/v4"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
)

const mostJobs = 64

type app struct {
	jobs  *headcount.DynamicSupervisor
	users *headcount.KeyedSupervisor[string]
	free  *headcount.DynamicSupervisor
}

func newApp(most int) *app {
	a := &app{
		jobs:  headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(mostJobs)),
		users: headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50_000), headcount.MaxPerKey(8)),
		free:  headcount.NewDynamicSupervisor("free", headcount.MaxChildren(headcount.Unlimited)),
	}
	headcount.NewDynamicSupervisor("set", headcount.MaxChildren(most))
	headcount.NewSupervisor("app", headcount.SupervisorConfig{
		Strategy:  headcount.RestForOne,
		Intensity: headcount.Intensity{Restarts: 5, Within: 10 * time.Second},
	}, a.jobs, headcount.ChildSpec{Name: "tick", Run: a.tick})
	return a
}

func (a *app) tick(ctx context.Context) error {
	a.free.Go(ctx, a.tick)
	return nil
}

func (a *app) order(w http.ResponseWriter, r *http.Request) {
	a.jobs.Go(r.Context(), func(context.Context) error { return nil })
	a.free.Go(r.Context(), func(context.Context) error { return nil })
	a.users.At(r.FormValue("user")).Do(r.Context(), func(context.Context) error { return nil })
}

func groups(ctx context.Context) {
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(4)
	var free errgroup.Group
	free.Go(func() error { return nil })
	p := pool.New().WithMaxGoroutines(runtime.NumCPU())
	p.Wait()
	pool.New().Wait()
	ants.NewPool(100)
	ants.NewPool(-1)
	suture.NewSimple("services")
}

func main() {
	a := newApp(10)
	groups(context.Background())
	http.HandleFunc("POST /orders", a.order)
	endpoint.New("web", ":8080", http.DefaultServeMux, endpoint.Limits{Conns: 20_000})
	l, err := net.Listen("tcp", ":8081")
	if err != nil {
		return
	}
	s := &http.Server{}
	go s.Serve(netutil.LimitListener(l, 500))
	http.ListenAndServe(":8082", nil)
}
