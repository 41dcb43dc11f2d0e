// Package endpoint stands for the library's.
package endpoint

import (
	"net"
	"net/http"
)

type (
	Endpoint struct{}
	Listener struct{ net.Listener }
	Option   any
	Limits   struct{ Conns, ConnsPerClient int }
)

func New(name, addr string, h http.Handler, opts ...Option) *Endpoint       { return nil }
func NewListener(name string, inner net.Listener, opts ...Option) *Listener { return nil }
