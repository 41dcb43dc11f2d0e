// Package web is the HTTP side of myapp.
//
// Every request is a child while it is served: under requests if it is short, under its user if it stays (websocket,
// event stream, long poll). What comes from outside has a limit of size and of time before it is read.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
	"github.com/headcount-go/headcount/examples/myapp/internal/jobs"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
)

// Limits bounds what a client may send and how long it may take. All are required.
type Limits struct {
	Conns  int   // connections
	Header int   // bytes of a request's header
	Body   int64 // bytes of a request's body
	Text   int   // bytes of a message, also over a websocket

	HeaderWithin time.Duration // for a header to come in
	BodyWithin   time.Duration // for a body to come in
	WriteWithin  time.Duration // for the client to take an answer, or one event of a stream
	IdleWithin   time.Duration // between two requests of a connection
	PollWithin   time.Duration // longest wait of a long poll
	PingEvery    time.Duration // websockets and event streams; a websocket that does not answer until the next is dropped
	Drain        time.Duration // for requests in flight when the server stops
}

// Config is what a server needs. All fields are required but AddrFile, Chaos and Listening.
type Config struct {
	Addr      string
	AddrFile  string // where to write the address once it is known
	Limits    Limits
	Requests  *headcount.DynamicSupervisor
	Users     *users.Users
	Jobs      *jobs.Pool
	Store     *store.Store
	Signer    *auth.Signer
	Counts    *inside.Counts
	Class     func(proven bool) headcount.Class
	Chaos     bool // GET /debug/inside is there
	Log       *slog.Logger
	Listening func(net.Addr) // called once it listens
}

// Server serves HTTP while Run runs. It can be run again after its end.
type Server struct {
	Config
	conns conns
	ready atomic.Bool
}

// New returns a server.
func New(cfg Config) *Server {
	s := &Server{Config: cfg}
	s.conns.limit = int64(cfg.Limits.Conns)
	return s
}

// streamsKey is where a connection's context holds the context that long-lived requests end with.
type streamsKey struct{}

// Run listens, reports readiness and serves until ctx ends. Then it stops accepting, ends the streams, lets the requests
// in flight finish for the time of Limits.Drain, and closes what is left.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	streams, endStreams := context.WithCancel(context.Background())
	defer endStreams()
	srv := s.httpServer(context.WithValue(context.Background(), streamsKey{}, streams))
	srv.RegisterOnShutdown(endStreams) // called when nothing is accepted any more, so that no stream comes back

	serve := func(context.Context) error {
		if err := srv.Serve(&limitedListener{listener, &s.conns}); err != http.ErrServerClosed {
			return fmt.Errorf("web: %w", err)
		}
		return nil
	}
	if err := headcount.Go(ctx, serve); err != nil { // a failure there ends ctx
		return fmt.Errorf("web: %w", closeBoth(listener, err))
	}
	if err := s.announce(listener.Addr()); err != nil {
		return fmt.Errorf("web: %w", closeBoth(srv, err))
	}
	s.ready.Store(true)
	headcount.Ready(ctx)
	s.Log.Info("listening", "addr", listener.Addr().String())

	<-ctx.Done()
	s.ready.Store(false)
	drain, cancel := context.WithTimeout(context.Background(), s.Limits.Drain)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		s.Log.Warn("requests were cut off", "after", s.Limits.Drain)
		_ = srv.Close()
	}
	return nil
}

func closeBoth(c interface{ Close() error }, err error) error {
	_ = c.Close()
	return err
}

func (s *Server) httpServer(base context.Context) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one connection is one request at a time, so the limit of connections is one of requests too
	return &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: s.Limits.HeaderWithin,
		IdleTimeout:       s.Limits.IdleWithin,
		// Answers set their own deadline when they begin. This one is for what the server itself answers. There is no
		// ReadTimeout: it would end streams, which read nothing; bodies have a deadline of their own.
		WriteTimeout:   s.Limits.WriteWithin,
		MaxHeaderBytes: s.Limits.Header,
		Protocols:      protocols,
		BaseContext:    func(net.Listener) context.Context { return base },
		ErrorLog:       slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
}

// announce tells the address, which is not known before if the port was 0. The file appears with all of its content, so
// that whoever waits for it never reads half of it.
func (s *Server) announce(addr net.Addr) error {
	if s.Listening != nil {
		s.Listening(addr)
	}
	if s.AddrFile == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(s.AddrFile), ".addr-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = fmt.Fprintln(f, addr)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), s.AddrFile)
}
