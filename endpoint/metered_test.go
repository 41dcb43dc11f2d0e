package endpoint

import (
	"bytes"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// meteredConn meters a server's connection, and keeps what has passed.
type meteredConn struct {
	net.Conn
	in, out         *frameMeter
	inRaw, outRaw   bytes.Buffer
	budget          resetBudget
	most            int // resets within a minute; past it the connection is cut
	cut             chan struct{}
	closed          chan struct{}
	cutOnce, closer sync.Once
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.inRaw.Write(p[:n])
	c.spend(c.in.pass(p[:n]))
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	c.outRaw.Write(p)
	c.spend(c.out.pass(p))
	return c.Conn.Write(p)
}

func (c *meteredConn) spend(resets int) {
	if c.budget.spend(resets, 0, c.most, time.Minute) {
		c.cutOnce.Do(func() { close(c.cut) })
		c.Conn.Close()
	}
}

func (c *meteredConn) Close() error {
	defer c.closer.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

type meteredListener struct {
	net.Listener
	most  int
	conns chan *meteredConn
}

func (l *meteredListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	m := &meteredConn{
		Conn: c, most: l.most,
		in: &frameMeter{}, out: &frameMeter{direction: fromServer},
		cut: make(chan struct{}), closed: make(chan struct{}),
	}
	l.conns <- m
	return m, nil
}

// meteredServer serves HTTP/1 and HTTP/2 in plain text; its connections are cut past so many resets within a minute.
func meteredServer(t *testing.T, most int, handler http.HandlerFunc) (addr string, conns <-chan *meteredConn) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	l := &meteredListener{Listener: s.Listener, most: most, conns: make(chan *meteredConn, 100)}
	s.Listener = l
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.HTTP2 = &http.HTTP2Config{MaxReadFrameSize: 16 << 10} // long headers need CONTINUATION frames
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return l.Addr().String(), l.conns
}

func http2Client(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// rawClient speaks HTTP/2 by hand: the preface and its settings are sent, what comes is thrown away.
func rawClient(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { io.Copy(io.Discard, c) })
	t.Cleanup(func() {
		c.Close()
		wg.Wait()
	})
	send(t, c, []byte(clientPreface), frame(frameSettings, 0, 0))
	return c
}

func send(t *testing.T, c net.Conn, frames ...[]byte) {
	t.Helper()
	if _, err := c.Write(bytes.Join(frames, nil)); err != nil {
		t.Fatal(err)
	}
}

// A frameReader reads frames by other means than the meter.
type frameReader struct{ r io.Reader }

func newFrameReader(r io.Reader) frameReader { return frameReader{r} }

func (f frameReader) until(t *testing.T, kind byte) {
	t.Helper()
	for {
		var head [9]byte
		if _, err := io.ReadFull(f.r, head[:]); err != nil {
			t.Fatal(err)
		}
		length := int64(binary.BigEndian.Uint32(head[:]) >> 8)
		if _, err := io.CopyN(io.Discard, f.r, length); err != nil {
			t.Fatal(err)
		}
		if head[3] == kind {
			return
		}
	}
}
