package attack

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
)

var requests = []Attack{
	{
		Name:  "forwarded-spoof",
		About: "requests that wait, from one address, each naming another client in X-Forwarded-For and Forwarded",
		Usual: Budget{Conns: 400, BytesPerSecond: 1_000_000, Identities: 1_000_000},
		begin: spoofForwarded,
	},
	{
		Name:  "proxy-malformed",
		About: "PROXY lines that are wrong, endless or cut off, from strangers and through the proxy",
		Needs: Needs{Proxy: true},
		Usual: Budget{Conns: 200, BytesPerSecond: 1_000_000, Identities: 50},
		begin: malformedProxyLines,
	},
	{
		Name:  "identities",
		About: "each request with a token that was never seen before, every fourth one waits",
		Usual: Budget{Conns: 300, BytesPerSecond: 1_000_000, Identities: 1_000_000},
		begin: inventIdentities,
	},
	{
		Name:  "malformed",
		About: "requests that are none: wrong lines, lengths, chunks, bytes",
		Usual: Budget{Conns: 200, BytesPerSecond: 500_000, Identities: 50},
		begin: malformedRequests,
	},
	{
		Name:  "crash-storm",
		About: "requests whose handler panics",
		Usual: Budget{Conns: 100, BytesPerSecond: 300_000, Identities: 100},
		begin: crash,
	},
}

// anyAddress returns a random address as text, one of at most as many as the budget has identities.
func (c *campaign) anyAddress() string {
	n := rand.IntN(c.budget.Identities)
	return netip.AddrFrom4([4]byte{byte(1 + n>>24&0x7f), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

func spoofForwarded(c *campaign) {
	c.everyConn(func(worker int) {
		conn, err := c.open(oneAddress)
		if err != nil {
			return
		}
		defer conn.Close()
		in := newLines(conn)
		for i := worker; c.ctx.Err() == nil; i++ {
			ip := c.anyAddress()
			lines := stranger(worker) +
				"X-Forwarded-For: " + ip + ", " + c.anyAddress() + "\r\n" +
				"Forwarded: for=" + ip + ";proto=https\r\nX-Real-IP: " + ip + "\r\n"
			path := "/hold"
			if i%4 == 0 {
				path = "/hello"
			}
			if _, ok := c.ask(conn, in, "GET", path, lines, ""); !ok {
				return
			}
			if sleep(c.ctx, respite) != nil {
				return
			}
		}
	})
}

func inventIdentities(c *campaign) {
	c.everyConn(func(worker int) {
		conn, err := c.open(sourceOf(worker % min(c.budget.Identities, 20)))
		if err != nil {
			return
		}
		defer conn.Close()
		in := newLines(conn)
		for i := worker; c.ctx.Err() == nil; i++ {
			token := fmt.Sprintf("Authorization: Bearer new-%08x\r\n", rand.IntN(c.budget.Identities))
			path := "/hello"
			if i%4 == 0 {
				path = "/hold"
			}
			if _, ok := c.ask(conn, in, "GET", path, token, ""); !ok {
				return
			}
			if sleep(c.ctx, respite) != nil {
				return
			}
		}
	})
}

// proxyLines are beginnings that no proxy sends. The last ones are cut off and wait for what never comes.
var proxyLines = []string{
	"PROXY TCP4 1.2.3.4 5.6.7.8 99999 80\r\n",
	"PROXY TCP4 1.2.3.4 1.2.3.4\r\n",
	"PROXY TCP6 1.2.3.4 ::1 1 1\r\n",
	"PROXY TCP4 256.1.1.1 1.1.1.1 1 1\r\n",
	"PROXY\r\n",
	"PROXY UNKNOWN " + strings.Repeat("x", 4000) + "\r\n",
	"PROXY TCP4 " + strings.Repeat("1", 60_000),
	proxyV2 + "\x21\x11\xff\xff" + strings.Repeat("\x00", 60_000),
	proxyV2 + "\x21\x11\x00\x00",
	proxyV2 + "\xf1\xff\x00\x0c" + strings.Repeat("\xff", 12),
	"PROXY TCP4 1.2.3.4 5.6.7.8 1 80\r\nPROXY TCP4 9.9.9.9 5.6.7.8 1 80\r\n",
	"PROXY TCP4 1.2.3.4",
	proxyV2,
	proxyV2 + "\x21\x11\x00\x0c\x01",
	"P",
}

// proxyV2 is the signature that version 2 of the PROXY protocol begins with.
const proxyV2 = "\r\n\r\n\x00\r\nQUIT\n"

func malformedProxyLines(c *campaign) {
	c.everyConn(func(worker int) {
		from := c.source(worker)
		if worker%c.budget.Identities%2 == 0 {
			from = ProxyAddress
		}
		conn, err := c.dial(from)
		if err != nil {
			return
		}
		c.heed(conn, c.countAnswers())
		defer conn.Close()
		line := proxyLines[rand.IntN(len(proxyLines))]
		if _, err := io.WriteString(conn, line); err != nil {
			return
		}
		c.tally.sent.Add(1)
		// Whoever takes the line for good gets a request to serve.
		if strings.HasSuffix(line, "\r\n") {
			if _, err := io.WriteString(conn, head("GET", "/hello", "Connection: close\r\n")+"\r\n"); err != nil {
				return
			}
		}
		for range 4 {
			if sleep(c.ctx, dribbleEvery) != nil || conn.closed.Load() {
				return
			}
		}
	})
}

// notRequests are beginnings that no client sends.
var notRequests = []string{
	"\x00\x01\x02\x03\x04\x05\x06\x07\r\n\r\n",
	"GET\r\n\r\n",
	"GET /hello HTTP/9.9\r\nHost: a\r\n\r\n",
	"GET /hello HTTP/1.1\r\n\r\n",
	"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	"GET /hello HTTP/1.1\r\nHost: a\r\n Folded: x\r\nBad Name: y\r\n\r\n",
	"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
	"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
	"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"POST /upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer new-1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
	"POST /upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer new-1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	"POST /upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer new-1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("e", 9000) + "\r\nx",
	"GET /" + strings.Repeat("../", 2000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /%zz%00 HTTP/1.1\r\nHost: a\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	"CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n\r\n",
	strings.Repeat("\r\n", 2000),
}

func malformedRequests(c *campaign) {
	c.everyConn(func(worker int) {
		conn, err := c.open(c.source(worker))
		if err != nil {
			return
		}
		c.heed(conn, c.countAnswers())
		defer conn.Close()
		if _, err := io.WriteString(conn, notRequests[rand.IntN(len(notRequests))]); err != nil {
			return
		}
		c.tally.sent.Add(1)
		_ = sleep(c.ctx, 4*dribbleEvery) // some are answered, some are waited for
	})
}

func crash(c *campaign) {
	c.everyConn(func(worker int) {
		conn, err := c.open(c.source(worker))
		if err != nil {
			return
		}
		defer conn.Close()
		in := newLines(conn)
		for c.ctx.Err() == nil {
			if _, ok := c.ask(conn, in, "GET", "/panic", stranger(worker), ""); !ok {
				return
			}
		}
	})
}
