package limited

import (
	"net"
	"net/http"

	"golang.org/x/net/netutil"
)

func serve(ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h}
	return srv.Serve(netutil.LimitListener(ln, 1000))
}
