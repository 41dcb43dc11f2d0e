package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestProxyHeaderTellsTheClient(t *testing.T) {
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr, " ", ClientAddr(r.Context()))
	}, ProxyProtocol(), TrustedProxies("127.0.0.1"), Limits{ConnsPerClient: 1})
	first := dial(t, addr(e))
	fmt.Fprint(first, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	readUntil(t, first, "192.0.2.7:4711 192.0.2.7") // as RemoteAddr and as ClientAddr
	second := dial(t, addr(e))
	fmt.Fprint(second, "PROXY TCP4 192.0.2.7 192.0.2.1 4712 80\r\n")
	if !ended(second, 2*time.Second) {
		t.Error("a second connection of the client stays, want it closed: the limit is the client's, not the proxy's")
	}
	other := dial(t, addr(e))
	fmt.Fprint(other, "PROXY TCP4 192.0.2.8 192.0.2.1 4713 80\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	readUntil(t, other, "192.0.2.8")

	lie := dial(t, addr(e))
	fmt.Fprint(lie, "PROXY TCP4 192.0.2.9 nowhere 1 2\r\n")
	if !ended(lie, 2*time.Second) {
		t.Error("a connection with a malformed header stays")
	}
	if stranger := dialFrom(t, "127.0.0.9", addr(e)); !ended(stranger, 2*time.Second) {
		t.Error("a connection from no trusted proxy stays")
	}
	eventually(t, "both refusals", func() bool { return e.Gate("proxy_header").Snapshot().Refused == 2 })
}

// readUntil reads until what has been read contains want.
func readUntil(t testing.TB, c net.Conn, want string) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	var got bytes.Buffer
	p := make([]byte, 1024)
	for !strings.Contains(got.String(), want) {
		n, err := c.Read(p)
		got.Write(p[:n])
		if err != nil {
			t.Fatalf("%v after %q, want %q", err, got.String(), want)
		}
	}
	return got.String()
}

func TestProxyHeaderIsAwaitedForATimeOnly(t *testing.T) {
	e := start(t, hello, ProxyProtocol(), TrustedProxies("127.0.0.1"), Timeouts{Handshake: 50 * time.Millisecond}, Limits{Opening: 1})
	silent := dial(t, addr(e))
	eventually(t, "the connection to open", func() bool { return e.front.opening.Counts().Running == 1 })
	if !turnedAway(t, addr(e)) {
		t.Error("a second connection without a header stays, want it closed: only one may open at a time")
	}
	if !ended(silent, 2*time.Second) {
		t.Error("a connection without a header stays")
	}
}

func TestProxyHeaderThatIsAwaitedForLongGivesWay(t *testing.T) {
	e := start(t, hello, ProxyProtocol(), TrustedProxies("127.0.0.1"), Timeouts{Handshake: time.Minute}, Limits{Opening: 4})
	var silent []net.Conn
	for range 3 {
		silent = append(silent, dial(t, addr(e)))
	}
	eventually(t, "three to be awaited", func() bool { return e.front.opening.Counts().Running == 3 })
	for range 10 {
		c := dial(t, addr(e))
		fmt.Fprint(c, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\nGET / HTTP/1.0\r\n\r\n")
		readUntil(t, c, "hello")
		c.Close()
	}
	if !ended(silent[0], 2*time.Second) {
		t.Error("the first that is awaited is awaited still, though others came")
	}
}

func TestNewConnectionsOfAClientHaveARate(t *testing.T) {
	e := start(t, hello, Rates{Conns: 1, ConnsBurst: 2})
	for range 2 {
		c := dial(t, addr(e))
		fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
		readUntil(t, c, "hello")
	}
	if !turnedAway(t, addr(e)) {
		t.Error("a third connection within the second stays, want it closed")
	}
	if c := dialFrom(t, "127.0.0.77", addr(e)); ended(c, 50*time.Millisecond) {
		t.Error("another client pays for the first one's rate")
	}
	if err := e.Gate("conn_rate").Limit().Set(1_000_000, headcount.Change{By: "test"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a connection at the new rate", func() bool { return !ended(dialFrom(t, "127.0.0.1", addr(e)), 50*time.Millisecond) })
}

func TestStalledHandshakeIsCut(t *testing.T) {
	e := start(t, hello, TLS(certificate(t)), Timeouts{Handshake: 50 * time.Millisecond})
	c := dial(t, addr(e))
	fmt.Fprint(c, "\x16\x03\x01")
	if !ended(c, 2*time.Second) {
		t.Error("a connection that does not finish its handshake stays")
	}
	eventually(t, "its slot to come free", func() bool { return e.Conns().Counts().Running == 0 })
	if n := e.Gate("handshake").Snapshot().Refused; n != 1 {
		t.Errorf("%d handshakes are counted as refused, want 1", n)
	}
}

func TestTCPEndpointRunsItsHandlerAsAChild(t *testing.T) {
	e := NewTCP("echo", "127.0.0.1:0", func(ctx context.Context, c net.Conn) error {
		if _, ok := headcount.Self(ctx); !ok {
			t.Error("the handler's context is no child's")
		}
		_, err := io.Copy(c, c)
		return err
	}, Logger(quiet), Limits{ConnsPerClient: 1}, Timeouts{Idle: 100 * time.Millisecond, End: 10 * time.Millisecond})
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := dial(t, addr(e))
	fmt.Fprint(c, "abc")
	readUntil(t, c, "abc")
	if !turnedAway(t, addr(e)) {
		t.Error("a second connection of the client stays")
	}
	if !ended(c, 2*time.Second) {
		t.Error("an idle connection stays")
	}
	eventually(t, "the slot to come free", func() bool { return e.Conns().Counts().Running == 0 })

	stays := dial(t, addr(e))
	fmt.Fprint(stays, "abc")
	readUntil(t, stays, "abc")
	if err := e.Supervisor().Stop(context.Background()); err != nil {
		t.Errorf("Stop is %v", err)
	}
	if !ended(stays, 2*time.Second) {
		t.Error("a connection outlives the stop")
	}
}

func TestPanicOfATCPHandlerIsThatChildsError(t *testing.T) {
	e := NewTCP("echo", "127.0.0.1:0", func(context.Context, net.Conn) error { panic("boom") }, Logger(quiet))
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Supervisor().Stop(context.Background())
	if c := dialFrom(t, "127.0.0.1", addr(e)); !ended(c, 2*time.Second) {
		t.Error("the connection of a handler that panicked stays")
	}
	eventually(t, "the panic to be counted", func() bool { return e.Conns().Counts().Exits.Panic == 1 })
}
