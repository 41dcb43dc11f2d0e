package endpoint

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
)

// kind is what a config is for.
type kind uint8

const (
	kindHTTP kind = 1 << iota
	kindTCP
	kindListener
	kindHandler
)

func (k kind) String() string {
	switch k {
	case kindHTTP:
		return "an HTTP endpoint"
	case kindTCP:
		return "a TCP endpoint"
	case kindListener:
		return "a Listener"
	}
	return "a LimitHandler"
}

// config is what the options came to. It does not change once it is made.
type config struct {
	kind   kind
	addrs  []string
	given  []net.Listener
	tls    *tls.Config
	h2c    bool
	logger *slog.Logger

	limits   Limits
	rates    Rates
	timeouts Timeouts
	sizes    Sizes

	trusted       prefixSet
	clientHeader  string
	proxyProtocol bool
	answer503     bool
	keyOf         func(*http.Request) string
	classOf       func(*http.Request) headcount.Class
	shares        []float64
	routes        []routeLimit
	routeOf       func(*http.Request) string
	observe       [layerCount]bool

	problems []error
}

type routeLimit struct {
	name  string
	limit int
}

func (c *config) problem(field string, value any, problem string) {
	c.problems = append(c.problems, &headcount.ConfigError{Field: field, Value: value, Problem: problem})
}

func newConfig(k kind, addr string, opts []Option) *config {
	c := &config{kind: k, logger: slog.Default()}
	if addr != "" {
		c.addrs = append(c.addrs, addr)
	}
	for i, o := range opts {
		if o == nil {
			c.problem(fmt.Sprintf("options[%d]", i), nil, "is nil")
			continue
		}
		o.apply(c)
	}
	if c.logger == nil {
		c.problem("Logger", nil, "is nil")
		c.logger = slog.Default()
	}
	c.check()
	if len(c.problems) > 0 { // it will not start: what is made from the defaults has no faults of its own to tell
		c.limits, c.rates, c.timeouts, c.sizes, c.shares, c.routes = Limits{}, Rates{}, Timeouts{}, Sizes{}, nil, nil
	}
	c.fillIn()
	return c
}

// err is all that is wrong.
func (c *config) err() error { return errors.Join(c.problems...) }

// fillIn gives what was left out its default.
func (c *config) fillIn() {
	given := *c
	c.limits = Limits{
		Conns: defaultConns(), ConnsPerClient: 64, ConnsPerPrefix: 1024, Opening: 1024, Descriptors: 32,
		Requests: 4096, RequestsPerClient: 128, RequestsPerKey: 128, RequestsPerConn: 10_000,
	}
	if c.keyOf != nil {
		c.limits.RequestsPerKey = 32
	}
	c.rates = Rates{
		Conns: 20, ConnsBurst: 100, Requests: 200, RequestsBurst: 500, Resets: 200,
		ReadBytes: 1024, WriteBytes: 1024,
	}
	c.timeouts = Timeouts{
		Handshake: 5 * time.Second, Header: 5 * time.Second, Body: time.Minute, Response: NoTimeout, Idle: time.Minute,
		Stall: 5 * time.Second, Wait: longWait, Finish: 10 * time.Second, End: 5 * time.Second, Close: 2 * time.Second,
	}
	c.sizes = Sizes{Header: 16 << 10, Body: 1 << 20, Held: math.MaxInt64}
	given.limits.apply(c)
	given.rates.apply(c)
	given.timeouts.apply(c)
	given.sizes.apply(c)
	if c.limits.StreamsPerConn == 0 { // more would only be refused; a client that is told so waits by itself
		c.limits.StreamsPerConn = max(1, min(100, c.limits.RequestsPerClient))
	}
	if c.limits.Waiting == 0 {
		c.limits.Waiting = 1024
		if c.limits.Requests != headcount.Unlimited {
			c.limits.Waiting = max(1, c.limits.Requests/4)
		}
	}
	if c.shares == nil {
		c.shares = []float64{0.9, 1}
	}
	if c.clientHeader == "" {
		c.clientHeader = headerXForwardedFor
	}
}

// Requests wait as Maurer's "Fail at Scale" (ACM Queue, 2015) has it: for long while there was no queue lately, else
// briefly.
const (
	longWait  = 100 * time.Millisecond
	shortWait = 5 * time.Millisecond
)

// believes reports whether a header of a trusted proxy can say who the client is.
func (c *config) believes() bool { return len(c.trusted) > 0 && !c.proxyProtocol }

// someLocal reports whether there can be clients without an address, as on a unix socket.
func (c *config) someLocal() bool {
	local := func(a string) bool { return strings.HasPrefix(a, "unix:") }
	return len(c.given) > 0 || slices.ContainsFunc(c.addrs, local)
}

// defaultConns leaves half of the descriptors to what the connections are there for.
func defaultConns() int {
	const most = 10_000
	if n, ok := maxDescriptors(); ok {
		return max(1, min(n/2, most))
	}
	return most
}

// check finds what is wrong with what was given, which is looked at before the defaults are filled in.
func (c *config) check() {
	c.checkNumbers()
	c.checkMeaning()
	c.checkAddresses()
	for _, r := range c.routes {
		if r.limit < 0 {
			c.problem("Route "+r.name, r.limit, "is negative")
		}
	}
	switch {
	case c.proxyProtocol && len(c.trusted) == 0:
		c.problem("ProxyProtocol", true, "needs TrustedProxies: without them anybody could claim to be anybody")
	case c.proxyProtocol && c.clientHeader != "":
		c.problem("ClientHeader", c.clientHeader, "contradicts ProxyProtocol, which says who the client is")
	case c.clientHeader != "" && len(c.trusted) == 0:
		c.problem("ClientHeader", c.clientHeader, "needs TrustedProxies: without them nobody is believed")
	}
	if len(c.routes) > 0 && c.routeOf == nil {
		c.problem("Route", c.routes[0].name, "has no effect without RouteFunc")
	}
	if c.routeOf != nil && len(c.routes) == 0 {
		c.problem("RouteFunc", "given", "has no effect without a Route")
	}
	if c.tls != nil {
		if len(c.tls.Certificates) == 0 && c.tls.GetCertificate == nil && c.tls.GetConfigForClient == nil {
			c.problem("TLS", "its config", "has no certificate")
		}
		if c.h2c {
			c.problem("H2C", true, "contradicts TLS: with TLS, HTTP/2 is negotiated")
		}
		if c.answer503 {
			c.problem("Answer503", true, "contradicts TLS: an answer would need a handshake first")
		}
	}
	if l, r := c.limits.Waiting, c.timeouts.Wait; l != 0 && r == NoWait {
		c.problem("Limits.Waiting", l, "contradicts Timeouts.Wait, which is NoWait")
	}
}

func (c *config) checkNumbers() {
	number := func(field string, n int64) {
		if n < 0 {
			c.problem(field, n, "is negative")
		}
	}
	for _, f := range c.fields() {
		switch v := f.value.(type) {
		case int:
			number(f.name, int64(v))
			if f.limit && v > headcount.MaxLimit && v != headcount.Unlimited {
				c.problem(f.name, v, fmt.Sprintf("is above %d", headcount.MaxLimit))
			}
		case int64:
			number(f.name, v)
		case time.Duration:
			if v < 0 {
				c.problem(f.name, v, "is negative; NoTimeout is no bound")
			}
		}
	}
	if n := c.limits.StreamsPerConn; n > headcount.MaxLimit { // net/http has 32 bits for it
		c.problem("Limits.StreamsPerConn", n, fmt.Sprintf("is above %d", headcount.MaxLimit))
	}
	if h := c.sizes.Header; h > 0 && h <= headerSlop {
		c.problem("Sizes.Header", h, fmt.Sprintf("is too small: net/http keeps to no less than %d", headerSlop+1))
	}
	if most, ok := maxDescriptors(); ok && c.limits.Descriptors >= most {
		c.problem("Limits.Descriptors", c.limits.Descriptors, fmt.Sprintf("leaves none of the %d that the process may have", most))
	}
	if c.limits.Waiting > 1<<20 {
		c.problem("Limits.Waiting", c.limits.Waiting, "is above 1,048,576")
	}
}

// checkMeaning finds options that say nothing here.
func (c *config) checkMeaning() {
	for _, o := range []struct {
		name  string
		given bool
		kinds kind
	}{
		{"TLS", c.tls != nil, kindHTTP | kindTCP | kindListener},
		{"H2C", c.h2c, kindHTTP},
		{"Address", len(c.addrs) > 0, kindHTTP | kindTCP},
		{"On", len(c.given) > 0, kindHTTP | kindTCP | kindListener},
		{"ProxyProtocol", c.proxyProtocol, kindHTTP | kindTCP | kindListener},
		{"ClientHeader", c.clientHeader != "", kindHTTP | kindHandler},
		{"Answer503", c.answer503, kindHTTP | kindListener},
		{"KeyFunc", c.keyOf != nil, kindHTTP | kindHandler},
		{"PriorityFunc", c.classOf != nil, kindHTTP | kindHandler},
		{"Shares", c.shares != nil, kindHTTP | kindHandler},
		{"RouteFunc", c.routeOf != nil, kindHTTP | kindHandler},
		{"Route", len(c.routes) > 0, kindHTTP | kindHandler},
	} {
		if o.given && o.kinds&c.kind == 0 {
			c.problem(o.name, "given", "has no meaning for "+c.kind.String())
		}
	}
	for _, f := range c.fields() {
		if f.kinds&c.kind == 0 && !isZero(f.value) {
			c.problem(f.name, f.value, "has no meaning for "+c.kind.String())
		}
	}
}

func isZero(v any) bool {
	switch v := v.(type) {
	case int:
		return v == 0
	case int64:
		return v == 0
	case time.Duration:
		return v == 0
	}
	return false
}

func (c *config) checkAddresses() {
	if c.kind == kindHandler {
		return
	}
	if len(c.addrs)+len(c.given) == 0 {
		c.problem("addr", "", "is missing: give an address such as :8080 or unix:/run/app.sock, or a listener by On")
	}
	for _, a := range c.addrs {
		if _, _, err := splitAddr(a); err != nil {
			c.problem("addr", a, err.Error())
		}
	}
}

// splitAddr gives the network and the address of host:port or unix:path.
func splitAddr(addr string) (network, address string, err error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if path == "" {
			return "", "", errors.New("has no path")
		}
		return "unix", path, nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", "", errors.New("is neither host:port nor unix:path")
	}
	if n, err := strconv.Atoi(port); err != nil {
		if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
			return "", "", fmt.Errorf("has the unknown port %q", port)
		}
	} else if n < 0 || n > 65535 {
		return "", "", fmt.Errorf("has the port %d, which is not between 0 and 65535", n)
	}
	return "tcp", addr, nil
}
