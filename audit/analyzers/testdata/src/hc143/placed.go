// Package hc143 makes supervisors and forgets some.
package hc143

import (
	"context"
	"net/http"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
)

func run(context.Context) error { return nil }

func forgotten(ctx context.Context, h http.Handler) error {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8)) // want `jobs is neither placed in a tree nor started`
	web := endpoint.New("web", ":80", h)                                     // want `HC143`
	_ = web.Addrs()
	_, err := jobs.Go(ctx, run)
	return err
}

type app struct{ lost, kept *headcount.DynamicSupervisor }

func newApp() *app {
	return &app{
		lost: headcount.NewDynamicSupervisor("lost", headcount.MaxChildren(8)), // want `lost is neither`
		kept: headcount.NewDynamicSupervisor("kept", headcount.MaxChildren(8)),
	}
}

func (a *app) tree() *headcount.Supervisor {
	a.lost.Go(context.Background(), run)
	extra := headcount.NewDynamicSupervisor("extra", headcount.MaxChildren(8))
	return headcount.NewSupervisor("app", headcount.SupervisorConfig{}, a.kept, extra)
}

// From here on nothing is to be found.

func started(ctx context.Context) error {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8))
	return jobs.Start(ctx)
}

func given() (headcount.Specifier, []headcount.Specifier) {
	a := headcount.NewDynamicSupervisor("a", headcount.MaxChildren(8))
	var b headcount.Specifier
	c := headcount.NewDynamicSupervisor("c", headcount.MaxChildren(8))
	b = c
	return a, []headcount.Specifier{b}
}

func byMethod(start func(func(context.Context) error)) {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8))
	start(jobs.Start)
}

// Exported is for others to place.
var Exported = headcount.NewDynamicSupervisor("exported", headcount.MaxChildren(8))
