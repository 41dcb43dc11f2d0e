package compare

import (
	"context"
	"fmt"

	"github.com/thejerf/suture/v4"
)

type suturePool struct {
	workers *suture.Supervisor
	slots   chan struct{} // suture has no limit
	cancel  context.CancelFunc
	stopped <-chan error
}

func newSuturePool(limit int) *suturePool {
	return &suturePool{workers: suture.NewSimple("workers"), slots: make(chan struct{}, limit)}
}

func (p *suturePool) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.stopped = p.workers.ServeBackground(ctx)
	return nil
}

func (p *suturePool) handle(w work) error {
	select {
	case p.slots <- struct{}{}:
	default:
		return errFull
	}
	if p.workers.Add(&sutureWorker{w, p.slots}) == (suture.ServiceToken{}) {
		<-p.slots
		return suture.ErrSupervisorNotRunning
	}
	return nil
}

type sutureWorker struct {
	work  work
	slots <-chan struct{}
}

// Serve is called again after an error or a panic. The slot is kept meanwhile; at the end it is free a moment before
// the goroutine is.
func (s *sutureWorker) Serve(ctx context.Context) error {
	err := s.work(ctx)
	if err == nil || ctx.Err() != nil {
		<-s.slots
		return suture.ErrDoNotRestart
	}
	return err
}

func (p *suturePool) stop(ctx context.Context) error {
	p.cancel()
	select {
	case <-p.stopped:
	case <-ctx.Done():
		return ctx.Err()
	}
	left, err := p.workers.UnstoppedServiceReport()
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d workers still run", len(left))
	}
	return err
}
