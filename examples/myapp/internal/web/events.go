package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
)

// eventBatch is how many messages are written before the client must have taken them.
const eventBatch = 16

// events streams the user's messages (server-sent events). A message is sent once: what a broken connection swallows is
// lost.
func (s *Server) events(ctx context.Context, w http.ResponseWriter, _ *http.Request, who auth.Claims) error {
	box, err := s.Users.Mailbox(ctx, who.User, who.Proven)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies must pass on each event as it comes
	if s.writeEvents(w, ": hello\n\n") != nil {
		return nil // gone
	}
	for {
		beat, cancel := context.WithTimeout(ctx, s.Limits.PingEvery)
		messages, err := box.Take(beat, eventBatch)
		cancel()
		text := ""
		switch {
		case ctx.Err() != nil, errors.Is(err, users.ErrClosed):
			return nil
		case err != nil:
			text = ": still here\n\n" // also finds out that the client is not
		}
		for _, m := range messages {
			raw, err := json.Marshal(m)
			if err != nil {
				panic(err) // our own type
			}
			text += fmt.Sprintf("data: %s\n\n", raw)
		}
		if s.writeEvents(w, text) != nil {
			return nil
		}
	}
}

func (s *Server) writeEvents(w http.ResponseWriter, text string) error {
	s.writeWithin(w)
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
