package endpoint

import (
	"context"
	"net/http"

	"github.com/headcount-go/headcount"
)

// A LimitHandler is the layers of requests and starts in front of a handler, for any server and any router: what is in
// flight in all, of a client, of an identity and of a route, the rate of a client, and the least rates of bytes. It is
// to [New] what a part is to the whole: connections, their deadlines and HTTP/2 resets are the server's own business
// then, and that of [Listener].
//
// It is a supervisor. Put it into a tree, or start it by itself; before that, and when it has stopped, it answers 503.
type LimitHandler struct {
	cfg   *config
	sup   *headcount.Supervisor
	limit *limiter
	gates map[string]*headcount.Gate
}

// NewLimitHandler makes a LimitHandler of this name in front of next. Options that are about connections are errors,
// which the start tells.
func NewLimitHandler(name string, next http.Handler, opts ...Option) *LimitHandler {
	cfg := newConfig(kindHandler, "", opts)
	if next == nil {
		cfg.problem("next", nil, "is nil")
		next = http.NotFoundHandler()
	}
	b := newByteGates(cfg)
	h := &LimitHandler{cfg: cfg, limit: newLimiter(cfg, b, next)}
	h.gates = gatesOf(b, nil, h.limit)
	h.sup = headcount.NewSupervisor(name, headcount.SupervisorConfig{
		Gates: b.gates(), Check: cfg.err, Logger: cfg.logger,
	}, h.limit.requests)
	return h
}

// ServeHTTP lets the request in and runs the handler as a child, or refuses it.
func (h *LimitHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.limit.ServeHTTP(w, r) }

// ChildSpec makes it a child of a supervisor.
func (h *LimitHandler) ChildSpec() headcount.ChildSpec { return h.sup.ChildSpec() }

// Supervisor gives its own supervisor: to look at it.
func (h *LimitHandler) Supervisor() *headcount.Supervisor { return h.sup }

// Start starts it as a tree of its own. ctx bounds the start only.
func (h *LimitHandler) Start(ctx context.Context) error { return h.sup.Start(ctx) }

// Stop refuses requests from now on, ends the contexts of those in flight, and waits for them. Shut the server down
// before, for them to finish.
func (h *LimitHandler) Stop(ctx context.Context) error { return h.sup.Stop(ctx) }

// Requests gives the supervisor of the requests in flight.
func (h *LimitHandler) Requests() *headcount.KeyedSupervisor[Identity] { return h.limit.requests }

// Gate gives the gate of this name, as [Endpoint.Gate] does.
func (h *LimitHandler) Gate(name string) *headcount.Gate { return h.gates[name] }

// Settings lists every option as it is in force at the start.
func (h *LimitHandler) Settings() []Setting { return h.cfg.settings() }
