// Package configured sets what its servers need in one place.
package configured

import (
	"net"
	"net/http"
	"time"
)

func harden(s *http.Server) {
	s.ReadHeaderTimeout = 10 * time.Second
	s.IdleTimeout = time.Minute
}

func serve(ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h}
	harden(srv)
	return srv.Serve(ln)
}
