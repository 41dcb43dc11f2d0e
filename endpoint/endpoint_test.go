package endpoint

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

var quiet = slog.New(slog.DiscardHandler)

// start starts an endpoint on a free port of loopback and stops it at the end of the test.
func start(t testing.TB, h http.HandlerFunc, opts ...Option) *Endpoint {
	t.Helper()
	e := New("web", "127.0.0.1:0", h, append([]Option{Logger(quiet)}, opts...)...)
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Supervisor().Stop(context.Background()); err != nil {
			t.Errorf("the endpoint did not stop: %v", err)
		}
	})
	return e
}

func addr(e *Endpoint) string { return e.Addrs()[0].String() }

// dial opens a connection that the test closes.
func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// dialFrom opens a connection from another address of loopback.
func dialFrom(t testing.TB, ip, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c, err := d.Dial("tcp", address)
	if errors.Is(err, syscall.ECONNRESET) {
		mine, theirs := net.Pipe() // as good as one that is closed at once
		theirs.Close()
		return mine
	}
	if err != nil {
		t.Skipf("%s is no address of loopback here: %v", ip, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eventually waits for what happens on other goroutines and sockets.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about within 5 s", what)
		}
	}
}

// turnedAway reports whether a new connection is refused: closed or reset, which dialing may already see.
func turnedAway(t testing.TB, address string) bool {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		return errors.Is(err, syscall.ECONNRESET)
	}
	defer c.Close()
	return ended(c, 2*time.Second)
}

// ended reports whether the server has ended the connection, by closing or resetting it.
func ended(c net.Conn, within time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, c)
	var late net.Error
	return !(errors.As(err, &late) && late.Timeout())
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }

func client(t testing.TB) *http.Client {
	tr := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func get(t testing.TB, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func certificate(t testing.TB) *tls.Config {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

// A refused request whose body dribbles must not hold its connection: net/http alone would read on for as long as the
// client sends, up to 256 KiB, both before it answers and after.
func TestRefusedBodyThatDribblesDoesNotHoldTheConnection(t *testing.T) {
	block := make(chan struct{})
	e := start(t, func(w http.ResponseWriter, r *http.Request) { <-block }, Limits{Requests: 1}, Timeouts{Wait: NoWait})
	defer close(block)
	holder := dial(t, addr(e))
	fmt.Fprint(holder, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	eventually(t, "the request in flight", func() bool { return e.Requests().Counts().Running == 1 })

	for name, head := range map[string]string{
		"declared length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n",
		"chunked":         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr(e))
			began := time.Now()
			fmt.Fprint(c, head)
			go func() { // dribbles until the connection breaks
				for {
					if _, err := fmt.Fprint(c, "1\r\nx\r\n"); err != nil {
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			}()
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Headcount-Reason") != "max_children" || res.Header.Get("Retry-After") == "" {
				t.Errorf("the answer is %d %v, want 503 with the reason and Retry-After", res.StatusCode, res.Header)
			}
			if answered := time.Since(began); answered > 500*time.Millisecond {
				t.Errorf("answered after %v, want at once", answered)
			}
			eventually(t, "the end of the connection", func() bool { return e.Conns().Counts().Running == 1 })
			if held := time.Since(began); held > 2*time.Second {
				t.Errorf("the connection was held for %v", held)
			}
		})
	}
}

func TestEndpointServesOverEachProtocol(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s tls=%t %v", r.Proto, r.TLS != nil && r.TLS.HandshakeComplete, ClientAddr(r.Context()))
	}
	t.Run("HTTP/1.1", func(t *testing.T) {
		e := start(t, answer)
		if _, body := get(t, client(t), "http://"+addr(e)); body != "HTTP/1.1 tls=false 127.0.0.1" {
			t.Errorf("got %q", body)
		}
	})
	t.Run("HTTP/1.1 over TLS", func(t *testing.T) {
		cfg := certificate(t)
		cfg.NextProtos = []string{"http/1.1"}
		e := start(t, answer, TLS(cfg))
		if _, body := get(t, client(t), "https://"+addr(e)); body != "HTTP/1.1 tls=true 127.0.0.1" {
			t.Errorf("got %q", body)
		}
	})
	t.Run("HTTP/2 over TLS", func(t *testing.T) {
		e := start(t, answer, TLS(certificate(t)))
		if _, body := get(t, client(t), "https://"+addr(e)); body != "HTTP/2.0 tls=true 127.0.0.1" {
			t.Errorf("got %q", body)
		}
	})
	t.Run("HTTP/2 without TLS", func(t *testing.T) {
		e := start(t, answer, H2C())
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		defer tr.CloseIdleConnections()
		if _, body := get(t, &http.Client{Transport: tr}, "http://"+addr(e)); body != "HTTP/2.0 tls=false 127.0.0.1" {
			t.Errorf("got %q", body)
		}
		if _, body := get(t, client(t), "http://"+addr(e)); body != "HTTP/1.1 tls=false 127.0.0.1" {
			t.Errorf("got %q over HTTP/1.1", body)
		}
	})
	t.Run("unix socket", func(t *testing.T) {
		path := t.TempDir() + "/s"
		e := start(t, answer, Address("unix:"+path))
		tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
		defer tr.CloseIdleConnections()
		if _, body := get(t, &http.Client{Transport: tr}, "http://here"); body != "HTTP/1.1 tls=false invalid IP" {
			t.Errorf("got %q", body)
		}
		if n := len(e.Addrs()); n != 2 {
			t.Errorf("bound to %d addresses, want 2", n)
		}
	})
}

func TestPortInUseFailsTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := New("web", l.Addr().String(), http.HandlerFunc(hello), Logger(quiet))
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet}, e)
	err = app.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "app/web") {
		t.Errorf("Start is %v, want the port in use, and where", err)
	}
}

func TestConnectionsAreLimitedExactly(t *testing.T) {
	e := start(t, hello, Limits{Conns: 3, Descriptors: 1})
	var held []net.Conn
	for i := range 3 { // one client could not have them all: when room is short, a client gets less
		held = append(held, dialFrom(t, fmt.Sprintf("127.0.0.%d", 10+i), addr(e)))
	}
	eventually(t, "three connections", func() bool { return e.Conns().Counts().Running == 3 })
	if !turnedAway(t, addr(e)) {
		t.Error("a fourth connection is left hanging, want it closed")
	}
	if err := e.Conns().MaxChildren().Set(4, headcount.Change{By: "test"}); err != nil {
		t.Fatal(err)
	}
	c := dial(t, addr(e))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 200 {
		t.Errorf("the fourth connection after the limit was raised: %v %v", res, err)
	}
	held[0].Close()
	eventually(t, "the slot to come free", func() bool { return e.Conns().Counts().Running == 3 })
}

func TestConnectionsOfOneClientAreLimited(t *testing.T) {
	e := start(t, hello, Limits{ConnsPerClient: 2, ConnsPerPrefix: 3})
	from := func(ip string) net.Conn { return dialFrom(t, ip, addr(e)) }
	from("127.0.0.2")
	from("127.0.0.2")
	eventually(t, "two connections", func() bool { return e.Conns().Counts().Running == 2 })
	if c := from("127.0.0.2"); !ended(c, 2*time.Second) {
		t.Error("a third connection of the client stays, want it closed")
	}
	from("127.0.0.3")
	eventually(t, "another client's connection", func() bool { return e.Conns().Counts().Running == 3 })
	if c := from("127.0.0.4"); !ended(c, 2*time.Second) {
		t.Error("a fourth connection of the prefix stays, want it closed")
	}
	from("127.0.1.1")
	eventually(t, "a connection of another prefix", func() bool { return e.Conns().Counts().Running == 4 })
	if n := e.Gate("conns_per_prefix").Snapshot().Refused; n != 1 {
		t.Errorf("the gate of prefixes has refused %d, want 1", n)
	}
	if n := e.Conns().Counts().Refused.MaxPerKey; n != 1 {
		t.Errorf("for max_per_key were refused %d, want 1", n)
	}
}

func TestRefusedConnectionCanGetAnAnswer(t *testing.T) {
	e := start(t, hello, Limits{Conns: 1}, Answer503())
	dial(t, addr(e))
	eventually(t, "the connection", func() bool { return e.Conns().Counts().Running == 1 })
	res, err := http.ReadResponse(bufio.NewReader(dial(t, addr(e))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("the answer is %d %v, want 503 with Retry-After", res.StatusCode, res.Header)
	}
}
