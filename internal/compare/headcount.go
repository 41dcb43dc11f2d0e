package compare

import (
	"context"
	"errors"

	"github.com/headcount-go/headcount"
)

type headcountPool struct {
	workers *headcount.DynamicSupervisor
}

func newHeadcountPool(limit int) *headcountPool {
	return &headcountPool{headcount.NewDynamicSupervisor("workers", headcount.MaxChildren(limit))}
}

func (p *headcountPool) start() error {
	return p.workers.Start(context.Background())
}

func (p *headcountPool) handle(w work) error {
	_, err := p.workers.Go(context.Background(), w, headcount.WithRestart(headcount.Transient))
	if errors.Is(err, headcount.ErrRefused) {
		return errFull
	}
	return err
}

func (p *headcountPool) stop(ctx context.Context) error {
	return p.workers.Stop(ctx)
}
