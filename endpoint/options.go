package endpoint

import (
	"crypto/tls"
	"log/slog"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/headcount-go/headcount"
)

// NoTimeout as a duration is no bound.
const NoTimeout time.Duration = math.MaxInt64

// An Option configures an endpoint, a [Listener] or a [LimitHandler]: one of [Limits], [Rates], [Timeouts] and [Sizes],
// of which a field that is zero keeps its default, or what one of the functions makes. One that has no meaning for what
// it is given to is an error.
type Option interface{ apply(*config) }

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// Limits are what may be held at once. [headcount.Unlimited] is no limit; zero is the default. All but those of one
// connection can be changed while the endpoint runs, to zero too: by the limits of [Endpoint.Conns] and
// [Endpoint.Requests], and by [Endpoint.Gate].
type Limits struct {
	// Conns is the number of connections. The default leaves half of the process's file descriptors to others, and is at
	// most 10,000.
	Conns int
	// ConnsPerClient is that of one client: an IPv4 address, or an IPv6 /64. Default 64. It does not bind a trusted proxy.
	ConnsPerClient int
	// ConnsPerPrefix is that of one neighbourhood: an IPv4 /24, or an IPv6 /48. Default 1,024.
	ConnsPerPrefix int
	// Opening is the number of connections from proxies whose PROXY header has not arrived. Default 1,024.
	Opening int
	// Descriptors are kept in reserve: a connection that would take one of the last so many is closed. Default 32.
	Descriptors int
	// Requests is the number of requests in flight. Default 4,096.
	Requests int
	// RequestsPerClient is that of one client, over all of its connections. Default 128.
	RequestsPerClient int
	// RequestsPerKey is that of one identity, see [KeyFunc]. Default 32, without a KeyFunc 128.
	RequestsPerKey int
	// RequestsPerConn is how many requests a connection may carry in its life, after which it is asked to go. Default
	// 10,000.
	RequestsPerConn int
	// StreamsPerConn is the number of concurrent HTTP/2 streams of a connection. Default 100, or RequestsPerClient if that
	// is less.
	StreamsPerConn int
	// Waiting is how many requests may wait for room, see [Timeouts].Wait. Default a quarter of Requests.
	Waiting int
}

// Rates are what a client may start in a second, and how slow it may be. They are kept in tables of a fixed size.
type Rates struct {
	// Conns is the number of new connections of a client per second, ConnsBurst how many may come at once. Default 20
	// and 100.
	Conns      int
	ConnsBurst int
	// Requests is the number of requests of a client per second, RequestsBurst how many may come at once. Default 200
	// and 500.
	Requests      int
	RequestsBurst int
	// Resets is how many HTTP/2 streams of a connection may be reset within ten seconds. Default 200; past it the
	// connection is closed.
	Resets int
	// ReadBytes is the least number of bytes per second that a body must arrive with, WriteBytes that with which a
	// response must be taken. A client may be behind it by [Timeouts].Stall. Default 1,024.
	ReadBytes  int
	WriteBytes int
}

// Timeouts bound what a client may take its time for, and the steps of a stop. [NoTimeout] is no bound; zero is the
// default.
type Timeouts struct {
	// Handshake is the time for a TLS handshake, and for a PROXY header. Default 5 s.
	Handshake time.Duration
	// Header is the time for all of a request's header. Default 5 s.
	Header time.Duration
	// Body is the time that a request's body may be waited for in all. Default 1 min.
	Body time.Duration
	// Response is the time from a request to the end of its response. Default none: it would end streams.
	Response time.Duration
	// Idle is how long a connection may do nothing between two requests; of a TCP endpoint, how long a read may wait.
	// Default 1 min.
	Idle time.Duration
	// Stall is how far a client may fall behind the rates of bytes. Default 5 s.
	Stall time.Duration
	// Wait is how long a request may wait for room. Default 100 ms, and 5 ms when room has been short for that long.
	// With [NoWait] it is refused at once.
	Wait time.Duration
	// Finish is the time that requests have when the endpoint stops, End that which websockets and streams have once
	// their contexts have ended, Close that in which handlers must return once their connections are closed. Default
	// 10 s, 5 s and 2 s.
	Finish time.Duration
	End    time.Duration
	Close  time.Duration
}

// NoWait as [Timeouts].Wait has requests refused at once.
const NoWait time.Duration = math.MaxInt64 - 1

// Sizes bound what a client may send, in bytes.
type Sizes struct {
	// Header is all of a request's header. Default 16 KiB.
	Header int
	// Body is a request's body. Default 1 MiB.
	Body int64
	// Held is what all requests in flight may hold together, as their handlers declare by [headcount.Charge]. Default
	// none.
	Held int64
}

func (l Limits) apply(c *config) {
	override(&c.limits.Conns, l.Conns)
	override(&c.limits.ConnsPerClient, l.ConnsPerClient)
	override(&c.limits.ConnsPerPrefix, l.ConnsPerPrefix)
	override(&c.limits.Opening, l.Opening)
	override(&c.limits.Descriptors, l.Descriptors)
	override(&c.limits.Requests, l.Requests)
	override(&c.limits.RequestsPerClient, l.RequestsPerClient)
	override(&c.limits.RequestsPerKey, l.RequestsPerKey)
	override(&c.limits.RequestsPerConn, l.RequestsPerConn)
	override(&c.limits.StreamsPerConn, l.StreamsPerConn)
	override(&c.limits.Waiting, l.Waiting)
}

func (r Rates) apply(c *config) {
	override(&c.rates.Conns, r.Conns)
	override(&c.rates.ConnsBurst, r.ConnsBurst)
	override(&c.rates.Requests, r.Requests)
	override(&c.rates.RequestsBurst, r.RequestsBurst)
	override(&c.rates.Resets, r.Resets)
	override(&c.rates.ReadBytes, r.ReadBytes)
	override(&c.rates.WriteBytes, r.WriteBytes)
}

func (t Timeouts) apply(c *config) {
	override(&c.timeouts.Handshake, t.Handshake)
	override(&c.timeouts.Header, t.Header)
	override(&c.timeouts.Body, t.Body)
	override(&c.timeouts.Response, t.Response)
	override(&c.timeouts.Idle, t.Idle)
	override(&c.timeouts.Stall, t.Stall)
	override(&c.timeouts.Wait, t.Wait)
	override(&c.timeouts.Finish, t.Finish)
	override(&c.timeouts.End, t.End)
	override(&c.timeouts.Close, t.Close)
}

func (s Sizes) apply(c *config) {
	override(&c.sizes.Header, s.Header)
	override(&c.sizes.Body, s.Body)
	override(&c.sizes.Held, s.Held)
}

func override[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}

// TLS has the endpoint speak TLS by this configuration, which must have certificates. An HTTP endpoint offers HTTP/2 and
// HTTP/1.1 unless its NextProtos says otherwise.
func TLS(cfg *tls.Config) Option {
	return optionFunc(func(c *config) {
		if cfg == nil {
			c.problem("TLS", nil, "is nil")
			return
		}
		c.tls = cfg.Clone()
		if len(c.tls.NextProtos) == 0 {
			c.tls.NextProtos = []string{"h2", "http/1.1"}
			if c.kind == kindTCP || c.kind == kindListener {
				c.tls.NextProtos = nil
			}
		}
	})
}

// H2C has an endpoint without TLS also speak HTTP/2, to clients that know that it does.
func H2C() Option { return optionFunc(func(c *config) { c.h2c = true }) }

// Address adds an address to listen on, in the form that [New] takes.
func Address(addr string) Option {
	return optionFunc(func(c *config) { c.addrs = append(c.addrs, addr) })
}

// On has the endpoint accept on a listener that is open already. The endpoint closes it when it stops; then it cannot be
// started again.
func On(l net.Listener) Option {
	return optionFunc(func(c *config) {
		if l == nil {
			c.problem("On", nil, "is nil")
			return
		}
		c.given = append(c.given, l)
	})
}

// TrustedProxies are the addresses and prefixes, such as 10.0.0.0/8, of proxies that are believed when they say who
// their clients are: by a header, X-Forwarded-For unless [ClientHeader] says otherwise, or by the PROXY protocol.
func TrustedProxies(prefixes ...string) Option {
	return optionFunc(func(c *config) {
		set, err := parsePrefixes(prefixes)
		if err != nil {
			c.problem("TrustedProxies", prefixes, err.Error())
			return
		}
		if len(prefixes) == 0 {
			c.problem("TrustedProxies", prefixes, "names no proxy")
		}
		c.trusted = set
	})
}

// ClientHeader is the header by which trusted proxies say who their clients are: X-Forwarded-For or Forwarded. Only one
// is looked at, since a proxy passes on whatever its client wrote into the other.
func ClientHeader(name string) Option {
	return optionFunc(func(c *config) {
		c.clientHeader = http.CanonicalHeaderKey(name)
		if c.clientHeader != headerXForwardedFor && c.clientHeader != headerForwarded {
			c.problem("ClientHeader", name, "is neither X-Forwarded-For nor Forwarded")
		}
	})
}

// ProxyProtocol has each connection begin with a header of the PROXY protocol, version 1 or 2. It needs
// [TrustedProxies]: a connection from anywhere else is closed.
func ProxyProtocol() Option { return optionFunc(func(c *config) { c.proxyProtocol = true }) }

// Answer503 has a connection that is refused get a constant 503 with Retry-After before it is closed, where it does not
// speak TLS. Without it the connection is reset, which is cheaper. Whether the answer arrives is not certain.
func Answer503() Option { return optionFunc(func(c *config) { c.answer503 = true }) }

// KeyFunc says whose a request is, for [Limits].RequestsPerKey: a user, an account, a token. It is called once for each
// request that has passed the checks that cost less, on the request's goroutine. An empty key is the client's address.
// Keys are shown as a keyed hash.
func KeyFunc(f func(*http.Request) string) Option {
	return optionFunc(func(c *config) { c.keyOf = f })
}

// PriorityFunc says which class a request is of; the higher class has the share of the room that [Shares] keeps for it,
// and one above the highest is the highest.
// It is called after [KeyFunc].
func PriorityFunc(f func(*http.Request) headcount.Class) Option {
	return optionFunc(func(c *config) { c.classOf = f })
}

// Shares are the shares of [Limits].Requests that each class may fill, as for [headcount.Classes]. The default is 0.9
// and 1: the last tenth is kept for class 1. With a [PriorityFunc] the first share is also what connections may fill whose
// clients had no request of a higher class in the last ten minutes: a flood of strangers does not keep out the others.
func Shares(shares ...float64) Option {
	return optionFunc(func(c *config) { c.shares = shares })
}

// Route limits the requests in flight of one class of routes, in which priority classes have the [Shares] that they have
// of all. The name is a word of lower case letters, digits and _.
func Route(name string, limit int) Option {
	return optionFunc(func(c *config) { c.routes = append(c.routes, routeLimit{name, limit}) })
}

// RouteFunc says which [Route] a request belongs to; an empty name is none, and so is an unknown one.
func RouteFunc(f func(*http.Request) string) Option {
	return optionFunc(func(c *config) { c.routeOf = f })
}

// Observe has these layers count and tell what they would refuse, and refuse nothing.
func Observe(layers ...Layer) Option {
	return optionFunc(func(c *config) {
		for _, l := range layers {
			if l >= layerCount {
				c.problem("Observe", l, "is not a layer")
				continue
			}
			c.observe[l] = true
		}
	})
}

// Logger is where the endpoint tells where it listens, with which settings, and what net/http has to say, at most a line
// a second of that. The default is slog.Default().
func Logger(l *slog.Logger) Option { return optionFunc(func(c *config) { c.logger = l }) }

// A Layer is one layer of the defence.
type Layer uint8

const (
	// LayerAccept limits connections: all, by client, by prefix, and the descriptors that are left.
	LayerAccept Layer = iota
	// LayerBytes has the deadlines and the minimum rates.
	LayerBytes
	// LayerRequests limits requests in flight: all, by client, by identity, by route.
	LayerRequests
	// LayerStarts limits the rates of new connections and of requests.
	LayerStarts
	layerCount
)

func (l Layer) String() string {
	return [...]string{"accept", "bytes", "requests", "starts", "invalid"}[min(l, layerCount)]
}
