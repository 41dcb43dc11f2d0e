package endpoint

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
)

// A Setting is one option of an endpoint as it is in force when it starts.
type Setting struct {
	Name  string // such as Limits.Conns
	Value string
}

// field is one of the numbers that can be set, with what it is for.
type field struct {
	name  string
	value any
	kinds kind
	limit bool // it can be Unlimited
}

// fields are all numbers that can be set. What is checked and what is shown is made from this one list.
func (c *config) fields() []field {
	const (
		conns = kindHTTP | kindTCP | kindListener
		reqs  = kindHTTP | kindHandler
		serve = kindHTTP | kindTCP
	)
	l, r, t, s := c.limits, c.rates, c.timeouts, c.sizes
	return []field{
		{"Limits.Conns", l.Conns, conns, true},
		{"Limits.ConnsPerClient", l.ConnsPerClient, conns, true},
		{"Limits.ConnsPerPrefix", l.ConnsPerPrefix, conns, true},
		{"Limits.Opening", l.Opening, conns, true},
		{"Limits.Descriptors", l.Descriptors, conns, false},
		{"Limits.Requests", l.Requests, reqs, true},
		{"Limits.RequestsPerClient", l.RequestsPerClient, reqs, true},
		{"Limits.RequestsPerKey", l.RequestsPerKey, reqs, true},
		{"Limits.RequestsPerConn", l.RequestsPerConn, kindHTTP, true},
		{"Limits.StreamsPerConn", l.StreamsPerConn, kindHTTP, false},
		{"Limits.Waiting", l.Waiting, reqs, false},
		{"Rates.Conns", r.Conns, conns, true},
		{"Rates.ConnsBurst", r.ConnsBurst, conns, false},
		{"Rates.Requests", r.Requests, reqs, true},
		{"Rates.RequestsBurst", r.RequestsBurst, reqs, false},
		{"Rates.Resets", r.Resets, kindHTTP, true},
		{"Rates.ReadBytes", r.ReadBytes, reqs, false},
		{"Rates.WriteBytes", r.WriteBytes, conns | kindHandler, false},
		{"Timeouts.Handshake", t.Handshake, conns, false},
		{"Timeouts.Header", t.Header, kindHTTP, false},
		{"Timeouts.Body", t.Body, reqs, false},
		{"Timeouts.Response", t.Response, reqs, false},
		{"Timeouts.Idle", t.Idle, serve, false},
		{"Timeouts.Stall", t.Stall, conns | kindHandler, false},
		{"Timeouts.Wait", t.Wait, reqs, false},
		{"Timeouts.Finish", t.Finish, kindHTTP, false},
		{"Timeouts.End", t.End, serve, false},
		{"Timeouts.Close", t.Close, conns | kindHandler, false},
		{"Sizes.Header", s.Header, kindHTTP, false},
		{"Sizes.Body", s.Body, reqs, false},
		{"Sizes.Held", s.Held, reqs, false},
	}
}

// settings lists everything, given or not.
func (c *config) settings() []Setting {
	var list []Setting
	for _, f := range c.fields() {
		if f.kinds&c.kind != 0 {
			list = append(list, Setting{f.name, shownValue(f.value)})
		}
	}
	for _, r := range c.routes {
		list = append(list, Setting{"Route " + r.name, shownValue(r.limit)})
	}
	add := func(name string, given bool, value string) {
		if given {
			list = append(list, Setting{name, value})
		}
	}
	add("TLS", c.tls != nil, "yes")
	add("H2C", c.h2c, "yes")
	add("Answer503", c.answer503, "yes")
	add("TrustedProxies", len(c.trusted) > 0, shownPrefixes(c.trusted))
	add("ClientHeader", len(c.trusted) > 0 && !c.proxyProtocol && c.kind&(kindHTTP|kindHandler) != 0, c.clientHeader)
	add("ProxyProtocol", c.proxyProtocol, "yes")
	add("KeyFunc", c.keyOf != nil, "yes")
	add("PriorityFunc", c.classOf != nil, "yes")
	add("RouteFunc", c.routeOf != nil, "yes")
	if c.kind&(kindHTTP|kindHandler) != 0 {
		list = append(list, Setting{"Shares", strings.Trim(fmt.Sprint(c.shares), "[]")})
	}
	var observed []string
	for l, on := range c.observe {
		if on {
			observed = append(observed, Layer(l).String())
		}
	}
	add("Observe", len(observed) > 0, strings.Join(observed, " "))
	return list
}

func shownPrefixes(set prefixSet) string {
	texts := make([]string, len(set))
	for i, p := range set {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}

func shownValue(v any) string {
	switch v {
	case headcount.Unlimited:
		return "unlimited"
	case NoTimeout:
		return "none"
	case NoWait:
		return "no wait"
	case int64(math.MaxInt64):
		return "unlimited"
	}
	if d, ok := v.(time.Duration); ok {
		return d.String()
	}
	return fmt.Sprint(v)
}

// settingsAttr is the settings for the log line of the start.
func settingsAttr(settings []Setting) slog.Attr {
	attrs := make([]any, 0, len(settings))
	for _, s := range settings {
		attrs = append(attrs, slog.String(s.Name, s.Value))
	}
	return slog.Group("settings", attrs...)
}
