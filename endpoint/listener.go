package endpoint

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/headcount-go/headcount"
)

// A Listener is the layer of connections for any server that takes a [net.Listener]: it accepts at the limit too and
// closes at once, where others leave clients hanging, and it knows a client from its neighbours. Its connections are held
// to the least rate of writing, and keep what a server looks for in a TCP connection. With [TLS] it does the handshake,
// so that a server which expects to do so itself must be told that it need not.
//
// It is a supervisor. Put it into a tree before the server that accepts from it, or start it by itself.
type Listener struct {
	cfg   *config
	sup   *headcount.Supervisor
	front *front
	inner net.Listener
	out   *handover
	gates map[string]*headcount.Gate
}

// NewListener makes a Listener of this name that accepts from inner, which it closes when it stops; then it cannot be
// started again. Options that are about requests are errors, which the start tells.
func NewListener(name string, inner net.Listener, opts ...Option) *Listener {
	cfg := newConfig(kindListener, "", append([]Option{On(inner)}, opts...))
	l := &Listener{cfg: cfg, inner: inner}
	if inner != nil {
		l.out = newHandover(inner.Addr())
	}
	b := newByteGates(cfg)
	l.front = newFront(cfg, b, l.serveConn)
	l.gates = gatesOf(b, l.front, nil)
	l.sup = headcount.NewSupervisor(name, headcount.SupervisorConfig{
		Gates: b.gates(), Check: cfg.err, Logger: cfg.logger,
	}, append(l.front.supervisors(), headcount.ChildSpec{
		Name: "listener", Run: l.run, AwaitReady: true, Restart: headcount.Transient,
	})...)
	return l
}

func (l *Listener) run(ctx context.Context) error {
	if l.out.isClosed() {
		return errClosedBefore
	}
	headcount.Ready(ctx)
	defer context.AfterFunc(ctx, func() { _ = l.inner.Close() })()
	err := l.front.accept(ctx, l.inner)
	if errors.Is(err, net.ErrClosed) { // by a stop, or by the server as servers do
		_ = l.out.Close()
		return nil
	}
	return err
}

// serveConn gives the connection to whoever accepts, and waits for its end.
func (l *Listener) serveConn(ctx context.Context, c *conn) error {
	if _, err := l.front.handshake(ctx, c); err != nil {
		return nil // counted there
	}
	nc := net.Conn(c)
	if c.tls != nil {
		nc = tlsConn{c}
	}
	if l.out.give(ctx, nc) {
		c.awaitEnd(ctx)
	}
	return nil
}

// Accept gives the next connection that was admitted. After Close or a stop it returns [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) { return l.out.Accept() }

// Close stops accepting. Connections that were accepted stay.
func (l *Listener) Close() error {
	_ = l.out.Close()
	return l.inner.Close()
}

// Addr gives the address of the listener below.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// ChildSpec makes it a child of a supervisor.
func (l *Listener) ChildSpec() headcount.ChildSpec { return l.sup.ChildSpec() }

// Supervisor gives its own supervisor: to look at it.
func (l *Listener) Supervisor() *headcount.Supervisor { return l.sup }

// Start starts it as a tree of its own. ctx bounds the start only.
func (l *Listener) Start(ctx context.Context) error { return l.sup.Start(ctx) }

// Stop stops accepting and closes all connections. Shut the server down before, for them to finish.
func (l *Listener) Stop(ctx context.Context) error { return l.sup.Stop(ctx) }

// Conns gives the supervisor of the connections.
func (l *Listener) Conns() *headcount.KeyedSupervisor[netip.Addr] { return l.front.conns }

// Gate gives the gate of this name, as [Endpoint.Gate] does.
func (l *Listener) Gate(name string) *headcount.Gate { return l.gates[name] }

// Settings lists every option as it is in force at the start.
func (l *Listener) Settings() []Setting { return l.cfg.settings() }
