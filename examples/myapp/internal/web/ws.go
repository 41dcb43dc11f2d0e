package web

import (
	"context"
	"net/http"

	"github.com/headcount-go/headcount/endpoint/websocket"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

// websocket echoes text messages. It is refused, like any session, before the upgrade.
func (s *Server) websocket(ctx context.Context, w http.ResponseWriter, r *http.Request, _ auth.Claims) error {
	s.Counts.WS.Enter()
	defer s.Counts.WS.Leave()
	err := websocket.Serve(w, r.WithContext(ctx), s.Limits.Websocket, func(ctx context.Context, c *websocket.Conn) error {
		for {
			kind, message, err := c.Read()
			switch {
			case err != nil:
				return err
			case kind != websocket.MessageText:
				c.Close(websocket.StatusUnsupportedData, "text only")
				return nil
			}
			// While there is no room for the answer nothing more is read.
			if err := c.SendWait(ctx, kind, message); err != nil {
				return err
			}
		}
	})
	if err != nil {
		s.Log.Debug("websocket", "ended", err) // the peer has been told, by an answer or by a status
	}
	return nil
}
