package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

// goodbyeWithin is how long a client has to answer our goodbye.
const goodbyeWithin = time.Second

// websocket echoes text messages. It is refused, like any session, before the upgrade.
func (s *Server) websocket(ctx context.Context, w http.ResponseWriter, r *http.Request, _ auth.Claims) error {
	s.Counts.WS.Enter()
	defer s.Counts.WS.Leave()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(int64(s.Limits.Text))

	// The connection outlives ctx by the time of a goodbye: the websocket cuts a connection whose context has ended.
	connected, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	watched, unwatch := context.WithCancel(ctx)
	defer unwatch()
	// Pings need somebody who reads, so they have a goroutine of their own. It belongs to this child.
	if err := headcount.Go(ctx, func(context.Context) error {
		s.watch(ctx, watched, conn, cut)
		return nil
	}); err != nil {
		return nil // stopping already
	}
	for {
		kind, message, err := conn.Read(connected)
		if err != nil {
			return nil // gone, or not worth listening to any more
		}
		if kind != websocket.MessageText {
			_ = conn.Close(websocket.StatusUnsupportedData, "text only")
			return nil
		}
		if err := s.echo(connected, conn, message); err != nil {
			return nil
		}
	}
}

func (s *Server) echo(ctx context.Context, conn *websocket.Conn, message []byte) error {
	if d := s.Limits.WriteWithin; d > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	if err := conn.Write(ctx, websocket.MessageText, message); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	return nil
}

// watch drops a client that does not answer a ping, and says goodbye when the session is over. It ends with watched, the
// context of the reader; session is why that may have ended.
func (s *Server) watch(session, watched context.Context, conn *websocket.Conn, cut func()) {
	tick := time.NewTicker(s.Limits.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-watched.Done():
			if session.Err() != nil {
				defer time.AfterFunc(goodbyeWithin, cut).Stop()
				_ = conn.Close(websocket.StatusGoingAway, "the session is over")
			}
			return
		case <-tick.C:
			ping, cancel := context.WithTimeout(watched, s.Limits.PingEvery)
			err := conn.Ping(ping)
			cancel()
			if err != nil && watched.Err() == nil {
				cut()
				return
			}
		}
	}
}
