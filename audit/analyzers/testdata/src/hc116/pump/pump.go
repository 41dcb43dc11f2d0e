// Package pump sets the limit in the goroutine that reads, as the examples of gorilla do.
package pump

import (
	"net/http"

	"github.com/gorilla/websocket"
)

const maxMessage = 512

type client struct{ conn *websocket.Conn }

func (c *client) readPump() {
	c.conn.SetReadLimit(maxMessage)
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return
		}
	}
}

func serve(u *websocket.Upgrader, w http.ResponseWriter, r *http.Request) {
	conn, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &client{conn}
	go c.readPump()
}

func Limit(conn *websocket.Conn) { conn.SetReadLimit(maxMessage) }
