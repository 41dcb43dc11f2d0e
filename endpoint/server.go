package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount"
)

// A server runs net/http's servers behind the front: one for HTTP/1 and one for HTTP/2, since a connection is known to
// speak either before it is handed over. Each connection that the front admits goes through a channel to one of them,
// which serves it on a goroutine of its own; the connection's child waits for its end.
type server struct {
	endpoint *Endpoint
	life     atomic.Pointer[serverLife]
}

// serverLife is what is made anew for each life of the listener.
type serverLife struct {
	h1, h2 *handover
	base   context.Context // of all requests
	end    context.CancelFunc
}

// run is the listener: it binds, serves, and stops in order.
func (s *server) run(ctx context.Context) error {
	e := s.endpoint
	list, err := e.listen(ctx)
	if err != nil {
		return err
	}
	l := &serverLife{h1: newHandover(list[0].Addr()), h2: newHandover(list[0].Addr())}
	l.base, l.end = context.WithCancel(context.WithoutCancel(ctx))
	defer l.end()
	h1, h2 := s.newServer(l.base, false), s.newServer(l.base, true)
	s.life.Store(l)

	failed := make(chan error, len(list)+2)
	helper := func(f func() error) error {
		return headcount.Go(ctx, func(context.Context) error {
			failed <- f()
			return nil
		})
	}
	err = errors.Join(
		helper(func() error { return h1.Serve(l.h1) }),
		helper(func() error { return h2.Serve(l.h2) }),
	)
	for _, each := range list {
		err = errors.Join(err, helper(func() error { return e.front.accept(ctx, each) }))
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
	e.limit.active.drain(e.cfg.timeouts.Finish, func(ctx context.Context) {
		var both sync.WaitGroup // one alone would wait for the other's requests before it told its clients to go
		both.Go(func() { _ = h1.Shutdown(ctx) })
		both.Go(func() { _ = h2.Shutdown(ctx) })
		both.Wait()
	})
	l.end()
	e.limit.active.wait(e.cfg.timeouts.End)
	l.h1.Close()
	l.h2.Close()
	_ = h1.Close()
	_ = h2.Close()
	return err
}

// serveConn hands the connection to net/http and waits for its end.
func (s *server) serveConn(ctx context.Context, c *conn) error {
	l := s.life.Load()
	h2, err := s.endpoint.front.handshake(ctx, c)
	if err != nil || h2 && !fitForHTTP2(c.tls) {
		return nil // counted where it was found
	}
	to, nc := l.h1, net.Conn(c)
	switch {
	case h2:
		to, nc = l.h2, h2Conn{c, newFrameWatch(&c.bytes.resetLimit)}
	case c.tls != nil:
		nc = tlsConn{c}
	case s.endpoint.cfg.h2c:
		// net/http finds out by the first bytes which it is; the frames are watched if it is HTTP/2.
		to, nc = l.h2, h2Conn{c, newFrameWatch(&c.bytes.resetLimit)}
	}
	if to.give(ctx, nc) {
		c.awaitEnd(ctx)
	}
	return nil
}

// fitForHTTP2 reports whether the connection is as RFC 9113, section 9.2.2, asks: of TLS 1.3, or with a cipher suite that
// is ephemeral and authenticated.
func fitForHTTP2(t *tls.ConnectionState) bool {
	suite := tls.CipherSuiteName(t.CipherSuite)
	return t.Version >= tls.VersionTLS13 || t.Version == tls.VersionTLS12 && strings.Contains(suite, "ECDHE") &&
		(strings.Contains(suite, "GCM") || strings.Contains(suite, "CHACHA20"))
}

func (s *server) newServer(base context.Context, h2 bool) *http.Server {
	cfg := s.endpoint.cfg
	header, size := cfg.timeouts.Header, cfg.sizes.Header
	if cfg.observe[LayerBytes] {
		header, size = NoTimeout, max(size, http.DefaultMaxHeaderBytes)
	}
	slop := headerSlop
	if h2 && !cfg.h2c {
		slop = headerSlopHTTP2
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!h2 || cfg.h2c)
	protocols.SetUnencryptedHTTP2(h2) // that is: without TLS below net/http's eyes
	return &http.Server{
		Handler:           s.endpoint.limit,
		Protocols:         protocols,
		ReadHeaderTimeout: orNone(header),
		IdleTimeout:       orNone(cfg.timeouts.Idle),
		MaxHeaderBytes:    max(size-slop, 1),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          cfg.limits.StreamsPerConn,
			MaxReceiveBufferPerConnection: 1 << 20,
			MaxReceiveBufferPerStream:     64 << 10,
			SendPingTimeout:               15 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              10 * time.Second,
		},
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c.(interface{ core() *conn }).core())
		},
		ConnState: func(nc net.Conn, state http.ConnState) {
			c := nc.(interface{ core() *conn }).core()
			if state == http.StateActive {
				c.begun.Add(1)
			}
			s.endpoint.limit.active.conn(&c.busy, state == http.StateActive)
		},
		ErrorLog: cfg.errorLog(),
	}
}

// What net/http adds to MaxHeaderBytes: a buffer, and for HTTP/2, which counts 32 bytes for each field, ten fields.
const (
	headerSlop      = 4096
	headerSlopHTTP2 = 320
)

func orNone(d time.Duration) time.Duration {
	if d == NoTimeout {
		return 0
	}
	return d
}

// connKey finds the connection of a request.
type connKey struct{}

// A handover is a listener whose connections were accepted elsewhere.
type handover struct {
	conns  chan net.Conn
	addr   net.Addr
	closed chan struct{}
	once   sync.Once
}

func newHandover(addr net.Addr) *handover {
	return &handover{conns: make(chan net.Conn), addr: addr, closed: make(chan struct{})}
}

// give hands the connection over. It reports false when nobody takes it any more.
func (h *handover) give(ctx context.Context, c net.Conn) bool {
	select {
	case h.conns <- c:
		return true
	case <-h.closed:
	case <-ctx.Done():
	}
	return false
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *handover) isClosed() bool {
	select {
	case <-h.closed:
		return true
	default:
		return false
	}
}

func (h *handover) Addr() net.Addr { return h.addr }

// sum adds up times, of which one may have no bound.
func sum(times ...time.Duration) time.Duration {
	if slices.ContainsFunc(times, func(d time.Duration) bool { return d >= NoWait }) {
		return headcount.ShutdownInfinity
	}
	var total time.Duration
	for _, d := range times {
		total += d
	}
	return total + time.Second
}
