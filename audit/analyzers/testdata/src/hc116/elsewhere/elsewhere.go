// Package elsewhere has another package set the limit.
package elsewhere

import (
	"net/http"

	"github.com/gorilla/websocket"
	"hc116/pump"
)

func serve(u *websocket.Upgrader, w http.ResponseWriter, r *http.Request) {
	conn, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	pump.Limit(conn)
	conn.ReadMessage()
}
