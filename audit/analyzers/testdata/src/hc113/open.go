// Package hc113 takes any number of connections where it does not count them.
package hc113

import (
	"net"
	"net/http"
)

func serve(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h} // want `nothing limits how many connections .* \(HC113\)`
	return srv.ListenAndServe()
}

func counting(h http.Handler, count func(net.Conn, http.ConnState)) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ConnState: count}
	return srv.ListenAndServe()
}

func debug(h http.Handler) error {
	ln, err := net.Listen("tcp", "[::1]:6060")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h}
	return srv.Serve(ln)
}
