package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A conn is one accepted connection, and what is told of it. It is held by its user, who closes it, and by each request
// that is on it; when all have let go, done is closed and its slot ends. HTTP/2 requests can outlive the connection they
// came on, and a hijacked one outlives its request: both keep the slot.
//
// Writes are held to a least rate. net/http sets deadlines of its own; the earlier one counts.
type conn struct {
	net.Conn          // what is read and written: raw, or TLS over it
	raw      net.Conn // as it was accepted
	bytes    *byteGates
	known    *knownTable
	client   netip.Addr // the key of the client; the zero value where there is none, as on a unix socket
	remote   net.Addr   // the client as a proxy told it, or nil
	tls      *tls.ConnectionState
	idle     time.Duration // bound of each read; zero leaves it to the user

	holders  atomic.Int64 // the user of the connection, and its requests; zero is the end
	closed   atomic.Bool
	done     chan struct{}
	requests atomic.Int64 // that have come
	begun    atomic.Int64 // that net/http has begun to read
	late     atomic.Bool  // a read was given up
	http2    atomic.Bool  // by its preface
	busy     atomic.Bool  // net/http reads a request on it, serves it, or writes its response

	in struct {
		sync.Mutex
		user   time.Time // the deadline set from outside
		byIdle time.Time // that of the read under way
	}
	out struct {
		sync.Mutex
		pace    pace
		user    time.Time // the deadline set from outside
		byPace  time.Time // that of the pace, which is in force while a write is under way
		writing bool
		tooSlow bool // told already
	}
}

func newConn(raw net.Conn, client netip.Addr, b *byteGates) *conn {
	c := &conn{Conn: raw, raw: raw, client: client, bytes: b, done: make(chan struct{})}
	c.out.pace = b.writePace()
	c.holders.Store(1)
	return c
}

// enter makes the caller a holder. It reports false when the end has come already.
func (c *conn) enter() bool {
	for {
		n := c.holders.Load()
		if n == 0 {
			return false
		}
		if c.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave ends what enter began.
func (c *conn) leave() {
	if c.holders.Add(-1) == 0 {
		close(c.done)
	}
}

// Close closes the connection. Its slot is free when its last request has returned too.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.closeBelow() // first: the slot is free when the descriptor is
	c.bytes.closing(c)
	c.leave()
	return err
}

// closeBelow closes without waiting for the peer: TLS says goodbye, and would wait 5 s for one that takes nothing.
func (c *conn) closeBelow() error {
	if c.tls == nil {
		return c.Conn.Close()
	}
	c.out.Lock()
	tooSlow := c.out.tooSlow
	c.out.Unlock()
	if tooSlow {
		return c.raw.Close()
	}
	defer time.AfterFunc(linger, func() { _ = c.raw.Close() }).Stop()
	return c.Conn.Close()
}

// awaitEnd returns when nobody holds the connection any more. If ctx ends first, the connection is closed.
func (c *conn) awaitEnd(ctx context.Context) {
	select {
	case <-c.done:
	case <-ctx.Done():
		_ = c.Close()
		<-c.done
	}
}

// RemoteAddr is the client's address, also behind a proxy that speaks the PROXY protocol.
func (c *conn) RemoteAddr() net.Addr {
	if c.remote != nil {
		return c.remote
	}
	return c.Conn.RemoteAddr()
}

func (c *conn) Read(p []byte) (int, error) {
	bounded := c.idle != 0 && c.idle != NoTimeout
	if bounded {
		if err := c.setIdle(time.Now().Add(c.idle)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p)
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		c.late.Store(true)
	}
	if bounded {
		c.in.Lock()
		c.in.byIdle = time.Time{}
		c.in.Unlock()
	}
	return n, err
}

// setIdle bounds the read that begins.
func (c *conn) setIdle(by time.Time) error {
	c.in.Lock()
	defer c.in.Unlock()
	c.in.byIdle = by
	return c.Conn.SetReadDeadline(earlier(c.in.user, by))
}

// SetReadDeadline does not lengthen the bound of a read that is under way.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.Lock()
	defer c.in.Unlock()
	c.in.user = t
	return c.Conn.SetReadDeadline(earlier(t, c.in.byIdle))
}

// pieces is how much is written at a time: a peer that takes nothing is waited for as long as one piece is worth, however
// much there is to write.
const pieces = 64 << 10

func (c *conn) Write(p []byte) (total int, err error) {
	for {
		piece := p[:min(len(p), pieces)]
		began := c.beginWrite(len(piece))
		n, err := c.Conn.Write(piece)
		total += n
		if err = c.endWrite(n, began, err); err != nil || n == len(p) {
			return total, err
		}
		p = p[n:]
	}
}

// ReadFrom copies a file without passing the bytes through the process where the connection can. Another source may keep
// the peer waiting, and that time is not the peer's: it is read first, and then written.
func (c *conn) ReadFrom(r io.Reader) (total int64, err error) {
	to, ok := c.Conn.(io.ReaderFrom)
	bound := int64(-1)
	from := r
	if lr, limited := r.(*io.LimitedReader); limited { // the kernel's way looks behind one of these only
		from, bound = lr.R, lr.N
	}
	if !ok || !isFile(from) {
		return io.Copy(writeOnly{c}, r)
	}
	if lr, limited := r.(*io.LimitedReader); limited {
		defer func() { lr.N -= total }()
	}
	for bound != 0 {
		piece := int64(pieces)
		if bound > 0 {
			piece = min(piece, bound)
		}
		began := c.beginWrite(int(piece))
		n, err := to.ReadFrom(&io.LimitedReader{R: from, N: piece})
		total += n
		if err := c.endWrite(int(n), began, err); err != nil {
			return total, err
		}
		if n < piece {
			return total, nil
		}
		if bound > 0 {
			bound -= n
		}
	}
	return total, nil
}

// isFile reports whether all that r will give is there already.
func isFile(r io.Reader) bool {
	f, ok := r.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// writeOnly hides ReadFrom from io.Copy, which would call it.
type writeOnly struct{ io.Writer }

// beginWrite sets the deadline of a write of n bytes. Setting one costs as much as all the rest, so one that is in
// place is left there as long as it is late enough, and set a quarter later than it must be.
func (c *conn) beginWrite(n int) (began time.Time) {
	began = time.Now()
	c.out.Lock()
	defer c.out.Unlock()
	d := c.out.pace.allowed(n)
	if d == NoTimeout || c.bytes.observing {
		return began
	}
	c.out.writing = true
	if left := c.out.byPace.Sub(began); left < d || left > 2*d {
		c.out.byPace = began.Add(d + d/4)
		_ = c.Conn.SetWriteDeadline(earlier(c.out.user, c.out.byPace))
	}
	return began
}

// endWrite finds out whether the peer was too slow.
func (c *conn) endWrite(n int, began time.Time, err error) error {
	now := time.Now()
	c.out.Lock()
	slow := c.out.pace.moved(n, now.Sub(began))
	if err != nil && c.out.writing && !now.Before(c.out.byPace) && errors.Is(err, os.ErrDeadlineExceeded) {
		slow = true
	}
	c.out.writing = false
	if c.tls != nil && !c.out.byPace.IsZero() { // TLS may write by itself while it reads
		c.out.byPace = time.Time{}
		_ = c.Conn.SetWriteDeadline(c.out.user)
	}
	first := slow && !c.out.tooSlow
	c.out.tooSlow = c.out.tooSlow || slow
	c.out.Unlock()
	if slow || errors.Is(err, os.ErrDeadlineExceeded) {
		// Nothing whole can follow. What the peer did not take must not stay in the kernel when the connection is closed.
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	if first {
		_ = c.bytes.slowResponse.Refuse()
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.Lock()
	defer c.out.Unlock()
	if t.Equal(c.out.user) && !c.closed.Load() {
		return nil // as net/http does after each response, to no effect
	}
	c.out.user = t
	if c.out.writing {
		t = earlier(t, c.out.byPace)
	} else {
		c.out.byPace = time.Time{}
	}
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// CloseWrite says goodbye to a client that still sends; without it the client could lose the answer.
func (c *conn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn gives the descriptor, also below TLS.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.raw.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// NetConn gives the connection below: for TLS the [tls.Conn].
func (c *conn) NetConn() net.Conn { return c.Conn }

func (c *conn) core() *conn { return c }

// tlsConn tells net/http of TLS, which it asks about by this method.
type tlsConn struct{ *conn }

func (c tlsConn) ConnectionState() tls.ConnectionState { return *c.tls }

// h2Conn watches the frames of an HTTP/2 connection in both directions.
type h2Conn struct {
	*conn
	frames *frameWatch
}

func (c h2Conn) Read(p []byte) (int, error) {
	n, err := c.conn.Read(p)
	tooMany := c.frames.read(p[:n])
	if c.frames.in.stage != atPreface {
		c.http2.Store(true)
	}
	if tooMany && c.bytes.resets.Refuse() != nil {
		_ = c.Close()
		return 0, errResets
	}
	return n, err
}

func (c h2Conn) Write(p []byte) (int, error) {
	if c.frames.wrote(p) && c.bytes.resets.Refuse() != nil {
		_ = c.Close()
		return 0, errResets
	}
	return c.conn.Write(p)
}

// ReadFrom is not for HTTP/2, whose frames are made in the process.
func (c h2Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(writeOnly{c}, r) }

var errResets = errors.New("endpoint: too many streams were reset")

// prefixedConn gives what was read too early.
type prefixedConn struct {
	net.Conn
	rest []byte
}

func (c *prefixedConn) Read(p []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
