package attack

import "net/netip"

var floods = []Attack{
	{
		Name:  "conn-flood-one",
		About: "connections from one address that say nothing",
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 1},
		begin: func(c *campaign) { c.holdSilently(func(int) netip.Addr { return oneAddress }) },
	},
	{
		Name:  "conn-flood-many",
		About: "connections that say nothing, each from a network of its own",
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 1000},
		begin: func(c *campaign) { c.holdSilently(c.source) },
	},
	{
		Name:  "idle-hoard",
		About: "keep-alive connections that are kept after one good request",
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 100},
		begin: hoard,
	},
	{
		Name:  "stalled-tls",
		About: "TLS handshakes that stop after their first bytes",
		Needs: Needs{TLS: true},
		Usual: Budget{Conns: 1000, BytesPerSecond: 500_000, Identities: 100},
		begin: stallHandshakes,
	},
}

// source returns the address that a worker comes from, one of as many as the budget has identities.
func (c *campaign) source(worker int) netip.Addr { return sourceOf(worker % c.budget.Identities) }

func (c *campaign) holdSilently(from func(worker int) netip.Addr) {
	c.everyConn(func(worker int) {
		conn, err := c.dial(from(worker))
		if err != nil {
			return
		}
		defer conn.Close()
		c.tally.sent.Add(1)
		c.hold(conn)
	})
}

func hoard(c *campaign) {
	c.everyConn(func(worker int) {
		conn, err := c.open(c.source(worker))
		if err != nil {
			return
		}
		defer conn.Close()
		if _, ok := c.ask(conn, newLines(conn), "GET", "/hello", stranger(worker), ""); ok {
			c.hold(conn)
		}
	})
}

func stallHandshakes(c *campaign) {
	// A record of type handshake, 512 bytes long, that begins as a ClientHello does.
	start := []byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03}
	c.everyConn(func(worker int) {
		conn, err := c.dial(c.source(worker))
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := conn.Write(start); err != nil {
			return
		}
		c.tally.sent.Add(1)
		c.hold(conn)
	})
}
