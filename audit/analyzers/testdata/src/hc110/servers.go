// Package hc110 makes servers in the ways that programs do.
package hc110

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"example.org/run"
	"golang.org/x/net/http2"
)

func direct(h http.Handler) error {
	return (&http.Server{Addr: ":8080", Handler: h}).ListenAndServe() // want `neither ReadHeaderTimeout nor ReadTimeout: .* \(HC110\)`
}

func variable(h http.Handler) error {
	srv := &http.Server{ // want `HC110`
		Addr:         ":8080",
		Handler:      h,
		WriteTimeout: time.Second,
		IdleTimeout:  time.Minute,
	}
	return srv.ListenAndServe()
}

func zeroIsNone(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadTimeout: 0} // want `HC110`
	return srv.ListenAndServe()
}

func negativeHeaderWinsOverRead(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", ReadHeaderTimeout: -1, ReadTimeout: time.Second} // want `HC110`
	return srv.ListenAndServe()
}

func made(h http.Handler) error {
	srv := new(http.Server) // want `HC110`
	srv.Handler = h
	return srv.ListenAndServe()
}

func declared(h http.Handler) error {
	var srv http.Server // want `HC110`
	srv.Handler = h
	return srv.ListenAndServe()
}

func twoServersOneSet(h http.Handler) {
	a := &http.Server{Addr: ":1"}
	b := &http.Server{Addr: ":2"} // want `HC110`
	a.ReadHeaderTimeout = time.Second
	go a.ListenAndServe()
	go b.ListenAndServe()
}

func http2OnTop(h http.Handler) error {
	srv := &http.Server{Addr: ":8443", Handler: h, TLSConfig: &tls.Config{}} // want `HC110`
	if err := http2.ConfigureServer(srv, nil); err != nil {
		return err
	}
	return srv.ListenAndServeTLS("", "")
}

// Server has a field that its users can set.
type Server struct{ HTTP *http.Server }

func (s *Server) Run() error { return s.HTTP.ListenAndServe() }

func NewOpen(h http.Handler) *Server {
	return &Server{HTTP: &http.Server{Handler: h}} // want `HC110\) medium`
}

type api struct {
	server *http.Server
	debug  http.Server // want `HC110`
}

func newAPI(h http.Handler) *api {
	return &api{server: &http.Server{Addr: ":8080", Handler: h}} // want `HC110`
}

func (a *api) run() error {
	go a.debug.ListenAndServe()
	return a.server.ListenAndServe()
}

func someoneElseRuns(done chan struct{}, h http.Handler) error {
	return run.Until(done, &http.Server{Addr: ":8080", Handler: h}) // want `HC110\) medium`
}

func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h} // want `HC110\) medium`
}

func newLocal(h http.Handler) *http.Server {
	return &http.Server{Handler: h} // want `HC110\) high`
}

// From here on nothing is to be found.

func header(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadHeaderTimeout: 5 * time.Second}
	return srv.ListenAndServe()
}

func whole(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadTimeout: 5 * time.Second}
	return srv.ListenAndServe()
}

type config struct{ ReadHeader time.Duration }

func configured(c config, h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadHeaderTimeout: c.ReadHeader}
	return srv.ListenAndServe()
}

func fieldByField(h http.Handler) error {
	srv := &http.Server{}
	srv.Addr = ":8080"
	srv.Handler = h
	srv.ReadTimeout = time.Minute
	return srv.ListenAndServe()
}

type embedding struct{ http.Server }

func newEmbedding() *embedding {
	e := &embedding{Server: http.Server{Addr: ":8080", ReadTimeout: time.Second}}
	return e
}

func (e *embedding) run() error { return e.ListenAndServe() }

type keeping struct{ srv *http.Server }

func (k *keeping) start(ln net.Listener, h http.Handler) {
	k.srv = &http.Server{Handler: h}
	k.srv.ReadHeaderTimeout = time.Second
	go k.srv.Serve(ln)
}

func serveAnother(s *http.Server) error { return s.ListenAndServe() }

func neverServes() *http2.ServeConnOpts {
	probe := &http.Server{Addr: ":1"}
	_ = probe.Addr
	return &http2.ServeConnOpts{BaseConfig: &http.Server{MaxHeaderBytes: 1 << 10}}
}
