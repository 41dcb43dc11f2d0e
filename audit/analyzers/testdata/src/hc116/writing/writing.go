// Package writing reads nothing.
package writing

import (
	"net/http"

	"github.com/gorilla/websocket"
)

func serve(u *websocket.Upgrader, w http.ResponseWriter, r *http.Request) {
	conn, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.WriteMessage(1, []byte("hello"))
}
