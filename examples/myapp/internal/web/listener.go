package web

import (
	"net"
	"sync"
	"sync/atomic"
)

// conns is the exact limit of connections, over all lives of the server.
type conns struct {
	limit   int64
	open    atomic.Int64
	refused atomic.Uint64
}

// take is a compare-and-swap: adding first and looking afterwards would be above the limit for a moment, and refuse
// somebody else in that moment.
func (c *conns) take() bool {
	for {
		n := c.open.Load()
		if n >= c.limit {
			c.refused.Add(1)
			return false
		}
		if c.open.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// limitedListener accepts at the limit too, and closes at once: whoever is left hanging in the kernel's queue does not
// know that the service is full, and holds a descriptor of ours as well.
type limitedListener struct {
	net.Listener
	conns *conns
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.conns.take() {
			return &limitedConn{Conn: c, conns: l.conns}, nil
		}
		_ = c.Close()
	}
}

// limitedConn frees its place when it is closed, once.
type limitedConn struct {
	net.Conn
	conns *conns
	once  sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close() // first: the place is free when the descriptor is
	c.once.Do(func() { c.conns.open.Add(-1) })
	return err
}

// CloseWrite lets the server say goodbye to a client that still sends; without it the client could lose the answer.
func (c *limitedConn) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}
