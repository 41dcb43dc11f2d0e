// Package limited sets a limit, or keeps the one that there is.
package limited

import (
	"context"
	"net/http"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"
)

var upgrader websocket.Upgrader

func serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	conn.SetReadLimit(4096)
	conn.ReadMessage()
}

func byDefault(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, nil)
	if err != nil {
		return
	}
	c.Read(ctx)
	c.SetReadLimit(1 << 20)
}
