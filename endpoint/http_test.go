package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestPanicOfAHandlerIsThatRequestsError(t *testing.T) {
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/before":
			panic("boom")
		case "/after":
			w.Header().Set("Content-Length", "5")
			fmt.Fprint(w, "half")
			panic("boom")
		case "/chunked":
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/abort":
			panic(http.ErrAbortHandler)
		}
	})
	c := client(t)
	res, _ := get(t, c, "http://"+addr(e)+"/before")
	if res.StatusCode != 500 || res.Header.Get("Headcount-Reason") != "panic" {
		t.Errorf("a panic before the answer gives %d %v, want 500", res.StatusCode, res.Header)
	}
	for _, path := range []string{"/after", "/chunked", "/abort"} {
		res, err := c.Get("http://" + addr(e) + path)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s gives a whole answer, want a broken one", path)
		}
	}
	eventually(t, "two panics", func() bool { return e.Requests().Counts().Exits.Panic == 2 })
	if n := e.Requests().Counts().Running; n != 0 {
		t.Errorf("%d requests are still in flight", n)
	}
}

func TestForwardedAddressesAreBelievedFromTrustedProxiesOnly(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, ClientAddr(r.Context())) }
	ask := func(e *Endpoint, header string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr(e), nil)
		req.Header.Set("X-Forwarded-For", header)
		res, err := client(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	trusting := start(t, answer, TrustedProxies("127.0.0.0/8", "10.0.0.0/8"))
	if _, got := ask(trusting, "6.6.6.6, 192.0.2.7, 10.1.1.1"); got != "192.0.2.7" {
		t.Errorf("the client behind a trusted proxy is %s, want 192.0.2.7: what is to the left is its own claim", got)
	}
	if status, _ := ask(trusting, "192.0.2.7, bananas"); status != 400 {
		t.Errorf("a malformed chain gives %d, want 400", status)
	}
	if n := trusting.Gate("forwarded").Snapshot().Refused; n != 1 {
		t.Errorf("malformed chains are counted as %d, want 1", n)
	}
	asked := make(chan string, 1)
	byKey := start(t, answer, TrustedProxies("127.0.0.1"), KeyFunc(func(r *http.Request) string {
		asked <- ClientAddr(r.Context()).String()
		return ""
	}))
	ask(byKey, "192.0.2.9")
	if got := <-asked; got != "192.0.2.9" {
		t.Errorf("KeyFunc is told the client %s, want 192.0.2.9", got)
	}
	if _, got := ask(start(t, answer), "192.0.2.7"); got != "127.0.0.1" {
		t.Errorf("without trusted proxies the client is %s, want the connection's own address", got)
	}
}

func TestConnectionIsAskedToGoAfterItsRequests(t *testing.T) {
	e := start(t, hello, Limits{RequestsPerConn: 2})
	c := dial(t, addr(e))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	all, _ := io.ReadAll(c)
	if n := strings.Count(string(all), "hello"); n != 2 {
		t.Errorf("%d requests were answered, want 2", n)
	}
}

func TestConnectionWhoseRequestsAreRefusedIsAskedToGoToo(t *testing.T) {
	e := start(t, hello, Limits{RequestsPerConn: 2}, Rates{Requests: 1, RequestsBurst: 1})
	c := dial(t, addr(e))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if !ended(c, 2*time.Second) {
		t.Error("the connection stays")
	}
}

func TestHijackedConnectionKeepsItsSlot(t *testing.T) {
	hijacked := make(chan net.Conn, 1)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		hijacked <- c
	})
	c := dial(t, addr(e))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	theirs := <-hijacked
	eventually(t, "the handler to return", func() bool { return e.Requests().Counts().Running == 0 })
	if n := e.Conns().Counts().Running; n != 1 {
		t.Errorf("%d connections are held, want the hijacked one", n)
	}
	theirs.Close()
	eventually(t, "the slot to come free", func() bool { return e.Conns().Counts().Running == 0 })
}

func TestStopLetsRequestsFinishAndEndsStreams(t *testing.T) {
	order := make(chan string, 10)
	release := make(chan struct{})
	e := New("web", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/request":
			<-release
			fmt.Fprint(w, "finished")
			order <- "request"
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			order <- "events"
		case "/poll":
			Streams(r.Context())
			<-r.Context().Done()
			order <- "poll"
		}
	}), Logger(quiet))
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	send := func(path string) net.Conn {
		c := dial(t, addr(e))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		return c
	}
	request, events := send("/request"), send("/events")
	send("/poll")
	idle := dial(t, addr(e))
	eventually(t, "three requests", func() bool { return e.Requests().Counts().Running == 3 })
	eventually(t, "two streams", func() bool { return e.limit.active.streams.Load() == 2 })
	stopped := make(chan error, 1)
	go func() { stopped <- e.Supervisor().Stop(context.Background()) }()
	eventually(t, "the listener to be closed", func() bool {
		c, err := net.Dial("tcp", addr(e))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case first := <-order:
		t.Errorf("%s ended before the request was finished", first)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	readUntil(t, request, "finished")
	if err := <-stopped; err != nil {
		t.Errorf("Stop is %v", err)
	}
	if first := <-order; first != "request" {
		t.Errorf("first ended %s, want the request", first)
	}
	for _, c := range []net.Conn{events, idle} {
		if !ended(c, 2*time.Second) {
			t.Error("a connection outlives the stop")
		}
	}
	if n := e.Conns().Counts().Running + e.Requests().Counts().Running; n != 0 {
		t.Errorf("%d slots are still held", n)
	}
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatalf("a second start: %v", err)
	}
	if _, body := get(t, client(t), "http://"+addr(e)+"/"); body != "" {
		t.Errorf("the second life answers %q", body)
	}
	if err := e.Supervisor().Stop(context.Background()); err != nil {
		t.Errorf("the second stop is %v", err)
	}
}

func TestStopClosesWhatDoesNotEnd(t *testing.T) {
	leave := make(chan struct{})
	e := New("web", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-leave }),
		Logger(quiet), Timeouts{Finish: 20 * time.Millisecond, End: 20 * time.Millisecond, Close: 20 * time.Millisecond})
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := dial(t, addr(e))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	eventually(t, "the request", func() bool { return e.Requests().Counts().Running == 1 })
	err := e.Supervisor().Stop(context.Background())
	var stuck *headcount.StuckError
	if !errors.As(err, &stuck) || stuck.Total != 2 {
		t.Errorf("Stop is %v, want the request and its connection as stuck", err)
	}
	if !ended(c, 2*time.Second) {
		t.Error("the connection is still open")
	}
	close(leave)
	eventually(t, "both slots to come free", func() bool {
		return e.Requests().Counts().Running == 0 && e.Conns().Counts().Running == 0
	})
}

// Whose certificate it was may be what a request is counted by.
func TestKeyFuncSeesTLS(t *testing.T) {
	var without atomic.Int32
	e := start(t, hello, TLS(certificate(t)), KeyFunc(func(r *http.Request) string {
		if r.TLS == nil {
			without.Add(1)
		}
		return "ann"
	}))
	if res, _ := get(t, h2client(t), "https://"+addr(e)); res.ProtoMajor != 2 || without.Load() != 0 {
		t.Errorf("KeyFunc saw %d requests of %s without TLS", without.Load(), res.Proto)
	}
}

func TestHonestClientsAreNotCountedAsBad(t *testing.T) {
	closed := func(t *testing.T, e *Endpoint) {
		t.Helper()
		eventually(t, "the end of the connection", func() bool { return e.Conns().Counts().Running == 0 })
		for _, name := range []string{"bad_request", "slow_header", "handshake"} {
			if n := e.Gate(name).Snapshot().Refused; n != 0 {
				t.Errorf("%s counts %d", name, n)
			}
		}
	}
	unencrypted := &http.Transport{Protocols: new(http.Protocols)}
	unencrypted.Protocols.SetUnencryptedHTTP2(true)
	for name, c := range map[string]struct {
		client *http.Client
		opt    Option
		scheme string
	}{
		"HTTP/2":             {h2client(t), TLS(certificate(t)), "https://"},
		"HTTP/2 without TLS": {&http.Client{Transport: unencrypted}, H2C(), "http://"},
		"HTTP/1.1 with H2C":  {&http.Client{Transport: new(http.Transport)}, H2C(), "http://"},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, hello, c.opt)
			for range 3 {
				get(t, c.client, c.scheme+addr(e))
			}
			c.client.CloseIdleConnections()
			closed(t, e)
		})
	}
	t.Run("opened ahead with HTTP/2", func(t *testing.T) {
		e := start(t, hello, TLS(certificate(t)))
		c := rawH2(t, addr(e), 65535)
		c.awaitFrame(t, 4)
		c.Close()
		closed(t, e)
	})
	t.Run("opened and closed", func(t *testing.T) {
		e := start(t, hello, TLS(certificate(t)))
		c := dial(t, addr(e))
		eventually(t, "the connection", func() bool { return e.Conns().Counts().Running == 1 })
		c.Close()
		closed(t, e)
	})
}

func TestHeaderHasTheSameSizeInBothProtocols(t *testing.T) {
	e := start(t, hello, TLS(certificate(t)), Sizes{Header: 16 << 10})
	one := h2client(t)
	one.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	for _, c := range []*http.Client{one, h2client(t)} {
		for n, fits := range map[int]bool{15 << 10: true, 17 << 10: false} {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://"+addr(e), nil)
			req.Header.Set("Cookie", strings.Repeat("x", n))
			res, err := c.Do(req)
			if err == nil {
				res.Body.Close()
			}
			if ok := err == nil && res.StatusCode == 200; ok != fits {
				t.Errorf("a header of %d bytes: %v %v", n, res, err)
			}
		}
	}
}
