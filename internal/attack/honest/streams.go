package honest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Each crowd keeps so many websockets and event streams open. They are opened once: one that is lost stays lost.
const (
	keptWebsockets   = 2
	keptEventStreams = 2
	echoEvery        = 250 * time.Millisecond
)

type streams struct {
	leaving atomic.Bool

	mu    sync.Mutex
	drops []string // guarded by mu
}

// Dropped returns why streams were lost, one text for each.
func (c *Crowd) Dropped() []string {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	return append([]string(nil), c.streams.drops...)
}

func (c *Crowd) drop(what string, err error) {
	if c.streams.leaving.Load() {
		return
	}
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	c.streams.drops = append(c.streams.drops, what+": "+kindOf(err))
}

func (c *Crowd) openStreams(ctx context.Context) error {
	for i := range keptWebsockets {
		if err := c.keepWebsocket(ctx, c.users[i%len(c.users)]); err != nil {
			return fmt.Errorf("open a websocket: %w", err)
		}
	}
	for i := range keptEventStreams {
		if err := c.keepEvents(ctx, c.users[(keptWebsockets+i)%len(c.users)]); err != nil {
			return fmt.Errorf("open an event stream: %w", err)
		}
	}
	return nil
}

// keepWebsocket opens a websocket and has a message echoed on it now and then.
func (c *Crowd) keepWebsocket(ctx context.Context, u *user) error {
	transport := c.transport(u, false)
	ws, _, err := websocket.Dial(ctx, c.url("ws")+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
		HTTPHeader: http.Header{"Authorization": {"Bearer " + c.cfg.Token(u.name)}},
	})
	if err != nil {
		return err
	}
	c.running.Go(func() {
		defer transport.CloseIdleConnections()
		defer ws.CloseNow()
		for i := 0; ; i++ {
			if err := c.echo(ctx, ws, fmt.Sprint("still here ", i)); err != nil {
				c.drop("websocket", err)
				return
			}
			if !waitUntil(ctx, time.Now().Add(echoEvery)) {
				return
			}
		}
	})
	return nil
}

func (c *Crowd) echo(ctx context.Context, ws *websocket.Conn, text string) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	if err := ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	_, got, err := ws.Read(ctx)
	if err == nil && string(got) != text {
		return errWrong
	}
	return err
}

// keepEvents opens an event stream, which must not fall silent.
func (c *Crowd) keepEvents(ctx context.Context, u *user) error {
	ctx, cancel := context.WithCancelCause(ctx)
	transport := c.transport(u, c.cfg.TLS != nil)
	resp, err := c.get(ctx, transport, u, "/events")
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		err = statusError(resp.StatusCode)
	}
	if err != nil {
		cancel(nil)
		transport.CloseIdleConnections()
		return err
	}
	c.running.Go(func() {
		defer transport.CloseIdleConnections()
		defer cancel(nil)
		defer resp.Body.Close()
		silence := time.AfterFunc(c.cfg.Patience, func() { cancel(context.DeadlineExceeded) })
		defer silence.Stop()
		in := bufio.NewReader(resp.Body)
		for {
			if _, err := in.ReadString('\n'); err != nil {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF // an event stream has no end
				}
				c.drop("event stream", err)
				return
			}
			silence.Reset(c.cfg.Patience)
		}
	})
	return nil
}
