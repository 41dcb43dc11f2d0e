package endpoint

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"time"

	"github.com/headcount-go/headcount"
)

// An Identity is whose a request is: what [KeyFunc] said, or else the client's address, as the key of its connections is.
type Identity struct {
	Key  string
	Addr netip.Addr
}

// A limiter is layers 3 and 4 in front of a handler. A request passes the checks in the order of what they cost: who the
// client is, what it holds, its rate, the route, and then the functions that may have to verify a token. Each request
// that is let in is a child of requests, on its own goroutine.
type limiter struct {
	cfg      *config
	bytes    *byteGates
	next     http.Handler
	requests *headcount.KeyedSupervisor[Identity]
	active   *activity
	retry    *retryAfter

	forwarded *headcount.Gate // a chain of proxies that cannot be believed
	clients   *heldGate[netip.Addr]
	rate      *rateGate
	routes    map[string]*gaugeGate
	total     *gaugeGate // where the layer observes, in place of the supervisor's own limits
	keys      *heldGate[Identity]
}

func newLimiter(cfg *config, b *byteGates, next http.Handler) *limiter {
	observing := cfg.observe[LayerRequests]
	l := &limiter{
		cfg: cfg, bytes: b, next: next, active: newActivity(),
		forwarded: headcount.NewGate("forwarded", 0, nil, headcount.Ceiling(0)),
		clients:   newHeldGate[netip.Addr]("requests_per_client", cfg.limits.RequestsPerClient, observing),
		rate:      newRateGate("request_rate", cfg.rates.Requests, cfg.rates.RequestsBurst, cfg.observe[LayerStarts]),
		routes:    make(map[string]*gaugeGate),
	}
	l.retry = newRetryAfter(l.active)
	total, perKey := cfg.limits.Requests, cfg.limits.RequestsPerKey
	gates := []*headcount.Gate{l.forwarded, l.clients.gate, l.rate.gate}
	for _, r := range cfg.routes {
		if l.routes[r.name] != nil {
			cfg.problem("Route "+r.name, r.limit, "is given twice")
			continue
		}
		g := newGaugeGate("route_"+r.name, r.limit, observing)
		l.routes[r.name] = g
		gates = append(gates, g.gate)
	}
	if observing {
		l.total = newGaugeGate("max_children", total, true)
		l.keys = newHeldGate[Identity]("max_per_key", perKey, true)
		gates = append(gates, l.total.gate, l.keys.gate)
		total, perKey = headcount.Unlimited, headcount.Unlimited
	}
	opts := []headcount.Option{
		headcount.ShutdownWithin(cfg.timeouts.Close), headcount.Gates(gates...), headcount.Classes(cfg.shares...),
	}
	if wait := cfg.timeouts.Wait; wait != NoWait && !observing {
		interval := min(wait, longWait)
		opts = append(opts, headcount.Wait(cfg.limits.Waiting, wait), headcount.CoDel(min(shortWait, interval), interval))
	}
	if held := cfg.sizes.Held; held != math.MaxInt64 && !observing {
		opts = append(opts, headcount.MaxBytes(held))
	}
	if cfg.keyOf != nil {
		opts = append(opts, headcount.SecretKeys())
	} else {
		opts = append(opts, headcount.KeyName(func(id Identity) string { return id.Addr.String() }))
	}
	if cfg.someLocal() {
		// Who has neither a key nor an address may be anybody: all of them together are no one client.
		opts = append(opts, headcount.KeyShare(math.MaxFloat64), headcount.MaxPerKeyFunc(func(id Identity, base int) int {
			if id == (Identity{}) {
				return headcount.Unlimited
			}
			return base
		}))
	}
	l.requests = headcount.NewKeyedSupervisor[Identity]("requests", headcount.MaxChildren(total), headcount.MaxPerKey(perKey), opts...)
	return l
}

func (l *limiter) gates() []*headcount.Gate {
	all := []*headcount.Gate{l.forwarded, l.clients.gate, l.rate.gate}
	for _, r := range l.routes {
		all = append(all, r.gate)
	}
	if l.total != nil {
		all = append(all, l.total.gate, l.keys.gate)
	}
	return all
}

// ServeHTTP lets the request in, or refuses it.
func (l *limiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(connKey{}).(*conn)
	if c != nil {
		if !c.enter() {
			return // an HTTP/2 request whose connection is gone
		}
		defer c.leave()
		if r.TLS == nil {
			r.TLS = c.tls // net/http does not see it below HTTP/2
		}
		if n := c.requests.Add(1); l.cfg.limits.RequestsPerConn != headcount.Unlimited && n >= int64(l.cfg.limits.RequestsPerConn) {
			w.Header().Set("Connection", "close") // for HTTP/2, net/http makes a GOAWAY of it
		}
	}
	client, err := l.client(c, r)
	if err != nil {
		l.turnDown(w, r, refusal{http.StatusBadRequest, "forwarded", 0})
		return
	}
	if client.IsValid() {
		if err := l.clients.take(client); err != nil {
			l.turnDown(w, r, refusal{http.StatusTooManyRequests, "requests_per_client", l.retry.after(l.clients.table.held(client))})
			return
		}
		defer l.clients.leave(client)
		if wait, err := l.rate.take(client); err != nil {
			l.turnDown(w, r, refusal{http.StatusTooManyRequests, "request_rate", wait})
			return
		}
	}
	asked := l.named(r, client)
	var route *gaugeGate
	if l.cfg.routeOf != nil {
		// Full for everybody is found out before it costs anything to know who asks.
		if route = l.routes[l.cfg.routeOf(asked)]; route != nil && route.full() {
			_ = route.gate.Refuse()
			l.turnDown(w, r, refusal{http.StatusServiceUnavailable, route.gate.Name(), l.retry.after(0)})
			return
		}
	}
	id := Identity{Addr: client}
	if l.cfg.keyOf != nil {
		if key := l.cfg.keyOf(asked); key != "" {
			id = Identity{Key: key}
		}
	}
	if l.total != nil {
		_ = l.total.take()
		defer l.total.leave()
		_ = l.keys.take(id)
		defer l.keys.leave(id)
	}
	var class headcount.Class
	if l.cfg.classOf != nil {
		class = min(l.cfg.classOf(asked), headcount.Class(len(l.cfg.shares)-1))
		if class > 0 && c != nil && c.known != nil {
			c.known.note(c.client)
		}
	}
	if route != nil {
		if err := route.takeShare(l.share(class)); err != nil {
			l.turnDown(w, r, refusal{http.StatusServiceUnavailable, route.gate.Name(), l.retry.after(0)})
			return
		}
		defer route.leave()
	}
	l.serve(w, r, c, id, client, class)
}

// share is the part of a limit that a class may fill, as the supervisor has it.
func (l *limiter) share(class headcount.Class) float64 {
	if int(class) < len(l.cfg.shares) {
		return l.cfg.shares[class]
	}
	return 1
}

// serve runs the handler as a child.
func (l *limiter) serve(w http.ResponseWriter, r *http.Request, c *conn, id Identity, client netip.Addr, class headcount.Class) {
	if most := l.cfg.sizes.Body; r.ContentLength > most && l.bytes.bigBody.Refuse() != nil {
		l.turnDown(w, r, refusal{http.StatusRequestEntityTooLarge, "big_body", 0})
		return
	}
	x := newExchange(l, w, r, c, client)
	var opts [2]headcount.StartOption
	n := 0
	if class > 0 {
		opts[n] = headcount.InClass(class)
		n++
	}
	if d := l.cfg.timeouts.Response; d != NoTimeout && !l.bytes.observing {
		opts[n] = headcount.WithLifetime(d)
		n++
	}
	err := l.requests.At(id).Do(x, x.run, opts[:n]...)
	switch {
	case !x.entered:
		l.refused(w, r, id, err)
	case x.aborted:
		panic(http.ErrAbortHandler)
	case err != nil && isPanic(err):
		if x.begun {
			panic(http.ErrAbortHandler) // the client must not take a cut answer for a whole one
		}
		l.turnDown(w, r, refusal{http.StatusInternalServerError, "panic", 0})
	}
}

func isPanic(err error) bool {
	var p *headcount.PanicError
	return errors.As(err, &p) || errors.Is(err, headcount.ErrGoexit)
}

// refused answers what the supervisor said: 429 where it is this client's own doing, 503 where it is not.
func (l *limiter) refused(w http.ResponseWriter, r *http.Request, id Identity, err error) {
	var no *headcount.Refusal
	switch {
	case errors.As(err, &no) && no.Reason == headcount.ReasonMaxPerKey:
		l.turnDown(w, r, refusal{http.StatusTooManyRequests, no.Word(), l.retry.after(l.requests.At(id).Count())})
	case no != nil:
		l.turnDown(w, r, refusal{http.StatusServiceUnavailable, no.Word(), l.retry.after(0)})
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the client has gone while it waited
	default:
		l.turnDown(w, r, refusal{http.StatusServiceUnavailable, "stopping", time.Second})
	}
}

// client is the key of the request's client: the address of its connection, or what trusted proxies say.
func (l *limiter) client(c *conn, r *http.Request) (netip.Addr, error) {
	var peer netip.Addr
	if c != nil {
		peer = c.client
	} else if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		peer = clientKey(at.Addr())
	}
	if !l.cfg.believes() {
		return peer, nil
	}
	if c != nil { // the key of an IPv6 client is not its address
		peer = addrOf(c.RemoteAddr()).Addr()
	}
	addr, err := forwardedClient(r.Header, l.cfg.clientHeader, peer, l.cfg.trusted)
	if err != nil {
		return netip.Addr{}, errors.Join(err, l.forwarded.Refuse())
	}
	return clientKey(addr), nil
}

// named gives the request as the functions see it that are asked about it: ClientAddr works there too.
func (l *limiter) named(r *http.Request, client netip.Addr) *http.Request {
	if !l.cfg.believes() || l.cfg.routeOf == nil && l.cfg.keyOf == nil && l.cfg.classOf == nil {
		return r // it is told by the connection, or nobody asks
	}
	return r.WithContext(context.WithValue(r.Context(), clientAddrKey{}, client))
}

type clientAddrKey struct{}

// ClientAddr is the address of the client whose request ctx belongs to, as the endpoint knows it: of the connection, or
// as trusted proxies say it. An IPv6 address is that of the client's /64. It is not valid where there is none, as on a
// unix socket, and outside of a request. [KeyFunc] and the like may ask for it too, behind an endpoint.
func ClientAddr(ctx context.Context) netip.Addr {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x.client
	}
	if client, ok := ctx.Value(clientAddrKey{}).(netip.Addr); ok {
		return client
	}
	if c, ok := ctx.Value(connKey{}).(*conn); ok && !c.bytes.cfg.believes() {
		return c.client
	}
	return netip.Addr{}
}
