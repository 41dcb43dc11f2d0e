package compare

import (
	"context"
	"errors"

	"github.com/panjf2000/ants/v2"
)

type antsPool struct {
	ctx     context.Context
	cancel  context.CancelFunc
	limit   int
	workers *ants.Pool
}

func newAntsPool(limit int) *antsPool {
	return &antsPool{limit: limit}
}

func (p *antsPool) start() (err error) {
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.workers, err = ants.NewPool(p.limit, ants.WithNonblocking(true))
	return err
}

func (p *antsPool) handle(w work) error {
	err := p.workers.Submit(func() { tryAgain(p.ctx, w) })
	if errors.Is(err, ants.ErrPoolOverload) {
		return errFull
	}
	return err
}

func (p *antsPool) stop(ctx context.Context) error {
	p.cancel()
	return p.workers.ReleaseContext(ctx)
}
