package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
)

// endpointOptions is what stands between the network and the handlers.
func (c config) endpointOptions(log *slog.Logger) ([]endpoint.Option, error) {
	// Everything in flight: what stays is a child of its user's too, what does not is on the short route, and strangers
	// are told so.
	busy := total(total(c.maxUsers, c.maxRequests), strangersRoom)
	all := total(busy, probeRoom)
	share := func(n int) float64 {
		if all == headcount.Unlimited {
			return 1
		}
		return float64(n) / float64(all)
	}
	opts := []endpoint.Option{
		endpoint.Logger(log),
		endpoint.Limits{
			Conns: c.maxConns, ConnsPerClient: c.connsPerClient, ConnsPerPrefix: c.connsPerPrefix,
			Requests: all, RequestsPerClient: c.requestsPerClient, RequestsPerKey: c.requestsPerUser,
		},
		endpoint.Rates{
			Conns: c.connRate, ConnsBurst: c.connBurst, Requests: c.requestRate, RequestsBurst: c.requestBurst,
			Resets: c.maxResets, ReadBytes: c.minReadRate, WriteBytes: c.minWriteRate,
		},
		endpoint.Timeouts{
			Handshake: c.handshakeWithin, Header: c.headerWithin, Body: c.bodyWithin, Idle: c.idleWithin, Stall: c.stall,
			Finish: c.stopWithin / 8, End: c.stopWithin / 10, Close: c.stopWithin / 40,
		},
		endpoint.Sizes{Header: c.maxHeader, Body: int64(c.maxBody), Held: c.requestsBytes()},
		// New users may fill their share of what users may; only probes get at the last of it.
		endpoint.Shares(newShare*share(busy), share(busy), 1),
	}
	if c.unlimited {
		// It goes on counting what it would refuse.
		opts = append(opts, endpoint.Observe(endpoint.LayerAccept, endpoint.LayerBytes, endpoint.LayerRequests, endpoint.LayerStarts),
			endpoint.Timeouts{Idle: endpoint.NoTimeout})
	}
	if c.trustedProxies != "" {
		opts = append(opts, endpoint.TrustedProxies(strings.Fields(strings.ReplaceAll(c.trustedProxies, ",", " "))...))
	}
	if c.clientHeader != "" {
		opts = append(opts, endpoint.ClientHeader(c.clientHeader))
	}
	if c.proxyProtocol {
		opts = append(opts, endpoint.ProxyProtocol())
	}
	if c.h2c {
		opts = append(opts, endpoint.H2C())
	}
	if c.tlsCert != "" || c.tlsKey != "" {
		cert, err := tls.LoadX509KeyPair(c.tlsCert, c.tlsKey)
		if err != nil {
			return nil, fmt.Errorf("-tls-cert and -tls-key: %w", err)
		}
		opts = append(opts, endpoint.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}))
	}
	return opts, nil
}

// total adds up limits, of which one may be none.
func total(a, b int) int {
	if a == headcount.Unlimited || b == headcount.Unlimited {
		return headcount.Unlimited
	}
	return min(a+b, headcount.MaxLimit)
}
