package attack

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// campaign is one attack under way. Whatever it starts ends with ctx: connections are closed then, so that a blocked
// read or write returns.
type campaign struct {
	ctx    context.Context
	target Target
	addr   netip.AddrPort
	budget Budget

	pace    pace
	places  chan struct{} // one for each open connection
	workers sync.WaitGroup
	tally   tally
}

func newCampaign(ctx context.Context, target Target, addr netip.AddrPort, b Budget) *campaign {
	return &campaign{
		ctx:    ctx,
		target: target,
		addr:   addr,
		budget: b,
		pace:   pace{perSecond: b.BytesPerSecond},
		places: make(chan struct{}, b.Conns),
		tally:  tally{began: time.Now()},
	}
}

// respite is how long a worker rests between two goes: without it a target that refuses at once would be attacked by
// what the attacker's processor can do and not by the budget.
const respite = 5 * time.Millisecond

// crew starts n workers. Each calls work again and again until the attack is over.
func (c *campaign) crew(n int, work func(worker int)) {
	for i := range n {
		c.workers.Go(func() {
			for c.ctx.Err() == nil {
				work(i)
				_ = sleep(c.ctx, respite) // the loop looks at ctx
			}
		})
	}
}

// everyConn starts as many workers as the budget has connections; each uses one at a time.
func (c *campaign) everyConn(work func(worker int)) { c.crew(c.budget.Conns, work) }

// openCost is what a connection is charged against the bytes of the budget: about what its four segments take.
const openCost = 240

// dial opens a connection from an address.
func (c *campaign) dial(from netip.Addr) (*conn, error) {
	return c.dialWith(net.Dialer{}, from)
}

// dialNarrow opens a connection that takes in little of what is not read from it. Its window has to be small from the
// first segment on: made small later, the kernel would throw away what has come and have it sent again and again.
func (c *campaign) dialNarrow(from netip.Addr) (*conn, error) {
	return c.dialWith(net.Dialer{Control: smallWindow}, from)
}

func (c *campaign) dialWith(d net.Dialer, from netip.Addr) (*conn, error) {
	select {
	case c.places <- struct{}{}:
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
	raw, err := c.connect(d, from)
	if err != nil {
		<-c.places
		if c.ctx.Err() == nil {
			c.tally.openFailed.Add(1)
		}
		return nil, err
	}
	c.tally.connOpens()
	conn := &conn{Conn: raw, c: c}
	conn.mu.Lock() // the function may be called before its stop is known
	defer conn.mu.Unlock()
	conn.unhook = context.AfterFunc(c.ctx, func() { conn.Close() })
	return conn, nil
}

func (c *campaign) connect(d net.Dialer, from netip.Addr) (net.Conn, error) {
	if err := c.pace.spend(c.ctx, openCost); err != nil {
		return nil, err
	}
	d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	d.KeepAlive = -1
	return d.DialContext(c.ctx, "tcp", c.addr.String())
}

// open opens a connection that HTTP/1 can be spoken on.
func (c *campaign) open(from netip.Addr) (net.Conn, error) {
	raw, err := c.dial(from)
	if err != nil || c.target.TLS == nil {
		return raw, err
	}
	return c.handshake(raw, "http/1.1")
}

func (c *campaign) handshake(raw *conn, protocol string) (net.Conn, error) {
	cfg := c.target.TLS.Clone()
	cfg.NextProtos = []string{protocol}
	secure := tls.Client(raw, cfg)
	if err := secure.HandshakeContext(c.ctx); err != nil {
		if c.ctx.Err() == nil {
			c.tally.openFailed.Add(1)
		}
		raw.Close()
		return nil, err
	}
	return secure, nil
}

// hold reads from conn until the target closes it or the attack is over.
func (c *campaign) hold(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn) // how it ended is all the same; conn has counted it
}

// heed reads from conn beside whatever else is done with it, and closes it as soon as the target has: a slow sender
// would else notice only much later. onClose may be nil.
func (c *campaign) heed(conn net.Conn, onRead func([]byte)) {
	c.workers.Go(func() {
		defer conn.Close()
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if n > 0 && onRead != nil {
				onRead(buf[:n])
			}
			if err != nil {
				return
			}
		}
	})
}

// conn is a connection within the budget: it takes a place while it is open, and what is written to it is paced.
type conn struct {
	net.Conn
	c *campaign

	lost   sync.Once // when the target has closed it
	closed atomic.Bool

	mu     sync.Mutex
	unhook func() bool // guarded by mu
}

func (k *conn) Read(p []byte) (int, error) {
	n, err := k.Conn.Read(p)
	if err != nil && k.c.ctx.Err() == nil && !k.closed.Load() {
		k.lost.Do(func() { k.c.tally.closed.Add(1) })
	}
	return n, err
}

func (k *conn) Write(p []byte) (int, error) {
	done := 0
	for {
		piece := p[done:min(len(p), done+pieces)]
		if err := k.c.pace.spend(k.c.ctx, len(piece)); err != nil {
			return done, err
		}
		n, err := k.Conn.Write(piece)
		done += n
		k.c.tally.written.Add(int64(n))
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

func (k *conn) Close() error {
	if !k.closed.CompareAndSwap(false, true) {
		return nil
	}
	k.mu.Lock()
	k.unhook()
	k.mu.Unlock()
	k.c.tally.open.Add(-1)
	err := k.Conn.Close()
	<-k.c.places
	return err
}
