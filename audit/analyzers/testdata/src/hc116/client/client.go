// Package client reads what the server that it chose sends.
package client

import (
	"context"

	"github.com/coder/websocket"
)

func follow(ctx context.Context, url string) error {
	c, err := websocket.Dial(ctx, url)
	if err != nil {
		return err
	}
	c.SetReadLimit(-1) // want `HC116\) low internal`
	_, _, err = c.Read(ctx)
	return err
}
