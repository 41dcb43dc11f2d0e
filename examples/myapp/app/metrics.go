package app

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/headcount-go/headcount/endpoint"
)

// scrapes is how many may be in flight, each of which reads the whole tree: two servers that watch each other are common.
const scrapes = 4

// metricsEndpoint answers /metrics at an address of its own, so that it does when everything else is full.
func metricsEndpoint(addr string, registry *prometheus.Registry, log *slog.Logger) *endpoint.Endpoint {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes}))
	const most = 4 * scrapes
	return endpoint.New("metrics", addr, mux, endpoint.Logger(log),
		endpoint.Timeouts{Finish: 200 * time.Millisecond, End: 50 * time.Millisecond, Close: 50 * time.Millisecond},
		endpoint.Limits{Conns: most, ConnsPerClient: most, ConnsPerPrefix: most, Requests: most, RequestsPerClient: most, RequestsPerKey: most})
}
