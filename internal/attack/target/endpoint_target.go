package target

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"

	"github.com/headcount-go/headcount/internal/attack"
)

var endpointTarget = Kind{
	Name:        "endpoint",
	About:       "Headcount's `endpoint`, with the limits of the pass line, at most 32 connections and requests of a client, deadlines of 1 s",
	SpeaksProxy: true,
	Serve:       serveEndpoint,
}

// The deadlines are shorter than a service would have them, so that an attack of a few seconds gets to feel them.
const deadline = time.Second

func serveEndpoint(l net.Listener, o Options, h http.Handler) error {
	options := []endpoint.Option{
		endpoint.On(l),
		endpoint.Limits{
			Conns:             Wanted.Conns,
			ConnsPerClient:    32,
			ConnsPerPrefix:    64,
			Opening:           64,
			Requests:          Wanted.Handlers,
			RequestsPerClient: 32,
			RequestsPerKey:    16,
		},
		endpoint.Timeouts{
			Handshake: deadline, Header: deadline, Idle: deadline, Stall: deadline, Body: 10 * deadline,
		},
		endpoint.KeyFunc(func(r *http.Request) string {
			user, _ := User(r)
			return user
		}),
		endpoint.PriorityFunc(func(r *http.Request) headcount.Class {
			if _, proven := User(r); proven {
				return 1
			}
			return 0
		}),
	}
	if o.TLS != nil {
		options = append(options, endpoint.TLS(o.TLS))
	}
	if o.Proxy {
		options = append(options, endpoint.ProxyProtocol(), endpoint.TrustedProxies(netip.PrefixFrom(attack.ProxyAddress, 24).Masked().String()))
	}
	app := headcount.NewSupervisor("target", headcount.SupervisorConfig{}, endpoint.New("web", "", h, options...))
	ctx := context.Background() // the process ends otherwise
	if err := app.Start(ctx); err != nil {
		return err
	}
	return app.Wait(ctx)
}
