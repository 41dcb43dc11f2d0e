// Package web is the HTTP side of myapp: who asks, what is answered, and how.
//
// That nobody holds it, floods it or outlasts it is the business of the endpoint in front: each request that gets here
// is a child of the endpoint's already. One that stays (websocket, event stream, long poll) becomes a child of its user's
// too, for as long as it does.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
	"github.com/headcount-go/headcount/endpoint/websocket"
	"github.com/headcount-go/headcount/examples/myapp/internal/addrfile"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
	"github.com/headcount-go/headcount/examples/myapp/internal/jobs"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
)

// Limits bounds what the endpoint does not know of. All are required.
type Limits struct {
	Body int64 // bytes of a request's body
	Text int   // bytes of a message

	Websocket websocket.Config

	WriteWithin time.Duration // for the client to take an answer, or one event of a stream; zero is no bound
	PollWithin  time.Duration // longest wait of a long poll
	PingEvery   time.Duration // between two signs of life on an event stream
}

// Config is what a server needs. All fields are required but HealthAddr, AddrFile, Chaos and Listening.
type Config struct {
	Addr       string
	Options    []endpoint.Option // limits, rates, times, proxies
	Rooms      Rooms             // requests in flight, by what they are
	HealthAddr string            // where /healthz and /readyz are answered besides
	AddrFile   string            // where to write the address once it is known
	Limits     Limits
	Users      *users.Users
	Jobs       *jobs.Pool
	Store      *store.Store
	Signer     *auth.Signer
	Counts     *inside.Counts
	Class      func(proven bool) headcount.Class
	Chaos      bool // GET /debug/inside is there
	Log        *slog.Logger
	Listening  func(net.Addr) // called once it listens
}

// Rooms are the limits of the requests in flight, by what they are. Who asks whether the service lives is in none of
// them, so that an endpoint with room for all of them and some more answers that above all when it is full.
type Rooms struct {
	Short     int // of signed-in users, soon over
	Stay      int // websockets, event streams, long polls
	Strangers int // of who has not signed in, for as long as it takes to say so
}

// Server is the web part of the tree.
type Server struct {
	Config
	Endpoint *endpoint.Endpoint
	Health   *endpoint.Endpoint // nil without HealthAddr
	ready    atomic.Bool
}

// New returns a server, of which nothing runs yet.
func New(cfg Config) *Server {
	s := &Server{Config: cfg}
	opts := append([]endpoint.Option{
		endpoint.KeyFunc(s.user),
		endpoint.PriorityFunc(s.class),
		endpoint.Route(shortRoute, cfg.Rooms.Short),
		endpoint.Route(stayRoute, cfg.Rooms.Stay),
		endpoint.Route(strangersRoute, cfg.Rooms.Strangers),
		endpoint.RouteFunc(s.route),
	}, cfg.Options...)
	s.Endpoint = endpoint.New("web", cfg.Addr, s.routes(), opts...)
	if cfg.HealthAddr != "" {
		// Who asks here is the machine that runs us, so the limits are small, and of nobody in particular.
		const most = 64
		s.Health = endpoint.New("health", cfg.HealthAddr, s.healthRoutes(), endpoint.Logger(cfg.Log),
			endpoint.Timeouts{Finish: 200 * time.Millisecond, End: 50 * time.Millisecond, Close: 50 * time.Millisecond},
			endpoint.Limits{Conns: most, ConnsPerClient: most, ConnsPerPrefix: most, Requests: most, RequestsPerClient: most, RequestsPerKey: most})
	}
	return s
}

// user is whose a request is. Only who has signed in has a name here: else strangers could fill another's limit.
func (s *Server) user(r *http.Request) string {
	who, err := s.signIn(r)
	if err != nil {
		return ""
	}
	return who.User
}

// class is that of the user. It is said of nobody else: the endpoint remembers clients of a higher class, and keeps
// connections for them.
func (s *Server) class(r *http.Request) headcount.Class {
	who, err := s.signIn(r)
	return s.Class(err == nil && who.Proven)
}

const (
	shortRoute     = "short"
	stayRoute      = "stay"
	strangersRoute = "strangers"
)

// route says which room a request is in.
func (s *Server) route(r *http.Request) string {
	if isProbe(r.URL.Path) {
		return ""
	}
	if _, err := s.signIn(r); err != nil {
		return strangersRoute
	}
	switch r.URL.Path {
	case wsPath, eventsPath, pollPath:
		return stayRoute
	}
	return shortRoute
}

// Announce is the last child to start and the first to stop: it tells where the service listens and, while it runs, that
// it is ready.
func (s *Server) Announce(ctx context.Context) error {
	addr := s.Endpoint.Addrs()[0]
	if err := addrfile.Write(s.AddrFile, addr); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	if s.Listening != nil {
		s.Listening(addr)
	}
	s.ready.Store(true)
	defer s.ready.Store(false)
	headcount.Ready(ctx)
	<-ctx.Done()
	return nil
}
