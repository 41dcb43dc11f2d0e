package endpoint

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/headcount-go/headcount"
)

// An Endpoint serves HTTP or TCP on one or more addresses. It is a supervisor, and a child wherever one can be:
//
//	web                 the endpoint
//	├── requests        keyed by identity: the requests in flight (HTTP)
//	├── conns           keyed by client: the connections
//	├── opening         connections whose PROXY header is awaited (with ProxyProtocol)
//	└── listener        binds, accepts, and stops in order
//
// It starts when its addresses are bound; one that is in use fails the start. Stopping closes the listeners, lets
// requests finish, ends the contexts of what is left, websockets and streams above all, and then closes the connections;
// each step has its time in [Timeouts]. It may be started again.
//
// All methods may be called from many goroutines.
type Endpoint struct {
	cfg   *config
	sup   *headcount.Supervisor
	front *front
	limit *limiter // nil for TCP
	gates map[string]*headcount.Gate
	bound atomic.Pointer[[]net.Addr]

	givenClosed atomic.Bool
}

// New makes an HTTP endpoint of this name. addr is host:port, or unix:path; it may be empty where [Address] or [On] says
// where to listen. Nothing is bound until it is started, as a child or by the Start of its Supervisor. What is wrong with
// the options is told then, or by [headcount.Check], before anything listens.
//
// HTTP/1.1 is spoken, HTTP/2 too with [TLS] or [H2C]. Requests are children, run by Do: their context is the child's, and
// ends when the client goes, or when the endpoint stops and the time to finish is over. A handler's panic is that
// request's error: it is logged as the failure of a child, and answered with 500 where nothing has been answered yet, else
// by breaking the connection. [http.ErrAbortHandler] breaks it silently, as in net/http.
func New(name, addr string, h http.Handler, opts ...Option) *Endpoint {
	cfg := newConfig(kindHTTP, addr, opts)
	if h == nil {
		cfg.problem("handler", nil, "is nil")
		h = http.NotFoundHandler()
	}
	e := &Endpoint{cfg: cfg}
	b := newByteGates(cfg)
	e.limit = newLimiter(cfg, b, h)
	s := &server{endpoint: e}
	e.front = newFront(cfg, b, s.serveConn)
	children := append([]headcount.Specifier{e.limit.requests}, e.front.supervisors()...)
	e.init(name, b, append(children, headcount.ChildSpec{
		Name: "listener", Run: s.run, AwaitReady: true,
		Shutdown: sum(cfg.timeouts.Finish, cfg.timeouts.End, cfg.timeouts.Close),
	}))
	return e
}

// A TCPHandler serves one connection, as a child. The connection is closed when it returns. ctx ends when the endpoint
// stops; what has not returned [Timeouts].End later finds the connection closed. Its error or panic is that child's.
type TCPHandler func(ctx context.Context, c net.Conn) error

// NewTCP makes an endpoint that runs h for each connection. See [New].
func NewTCP(name, addr string, h TCPHandler, opts ...Option) *Endpoint {
	cfg := newConfig(kindTCP, addr, opts)
	if h == nil {
		cfg.problem("handler", nil, "is nil")
	}
	e := &Endpoint{cfg: cfg}
	b := newByteGates(cfg)
	s := &tcpServer{endpoint: e, handler: h}
	e.front = newFront(cfg, b, s.serveConn)
	e.init(name, b, append(e.front.supervisors(), headcount.ChildSpec{
		Name: "listener", Run: s.run, AwaitReady: true, Shutdown: sum(cfg.timeouts.End, cfg.timeouts.Close),
	}))
	return e
}

func (e *Endpoint) init(name string, b *byteGates, children []headcount.Specifier) {
	e.sup = headcount.NewSupervisor(name, headcount.SupervisorConfig{
		Gates: b.gates(), Check: e.cfg.err, Logger: e.cfg.logger,
	}, children...)
	e.gates = gatesOf(b, e.front, e.limit)
}

// gatesOf finds all gates by their names.
func gatesOf(b *byteGates, f *front, l *limiter) map[string]*headcount.Gate {
	all := b.gates()
	if f != nil {
		all = append(all, f.gates()...)
	}
	if l != nil {
		all = append(all, l.gates()...)
	}
	byName := make(map[string]*headcount.Gate, len(all))
	for _, g := range all {
		byName[g.Name()] = g
	}
	return byName
}

// ChildSpec makes the endpoint a child of a supervisor.
func (e *Endpoint) ChildSpec() headcount.ChildSpec { return e.sup.ChildSpec() }

// Supervisor gives the endpoint's own supervisor: to start it without a tree above, and to look at it.
func (e *Endpoint) Supervisor() *headcount.Supervisor { return e.sup }

// Conns gives the supervisor of the connections. A client's connections are ended by Terminate at its key, which is the
// IPv4 address or the IPv6 /64 with zeroes.
func (e *Endpoint) Conns() *headcount.KeyedSupervisor[netip.Addr] { return e.front.conns }

// Requests gives the supervisor of the requests in flight; nil for a TCP endpoint.
func (e *Endpoint) Requests() *headcount.KeyedSupervisor[Identity] {
	if e.limit == nil {
		return nil
	}
	return e.limit.requests
}

// Gate gives the gate of this name, such as conns_per_prefix, conn_rate, requests_per_client, request_rate, resets, or
// route_ with the name of a [Route]; nil if there is none.
func (e *Endpoint) Gate(name string) *headcount.Gate { return e.gates[name] }

// Settings lists every option as it is in force at the start, the defaults included.
func (e *Endpoint) Settings() []Setting { return e.cfg.settings() }

// Addrs gives the addresses that the endpoint is bound to; none before its first start.
func (e *Endpoint) Addrs() []net.Addr {
	if a := e.bound.Load(); a != nil {
		return *a
	}
	return nil
}

// errClosedBefore is the error of a second start on a listener that was given.
var errClosedBefore = errors.New("endpoint: the listener that was given is closed, by the stop before: it cannot be opened again")

// listen binds all addresses, or none.
func (e *Endpoint) listen(ctx context.Context) (list []net.Listener, err error) {
	if len(e.cfg.given) > 0 && e.givenClosed.Load() {
		return nil, errClosedBefore
	}
	var lc net.ListenConfig
	for _, a := range e.cfg.addrs {
		network, address, err := splitAddr(a)
		if err == nil {
			var l net.Listener
			if l, err = lc.Listen(ctx, network, address); err == nil {
				list = append(list, l)
				continue
			}
		}
		for _, l := range list {
			_ = l.Close()
		}
		return nil, err
	}
	list = append(list, e.cfg.given...)
	addrs := make([]net.Addr, len(list))
	for i, l := range list {
		addrs[i] = l.Addr()
	}
	e.bound.Store(&addrs)
	return list, nil
}

func (e *Endpoint) closeAll(list []net.Listener) {
	e.givenClosed.Store(true)
	for _, l := range list {
		_ = l.Close()
	}
}

// announce tells where the endpoint listens and how it is set, before the start is over.
func (e *Endpoint) announce() {
	for _, a := range e.Addrs() {
		e.cfg.logger.Info("endpoint: listening", "path", e.sup.Path(), "addr", a.String(), settingsAttr(e.Settings()))
	}
}
