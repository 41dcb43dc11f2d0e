// Package hc142 starts supervisors.
package hc142

import (
	"context"

	"github.com/headcount-go/headcount"
)

func alone(ctx context.Context) error {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8))
	return jobs.Start(ctx) // want `this supervisor is started by itself: .* medium internal`
}

func owned(ctx context.Context) error {
	users := headcount.NewKeyedSupervisor[int]("users", headcount.MaxChildren(8), headcount.MaxPerKey(1))
	defer users.Stop(ctx)
	return users.Start(ctx) // want `HC142\) low internal`
}

func root(ctx context.Context) error {
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{}, headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8)))
	return app.Start(ctx)
}
