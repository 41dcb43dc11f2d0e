package endpoint

import (
	"net/http"

	"github.com/headcount-go/headcount"
)

type Limits struct{ Conns, ConnsPerClient int }

type Endpoint struct{}

func New(name, addr string, h http.Handler, opts ...any) *Endpoint { return nil }
func (e *Endpoint) ChildSpec() headcount.ChildSpec                 { return headcount.ChildSpec{} }
func (e *Endpoint) Addrs() []string                                { return nil }
