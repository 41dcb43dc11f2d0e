package websocket

import (
	"io"
	"net/http"
)

type Conn struct{}

func (c *Conn) SetReadLimit(limit int64)                     {}
func (c *Conn) ReadMessage() (int, []byte, error)            { return 0, nil, nil }
func (c *Conn) ReadJSON(v any) error                         { return nil }
func (c *Conn) WriteMessage(messageType int, b []byte) error { return nil }
func (c *Conn) Close() error                                 { return nil }

func (c *Conn) NextReader() (int, io.Reader, error) { return 0, nil, nil }

type Upgrader struct{ ReadBufferSize int }

func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request, h http.Header) (*Conn, error) {
	return nil, nil
}
