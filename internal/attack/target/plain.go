package target

import (
	"net"
	"net/http"
)

var plain = Kind{
	Name:  "net/http",
	About: "`http.Server` with its default settings",
	Serve: servePlain,
}

func servePlain(l net.Listener, o Options, h http.Handler) error {
	s := &http.Server{Handler: h, TLSConfig: o.TLS} //headcount:ignore HC110 what it is without limits is what the attacks measure
	if o.TLS != nil {
		return s.ServeTLS(l, "", "") // the certificate is in TLSConfig
	}
	return s.Serve(l)
}
