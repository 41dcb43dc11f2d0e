package web

import (
	"io"
	"net"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accepting returns a limited listener's address and the connections that it accepts.
func accepting(t *testing.T, limit int64) (addr string, accepted <-chan net.Conn, c *conns) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &conns{limit: limit}
	l := &limitedListener{inner, c}
	out := make(chan net.Conn, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			out <- conn
		}
	}()
	t.Cleanup(func() {
		inner.Close()
		<-done
	})
	return inner.Addr().String(), out, c
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestListenerClosesAtOnceWhenFull(t *testing.T) {
	addr, accepted, c := accepting(t, 2)
	dial(t, addr)
	dial(t, addr)
	first, second := <-accepted, <-accepted
	defer second.Close()

	if n, err := dial(t, addr).Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the third got %d bytes, %v; want to be hung up on", n, err)
	}
	if open, refused := c.open.Load(), c.refused.Load(); open != 2 || refused != 1 {
		t.Errorf("%d open, %d refused, want 2 and 1", open, refused)
	}

	first.Close()
	first.Close() // frees one place, not two
	if open := c.open.Load(); open != 1 {
		t.Errorf("%d open after a double close, want 1", open)
	}
	client := dial(t, addr)
	server := <-accepted
	defer server.Close()
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Errorf("the place that came free was not given: %v", err)
	}
}
