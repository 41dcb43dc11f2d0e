package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
	"github.com/headcount-go/headcount/endpoint/websocket"
	"github.com/headcount-go/headcount/examples/myapp/internal/web"
)

// endpointOptions is what stands between the network and the handlers.
func (c config) endpointOptions(log *slog.Logger) ([]endpoint.Option, error) {
	opts := []endpoint.Option{
		endpoint.Logger(log),
		endpoint.Limits{
			Conns: c.maxConns, ConnsPerClient: c.connsPerClient, ConnsPerPrefix: c.connsPerPrefix,
			Requests: c.allRequests(), RequestsPerClient: c.requestsPerClient, RequestsPerKey: c.requestsPerUser,
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
		endpoint.Shares(newShare, 1),
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

// websocket bounds what a peer may do on a websocket. Without limits it may send as much as it can, and need not read.
func (c config) websocket() websocket.Config {
	cfg := websocket.Config{
		MaxMessage: c.maxText, MessageRate: float64(c.messageRate), PingEvery: c.pingEvery, PongWithin: c.pingEvery, WriteWithin: c.writeWithin,
	}
	if c.unlimited {
		cfg.MessageRate, cfg.WriteWithin = 1e9, 24*time.Hour
	}
	return cfg
}

const (
	strangersRoom = 64 // requests in flight of who has not signed in
	refusalRoom   = 64 // beside the sessions, those that are being told that there is no room
	probeRoom     = 64 // those that ask whether the service lives
)

func (c config) rooms() web.Rooms {
	return web.Rooms{Short: c.maxRequests, Stay: total(c.maxUsers, refusalRoom), Strangers: strangersRoom}
}

// allRequests is more than all rooms together, also for new users with their share of it: what binds are the rooms, and
// probes find a place when these are full.
func (c config) allRequests() int {
	r := c.rooms()
	all := total(total(r.Short, r.Stay), r.Strangers+probeRoom)
	if all == headcount.Unlimited {
		return all
	}
	return min(int(math.Ceil(float64(all)/newShare)), headcount.MaxLimit)
}

// total adds up limits, of which one may be none.
func total(a, b int) int {
	if a == headcount.Unlimited || b == headcount.Unlimited {
		return headcount.Unlimited
	}
	return min(a+b, headcount.MaxLimit)
}
