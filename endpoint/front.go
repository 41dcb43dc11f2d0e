package endpoint

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/headcount-go/headcount"
)

// A front is layer 1: it accepts connections, decides on each at once, and hands over those that it admits, each on the
// goroutine of a child of conns. Accepting never waits for room: who waits in the kernel's queue does not know that the
// service is full, and keeps others from being told.
//
// What is decided is who the client is, so a connection from a proxy that tells it in a PROXY header is first a child of
// opening, of which there are few, until the header has come.
type front struct {
	cfg     *config
	bytes   *byteGates
	conns   *headcount.KeyedSupervisor[netip.Addr]
	opening *headcount.DynamicSupervisor // nil without the PROXY protocol
	serve   func(ctx context.Context, c *conn) error

	awaited     openings
	rate        *rateGate
	prefixes    *heldGate[netip.Prefix]
	descriptors *headcount.Gate
	proxies     *headcount.Gate // no PROXY header, or not from a trusted proxy
	known       *knownTable     // nil where no request says that its client is proven
	total       *gaugeGate      // where the layer observes, in place of the supervisor's own limits
	clients     *heldGate[netip.Addr]

	lastDescriptor int // the highest that may be used; MaxInt where it is not known
}

// newFront makes the front and its supervisors. serve is called on the goroutine of the connection's child and returns
// when the connection is done with.
func newFront(cfg *config, b *byteGates, serve func(ctx context.Context, c *conn) error) *front {
	observing := cfg.observe[LayerAccept]
	f := &front{
		cfg: cfg, bytes: b, serve: serve, lastDescriptor: math.MaxInt,
		rate:     newRateGate("conn_rate", cfg.rates.Conns, cfg.rates.ConnsBurst, cfg.observe[LayerStarts]),
		prefixes: newHeldGate[netip.Prefix]("conns_per_prefix", cfg.limits.ConnsPerPrefix, observing),
	}
	f.descriptors = newGate("descriptors", cfg.limits.Descriptors, observing, nil)
	f.proxies = headcount.NewGate("proxy_header", 0, nil, headcount.Ceiling(0))
	f.setDescriptors()

	total, perClient := cfg.limits.Conns, cfg.limits.ConnsPerClient
	gates := []*headcount.Gate{f.rate.gate, f.prefixes.gate, f.descriptors}
	if observing {
		f.total = newGaugeGate("max_children", total, true)
		f.clients = newHeldGate[netip.Addr]("max_per_key", perClient, true)
		gates = append(gates, f.total.gate, f.clients.gate)
		total, perClient = headcount.Unlimited, headcount.Unlimited
	}
	if cfg.proxyProtocol {
		f.opening = headcount.NewDynamicSupervisor("opening", headcount.MaxChildren(cfg.limits.Opening),
			headcount.ShutdownWithin(cfg.timeouts.Close), headcount.Gates(f.proxies))
	}
	allowance := cfg.timeouts.Close
	if cfg.kind == kindTCP { // there, stopping the connections is all there is to a stop
		allowance = sum(cfg.timeouts.End, cfg.timeouts.Close)
	}
	opts := []headcount.Option{
		headcount.ShutdownWithin(allowance), headcount.Gates(gates...),
		headcount.KeyName(func(a netip.Addr) string {
			if !a.IsValid() {
				return "local"
			}
			return a.String()
		}),
	}
	if cfg.classOf != nil && !observing {
		f.known = newKnownTable()
		opts = append(opts, headcount.Classes(cfg.shares[0], 1))
	}
	if len(cfg.trusted) > 0 || cfg.someLocal() {
		// A proxy may hold all there is, and so may those whom no address tells apart.
		opts = append(opts, headcount.KeyShare(math.MaxFloat64), headcount.MaxPerKeyFunc(func(a netip.Addr, base int) int {
			if !f.bound(a) {
				return headcount.Unlimited
			}
			return base
		}))
	}
	f.conns = headcount.NewKeyedSupervisor[netip.Addr]("conns", headcount.MaxChildren(total), headcount.MaxPerKey(perClient), opts...)
	return f
}

func (f *front) setDescriptors() {
	if most, ok := maxDescriptors(); ok {
		f.lastDescriptor = most - 1
	}
}

// bound reports whether the limits of clients bind this one. They do not bind proxies, behind which many clients are,
// and clients without an address.
func (f *front) bound(client netip.Addr) bool {
	return client.IsValid() && !f.cfg.trusted.contains(client)
}

func (f *front) gates() []*headcount.Gate {
	all := []*headcount.Gate{f.rate.gate, f.prefixes.gate, f.descriptors, f.proxies}
	if f.total != nil {
		all = append(all, f.total.gate, f.clients.gate)
	}
	return all
}

// supervisors are those that the front needs below the endpoint, in the order of their start.
func (f *front) supervisors() []headcount.Specifier {
	if f.opening != nil {
		return []headcount.Specifier{f.conns, f.opening}
	}
	return []headcount.Specifier{f.conns}
}

// Pauses after an accept that failed.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// accept takes connections from l until that is closed.
func (f *front) accept(ctx context.Context, l net.Listener) error {
	var spare spareDescriptor
	spare.take()
	defer spare.giveUp()
	pause := minPause
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = minPause
			f.arrived(ctx, c)
			continue
		case errors.Is(err, net.ErrClosed):
			return err
		case outOfDescriptors(err) && f.acceptWithout(ctx, l, &spare):
			continue
		}
		f.cfg.logger.Warn("endpoint: accept failed", "addr", l.Addr(), "err", err, "again_in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(pause*2, maxPause)
	}
}

// acceptWithout accepts one connection with the spare descriptor and closes it.
func (f *front) acceptWithout(ctx context.Context, l net.Listener, spare *spareDescriptor) bool {
	if !spare.giveUp() {
		spare.take()
		return false
	}
	c, err := l.Accept()
	if err == nil {
		_ = f.descriptors.Refuse()
		f.turnAway(c)
	}
	spare.take()
	return err == nil
}

// arrived decides on a connection, or lets its PROXY header be awaited.
func (f *front) arrived(ctx context.Context, raw net.Conn) {
	if n, ok := descriptorOf(raw); ok && n > f.lastDescriptor-f.descriptors.Limit().Value() && f.descriptors.Refuse() != nil {
		f.turnAway(raw)
		return
	}
	peer := addrOf(raw.RemoteAddr()).Addr()
	if f.opening == nil {
		f.admit(ctx, raw, peer, nil)
		return
	}
	if !f.cfg.trusted.contains(peer) {
		_ = f.proxies.Refuse()
		f.turnAway(raw)
		return
	}
	_ = raw.SetReadDeadline(deadline(f.cfg.timeouts.Handshake)) // before anybody may cut it
	place := f.awaited.add(raw, crowd(f.opening.MaxChildren().Value()))
	if _, err := f.opening.Go(ctx, func(opening context.Context) error {
		f.open(ctx, opening, raw, peer, place)
		return nil
	}); err != nil {
		f.awaited.remove(place)
		f.turnAway(raw)
	}
}

// crowd is how many connections may be awaited before the first gives way: there must be room left for those that come
// until it has gone.
func crowd(limit int) int { return limit - limit/4 }

// open awaits the PROXY header and decides then. ctx is the front's, opening that of this child, which ends here.
func (f *front) open(ctx, opening context.Context, raw net.Conn, peer netip.Addr, place *list.Element) {
	stop := context.AfterFunc(opening, func() { cut(raw) })
	h, err := readProxyHeader(raw)
	stop()
	f.awaited.remove(place)
	if err != nil || opening.Err() != nil {
		if err != io.EOF { // nothing at all is how a proxy finds out whether we live
			_ = f.proxies.Refuse()
		}
		f.turnAway(raw)
		return
	}
	_ = raw.SetReadDeadline(time.Time{})
	if h.Local {
		f.admit(ctx, raw, peer, &h)
		return
	}
	f.admit(ctx, raw, h.Source.Addr(), &h)
}

// deadline is d from now; none for NoTimeout.
func deadline(d time.Duration) time.Time {
	if d == NoTimeout {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// admit makes the connection a child, or turns it away.
func (f *front) admit(ctx context.Context, raw net.Conn, addr netip.Addr, h *proxyHeader) {
	client := clientKey(addr)
	leave, err := f.take(client, addr)
	if err != nil {
		f.turnAway(raw)
		return
	}
	boundUnsent(raw)
	c := newConn(raw, client, f.bytes)
	c.known = f.known
	if h != nil {
		if len(h.rest) > 0 {
			c.Conn = &prefixedConn{Conn: raw, rest: h.rest}
		}
		if !h.Local {
			c.remote = net.TCPAddrFromAddrPort(h.Source)
		}
	}
	if _, err := f.conns.At(client).Go(ctx, func(ctx context.Context) error {
		defer leave()
		defer c.Close()
		return f.serve(ctx, c)
	}, headcount.InClass(f.class(client))); err != nil {
		leave()
		f.turnAway(raw)
	}
}

// class is that of a client's connections: the higher one for those who had a request of a higher class lately.
func (f *front) class(client netip.Addr) headcount.Class {
	if f.known != nil && f.known.has(client) {
		return 1
	}
	return 0
}

// take passes the gates, the cheapest first. leave gives back what was taken.
func (f *front) take(client, addr netip.Addr) (leave func(), err error) {
	leave = func() {}
	if f.total != nil {
		_ = f.total.take()
		_ = f.clients.take(client)
		leave = func() { f.clients.leave(client); f.total.leave() }
	}
	if !f.bound(client) {
		return leave, nil
	}
	if _, err := f.rate.take(client); err != nil {
		leave()
		return nil, err
	}
	prefix := clientPrefix(addr)
	if err := f.prefixes.take(prefix); err != nil {
		leave()
		return nil, err
	}
	inner := leave
	return func() { f.prefixes.leave(prefix); inner() }, nil
}

// full is the answer to a connection that was refused, where one is given. It says when to come again, and that this
// connection is over.
const full = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nHeadcount-Reason: connections\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// turnAway closes a connection without waiting for anything. Without an answer it is reset, so that nothing is left of
// it in the kernel.
func (f *front) turnAway(raw net.Conn) {
	if f.cfg.answer503 {
		_ = raw.SetWriteDeadline(time.Now().Add(time.Millisecond)) // a new connection has room for this
		_, _ = raw.Write([]byte(full))
	} else if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// handshake speaks TLS on the connection, if the endpoint does. It reports whether HTTP/2 was agreed on.
func (f *front) handshake(ctx context.Context, c *conn) (h2 bool, err error) {
	if f.cfg.tls == nil {
		return false, nil
	}
	t := tls.Server(c.Conn, f.cfg.tls)
	began := time.Now()
	within := f.cfg.timeouts.Handshake
	if f.bytes.observing {
		within = NoTimeout
	}
	_ = t.SetDeadline(deadline(within))
	if err := t.HandshakeContext(ctx); err != nil {
		if err != io.EOF { // nothing at all is a connection that a browser opened ahead, or a check of our health
			_ = f.bytes.handshake.Refuse()
		}
		return false, err
	}
	if f.bytes.observing && time.Since(began) > f.cfg.timeouts.Handshake {
		_ = f.bytes.handshake.Refuse()
	}
	_ = t.SetDeadline(time.Time{})
	state := t.ConnectionState()
	c.Conn, c.tls = t, &state
	return state.NegotiatedProtocol == "h2", nil
}
