package endpoint

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestHTTP2RequestThatOutlivesItsConnectionKeepsItsSlot(t *testing.T) {
	block, entered := make(chan struct{}), make(chan struct{})
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-block
	}, TLS(certificate(t)))
	c := rawH2(t, addr(e), 65535)
	c.request(1)
	<-entered
	c.Close()
	time.Sleep(50 * time.Millisecond) // for the server to notice
	if n := e.Conns().Counts().Running; n != 1 {
		t.Errorf("%d connections are held while the handler runs, want 1", n)
	}
	close(block)
	eventually(t, "the slot to come free", func() bool { return e.Conns().Counts().Running == 0 })
}

func TestStreamsThatAreResetTooOftenEndTheConnection(t *testing.T) {
	e := start(t, hello, TLS(certificate(t)), Rates{Resets: 20})
	c := rawH2(t, addr(e), 65535)
	for id := uint32(1); id < 400; id += 2 {
		if c.request(id) != nil || c.reset(id) != nil {
			break
		}
	}
	if !ended(c, 2*time.Second) {
		t.Error("the connection stays")
	}
	if n := e.Gate("resets").Snapshot().Refused; n != 1 {
		t.Errorf("%d connections are counted as cut, want 1", n)
	}
}

// A rawConn speaks HTTP/2 frame by frame.
type rawConn struct{ net.Conn }

func rawH2(t testing.TB, address string, window uint32) *rawConn {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	r := &rawConn{c}
	fmt.Fprint(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	_ = r.frame(4, 0, 0, []byte{0, 4, byte(window >> 24), byte(window >> 16), byte(window >> 8), byte(window)}) // SETTINGS_INITIAL_WINDOW_SIZE
	return r
}

func (c *rawConn) frame(kind, flags byte, stream uint32, payload []byte) error {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)}
	_, err := c.Write(append(head, payload...))
	return err
}

// request sends GET https://x/.
func (c *rawConn) request(stream uint32) error {
	return c.frame(1, 0x5, stream, []byte{0x82, 0x87, 0x84, 0x41, 1, 'x'})
}

func (c *rawConn) reset(stream uint32) error { return c.frame(3, 0, stream, []byte{0, 0, 0, 8}) }

// awaitFrame reads until a frame of this kind.
func (c *rawConn) awaitFrame(t testing.TB, kind byte) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	head := make([]byte, 9)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatalf("no frame of kind %d: %v", kind, err)
		}
		if head[3] == kind {
			return
		}
		_, _ = io.CopyN(io.Discard, c, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
	}
}

// "MadeYouReset": the client breaches the protocol so that the server resets the streams for it.
func TestResetsThatAreForcedFromTheServerEndTheConnection(t *testing.T) {
	e := start(t, hello, TLS(certificate(t)), Rates{Resets: 20})
	c := rawH2(t, addr(e), 65535)
	for id := uint32(1); id < 400; id += 2 {
		if c.request(id) != nil || c.frame(8, 0, id, []byte{0, 0, 0, 0}) != nil { // WINDOW_UPDATE by nothing
			break
		}
	}
	if !ended(c, 2*time.Second) {
		t.Error("the connection stays")
	}
	if n := e.Gate("resets").Snapshot().Refused; n == 0 {
		t.Error("the connection is not counted as cut")
	}
}

func TestStopTellsHTTP2ToGoWhileAnHTTP1RequestFinishes(t *testing.T) {
	release := make(chan struct{})
	e := New("web", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			<-release
		}
	}), Logger(quiet), TLS(certificate(t)))
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, err := tls.Dial("tcp", addr(e), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	fmt.Fprint(old, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	eventually(t, "the HTTP/1 request", func() bool { return e.Requests().Counts().Running == 1 })
	c := rawH2(t, addr(e), 65535)
	_ = c.request(1)
	eventually(t, "the HTTP/2 request", func() bool { return e.Requests().Counts().Started == 2 })
	stopped := make(chan error, 1)
	go func() { stopped <- e.Supervisor().Stop(context.Background()) }()
	c.awaitFrame(t, 7) // GOAWAY
	close(release)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
