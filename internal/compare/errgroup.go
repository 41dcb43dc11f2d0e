package compare

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"
)

type errgroupPool struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // TryGo must not come while or after Wait
	stopped bool
	workers errgroup.Group
}

func newErrgroupPool(limit int) *errgroupPool {
	p := &errgroupPool{}
	p.workers.SetLimit(limit)
	return p
}

func (p *errgroupPool) start() error {
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return nil
}

func (p *errgroupPool) handle(w work) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return errors.New("stopped")
	}
	// The group's own context would end every worker at the first error of one, so each keeps its errors to itself.
	if !p.workers.TryGo(func() error { tryAgain(p.ctx, w); return nil }) {
		return errFull
	}
	return nil
}

func (p *errgroupPool) stop(ctx context.Context) error {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.cancel()
	done := make(chan struct{})
	go func() { // Wait has no time limit; if a worker does not return, neither does this goroutine
		defer close(done)
		_ = p.workers.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
