package target

import (
	"net"
	"net/http"

	"golang.org/x/net/netutil"
)

var limitListener = Kind{
	Name:  "LimitListener",
	About: "the same behind `netutil.LimitListener` of golang.org/x/net",
	Serve: func(l net.Listener, o Options, h http.Handler) error {
		return servePlain(netutil.LimitListener(l, Wanted.Conns), o, h)
	},
}
