package websocket

import (
	"context"
	"net/http"
)

type AcceptOptions struct{}

type Conn struct{}

func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) { return nil, nil }

func (c *Conn) SetReadLimit(n int64)                          {}
func (c *Conn) Read(ctx context.Context) (int, []byte, error) { return 0, nil, nil }

func Dial(ctx context.Context, url string) (*Conn, error) { return nil, nil }
