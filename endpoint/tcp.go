package endpoint

import (
	"context"
	"errors"
	"time"

	"github.com/headcount-go/headcount"
)

// A tcpServer runs a TCPHandler for each connection.
type tcpServer struct {
	endpoint *Endpoint
	handler  TCPHandler
}

func (s *tcpServer) run(ctx context.Context) error {
	e := s.endpoint
	list, err := e.listen(ctx)
	if err != nil {
		return err
	}
	failed := make(chan error, len(list))
	for _, l := range list {
		err = errors.Join(err, headcount.Go(ctx, func(context.Context) error {
			failed <- e.front.accept(ctx, l)
			return nil
		}))
	}
	if err == nil {
		e.announce()
		headcount.Ready(ctx)
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	e.closeAll(list)
	return err
}

// serveConn runs the handler. Its error is the child's.
func (s *tcpServer) serveConn(ctx context.Context, c *conn) error {
	e := s.endpoint
	if _, err := e.front.handshake(ctx, c); err != nil {
		return nil // counted there
	}
	c.idle = e.cfg.timeouts.Idle
	returned := make(chan struct{})
	defer close(returned)
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(e.cfg.timeouts.End):
			_ = c.Close()
		case <-returned:
		}
	})()
	return s.handler(ctx, c)
}
