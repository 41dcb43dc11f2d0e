package honest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// openAndEcho opens a websocket, sends one text, expects it back and closes in order.
func (c *Crowd) openAndEcho(ctx context.Context, u *user, text string) error {
	conn, err := c.dial(ctx, u)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	_, got, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	if string(got) != text {
		return wrongAnswer
	}
	// The close handshake is a courtesy; the user has had the answer.
	conn.Close(websocket.StatusNormalClosure, "")
	return nil
}

// dial opens a websocket on a connection of its own. A refusal comes as *api.StatusError.
func (c *Crowd) dial(ctx context.Context, u *user) (*websocket.Conn, error) {
	conn, resp, err := websocket.Dial(ctx, "ws://"+c.addr+"/ws", &websocket.DialOptions{
		HTTPClient: u.dialer,
		HTTPHeader: http.Header{"Authorization": {"Bearer " + u.token}},
	})
	if err == nil {
		return conn, nil
	}
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return nil, api.NewStatusError(resp, answer)
	}
	return nil, err
}

// jobUntilDone hands in a small job and asks about it until it is done.
func (c *Crowd) jobUntilDone(ctx context.Context, u *user, name string) error {
	id, err := u.api.PostJob(ctx, u.token, api.Job{Kind: "hash", Data: []byte(name)})
	if err != nil {
		return err
	}
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		state, err := u.api.JobState(ctx, u.token, id)
		switch {
		case err != nil:
			return err
		case state == "done":
			return nil
		case state == "failed":
			return jobFailed
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// mailToOneself sends a message to the user's own queue and polls until it arrives.
func (c *Crowd) mailToOneself(ctx context.Context, u *user, text string) error {
	select {
	case u.mailbox <- struct{}{}:
		defer func() { <-u.mailbox }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := u.api.PostMessage(ctx, u.token, u.name, text); err != nil {
		return err
	}
	// The name in quotes, so that message 1 is not found in message 11.
	quoted, err := json.Marshal(text)
	if err != nil {
		return err
	}
	for {
		deadline, _ := ctx.Deadline()
		messages, err := u.api.Poll(ctx, u.token, time.Until(deadline))
		if err != nil {
			return err
		}
		// Messages that an earlier, failed attempt left in the queue come first and are thrown away.
		for _, m := range messages {
			if bytes.Contains(m, quoted) {
				return nil
			}
		}
	}
}
