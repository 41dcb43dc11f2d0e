// Package open reads messages of any size.
package open

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"
	netws "golang.org/x/net/websocket"
)

var upgrader = websocket.Upgrader{ReadBufferSize: 1024}

func serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil) // want `no read limit is set on this websocket.* high external`
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetReadLimit(0) // want `a read limit of 0 is none.* high external`
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func inPieces(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	for {
		_, piece, err := conn.NextReader()
		if err != nil {
			return
		}
		io.Copy(io.Discard, piece)
	}
}

func disabled(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, nil)
	if err != nil {
		return
	}
	c.SetReadLimit(-1)            // want `a read limit of -1 is none`
	c.SetReadLimit(math.MaxInt64) // want `a read limit of 9223372036854775807 bytes limits nothing.* medium`
	c.Read(ctx)
}

func small(conn net.Conn) {
	wsutil.ReadClientData(conn) // want `wsutil.ReadClientData takes frames of any size .* medium`
	wsutil.ReadServerData(conn) // of a server that this program chose
}

func large(ws *netws.Conn) {
	ws.MaxPayloadBytes = 4 << 30 // want `limits nothing`
	ws.MaxPayloadBytes = 1 << 20
}
