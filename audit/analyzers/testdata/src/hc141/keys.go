// Package hc141 counts by key, or not.
package hc141

import (
	"context"
	"net/http"

	"github.com/headcount-go/headcount"
)

type app struct {
	rooms, users, shared *headcount.KeyedSupervisor[string]
	jobs                 *headcount.DynamicSupervisor
}

func newApp(more ...headcount.Option) *app {
	return &app{
		rooms:  headcount.NewKeyedSupervisor[string]("rooms", headcount.MaxChildren(1000), headcount.MaxPerKey(headcount.Unlimited)), // want `MaxPerKey\(Unlimited\): one key can take all .* medium owned`
		users:  headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1000), headcount.MaxPerKey(headcount.Unlimited)), // want `HC141\) high external`
		shared: headcount.NewKeyedSupervisor[string]("shared", headcount.MaxChildren(1000), headcount.MaxPerKey(headcount.Unlimited), headcount.KeyShare(0.5)),
	}
}

var few = headcount.NewKeyedSupervisor[string]("few", headcount.MaxChildren(1000), headcount.MaxPerKey(8))

func run(context.Context) error { return nil }

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.users.At(r.URL.Query().Get("user")).Go(r.Context(), run)
	a.jobs.Go(r.Context(), run) // want `a child for each request .* low external`
}

func (a *app) nightly(ctx context.Context) { a.jobs.Go(ctx, run) }
