// Package handing gives its connections to somebody who may set a limit.
package handing

import (
	"net/http"

	"github.com/gorilla/websocket"
)

func serve(u *websocket.Upgrader, w http.ResponseWriter, r *http.Request, add func(*websocket.Conn)) {
	conn, err := u.Upgrade(w, r, nil) // want `no read limit .* medium external`
	if err != nil {
		return
	}
	add(conn)
}
