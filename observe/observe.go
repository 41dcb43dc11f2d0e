package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
)

// A Handler is the page and the API of a tree, an [http.Handler] to be mounted under any prefix with [http.StripPrefix]:
//
//	mux.Handle("/observe/", http.StripPrefix("/observe", handler))
//
// The mux redirects /observe to /observe/, which the links of the page need.
//
// It is a supervisor, and a child wherever one can be; until it is started it answers with 503:
//
//	page
//	├── watch       looks at the tree once in a second
//	├── viewers     those who follow the stream of events, and their limit
//	├── requests    all other requests, and their limit
//	└── http        the endpoint, if it has an address of its own
//
// All methods may be called from many goroutines.
type Handler struct {
	cfg      *config
	root     headcount.Node
	sup      *headcount.Supervisor
	viewers  *headcount.DynamicSupervisor
	requests *headcount.DynamicSupervisor
	endpoint *endpoint.Endpoint // nil for one that is mounted
	watch    *watcher
	audit    *auditLog
	mux      *http.ServeMux
	origin   *http.CrossOriginProtection
	changing sync.Mutex // held while a limit is changed
}

// The limits of the handler's own.
const (
	defaultViewers = 16
	maxRequests    = 32
	maxBody        = 16 << 10
)

// New makes a page of this name for the tree below root, served at addr, which is host:port or unix:path. Nothing is bound
// until it is started, as a child or by the Start of its Supervisor. What is wrong with the options is told then, or by
// [headcount.Check], before anything listens.
func New(name, addr string, root headcount.Node, opts ...Option) *Handler {
	return newHandler(name, &addr, root, opts)
}

// NewHandler makes a page of this name for the tree below root, to be mounted in another server. With [AllowChanges] it
// needs authentication, since it cannot know who reaches that server.
func NewHandler(name string, root headcount.Node, opts ...Option) *Handler {
	return newHandler(name, nil, root, opts)
}

func newHandler(name string, addr *string, root headcount.Node, opts []Option) *Handler {
	cfg := newConfig(addr, root, opts)
	h := &Handler{
		cfg: cfg, root: root, audit: newAuditLog(), mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(),
		viewers:  headcount.NewDynamicSupervisor("viewers", headcount.MaxChildren(cfg.viewers)),
		requests: headcount.NewDynamicSupervisor("requests", headcount.MaxChildren(maxRequests), headcount.Wait(maxRequests, time.Second)),
	}
	h.watch = newWatcher(root, h.audit, func() bool { return h.viewers.Counts().Running > 0 })
	h.route()
	children := []headcount.Specifier{
		headcount.ChildSpec{Name: "watch", Run: h.watch.run, AwaitReady: true}, h.viewers, h.requests,
	}
	if addr != nil {
		o := []endpoint.Option{
			endpoint.Limits{
				Conns: 128, ConnsPerClient: 64, ConnsPerPrefix: 128, Descriptors: 1,
				Requests: 128, RequestsPerClient: 64, RequestsPerKey: 64, Waiting: 32,
			},
			endpoint.Sizes{Body: maxBody},
			endpoint.Timeouts{Finish: time.Second, End: time.Second, Close: time.Second},
			endpoint.Logger(cfg.logger),
		}
		if cfg.tls != nil {
			o = append(o, endpoint.TLS(cfg.tls))
		}
		h.endpoint = endpoint.New("http", *addr, h, o...)
		children = append(children, h.endpoint)
	}
	h.sup = headcount.NewSupervisor(name, headcount.SupervisorConfig{Check: cfg.err, Logger: cfg.logger}, children...)
	return h
}

// ChildSpec makes the page a child of a supervisor.
func (h *Handler) ChildSpec() headcount.ChildSpec { return h.sup.ChildSpec() }

// Supervisor gives the page's own supervisor: to start it without a tree above, and to look at it.
func (h *Handler) Supervisor() *headcount.Supervisor { return h.sup }

// Addrs gives the addresses that the page is served at; none before its first start, or without an address of its own.
func (h *Handler) Addrs() []net.Addr {
	if h.endpoint == nil {
		return nil
	}
	return h.endpoint.Addrs()
}

// The policy lets the page load its own files and nothing else, and no code that stands in the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP answers a request to the page or the API.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	if h.cfg.err() != nil {
		problem{Status: http.StatusServiceUnavailable, Code: "misconfigured", Detail: "the page has a configuration that is invalid; its start tells what is wrong"}.write(w)
		return
	}
	if p := h.cfg.misdirected(r); p != nil {
		p.write(w)
		return
	}
	who, p := h.cfg.identify(r)
	if p != nil {
		if len(h.cfg.tokens) > 0 { // so that a browser asks for a password
			head.Set("WWW-Authenticate", `Basic realm="headcount", charset="UTF-8"`)
			head.Add("WWW-Authenticate", `Bearer realm="headcount"`)
		}
		p.write(w)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := h.origin.Check(r); err != nil {
			problem{Status: http.StatusForbidden, Code: "cross-origin", Detail: "the request comes from another origin"}.write(w)
			return
		}
	}
	place := h.requests
	if isStream(r) {
		place = h.viewers
	}
	wrote := &writeMark{ResponseWriter: w}
	err := place.Do(r.Context(), func(ctx context.Context) error {
		r := r.WithContext(withVisitor(ctx, who))
		r.Body = http.MaxBytesReader(wrote, r.Body, maxBody)
		h.mux.ServeHTTP(wrote, r)
		return nil
	})
	if err == nil || wrote.begun || r.Context().Err() != nil {
		return
	}
	refusal := (*headcount.Refusal)(nil)
	panicked := (*headcount.PanicError)(nil)
	switch {
	case errors.As(err, &refusal):
		head.Set("Retry-After", "5")
		problem{
			Status: http.StatusServiceUnavailable, Code: "busy",
			Detail: fmt.Sprintf("%s of %s are at their limit of %d", refusal.Word(), place.Name(), refusal.Limit),
		}.write(w)
	case errors.As(err, &panicked):
		problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "the handler failed; the log has the reason"}.write(w)
	default:
		problem{Status: http.StatusServiceUnavailable, Code: "not-running", Detail: "the page does not run: " + place.Path() + " is not started"}.write(w)
	}
}

// A writeMark notes whether an answer has begun.
type writeMark struct {
	http.ResponseWriter
	begun bool
}

func (w *writeMark) WriteHeader(code int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(code)
}

func (w *writeMark) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (w *writeMark) Unwrap() http.ResponseWriter { return w.ResponseWriter }
