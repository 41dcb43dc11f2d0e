package endpoint

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
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

func TestSlowHeaderIsCutAndCounted(t *testing.T) {
	e := start(t, hello, Timeouts{Header: 50 * time.Millisecond})
	c := dial(t, addr(e))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost:")
	if !ended(c, 2*time.Second) {
		t.Error("a header that does not end is waited for")
	}
	eventually(t, "slow_header to be counted", func() bool { return e.Gate("slow_header").Snapshot().Refused == 1 })

	bad := dial(t, addr(e))
	fmt.Fprint(bad, "NONSENSE\r\n\r\n")
	readUntil(t, bad, "400 Bad Request")
	eventually(t, "bad_request to be counted", func() bool { return e.Gate("bad_request").Snapshot().Refused == 1 })
	if _, body := get(t, client(t), "http://"+addr(e)); body != "hello" {
		t.Errorf("a good request gives %q", body)
	}
	if n := e.Gate("bad_request").Snapshot().Refused; n != 1 {
		t.Errorf("bad_request counts %d after a good request, want 1 still", n)
	}
}

// readBody answers with how the reading of the body ended.
func readBody(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	var tooBig *http.MaxBytesError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "slow", http.StatusRequestTimeout)
	case errors.As(err, &tooBig):
		http.Error(w, "big", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		fmt.Fprint(w, n)
	}
}

func TestSlowBodyIsToldFromALongOne(t *testing.T) {
	e := start(t, readBody, Rates{ReadBytes: 1000}, Timeouts{Stall: 200 * time.Millisecond})
	t.Run("slow", func(t *testing.T) {
		c := dial(t, addr(e))
		fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
		go func() { // 200 bytes a second
			for {
				time.Sleep(5 * time.Millisecond)
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		began := time.Now()
		readUntil(t, c, "408 Request Timeout")
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("cut after %v, want soon after the stall of 200 ms", d)
		}
		if n := e.Gate("slow_body").Snapshot().Refused; n != 1 {
			t.Errorf("slow_body counts %d, want 1", n)
		}
	})
	t.Run("long", func(t *testing.T) {
		c := dial(t, addr(e))
		fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n")
		for range 20 { // twice the rate, for five times the stall
			time.Sleep(50 * time.Millisecond)
			fmt.Fprint(c, strings.Repeat("x", 100))
		}
		readUntil(t, c, "2000")
	})
}

func TestBodyHasATimeForAll(t *testing.T) {
	e := start(t, readBody, Rates{ReadBytes: 1}, Timeouts{Body: 100 * time.Millisecond})
	c := dial(t, addr(e))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
	readUntil(t, c, "408 Request Timeout")
}

func TestBigBodyIsRefused(t *testing.T) {
	e := start(t, readBody, Sizes{Body: 10})
	c := dial(t, addr(e))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
	readUntil(t, c, "413 Request Entity Too Large")
	chunked := dial(t, addr(e))
	fmt.Fprint(chunked, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n")
	readUntil(t, chunked, "413 Request Entity Too Large")
	fits := dial(t, addr(e))
	fmt.Fprint(fits, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789")
	readUntil(t, fits, "200 OK")
	if n := e.Gate("big_body").Snapshot().Refused; n != 2 {
		t.Errorf("big_body counts %d, want 2", n)
	}
}

func TestSlowReaderOfAResponseIsCut(t *testing.T) {
	var stopped atomic.Int32
	big := make([]byte, 64<<10)
	h := func(w http.ResponseWriter, r *http.Request) {
		defer stopped.Add(1)
		for range 1000 {
			if _, err := w.Write(big); err != nil {
				return
			}
		}
	}
	opts := []Option{Rates{WriteBytes: 1 << 20}, Timeouts{Stall: 100 * time.Millisecond}}
	t.Run("HTTP/1.1", func(t *testing.T) {
		e := start(t, h, opts...)
		c := dial(t, addr(e))
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		eventually(t, "the handler to be cut off", func() bool { return stopped.Load() == 1 })
		eventually(t, "slow_response to be counted", func() bool { return e.Gate("slow_response").Snapshot().Refused > 0 })
		eventually(t, "the slot to come free", func() bool { return e.Conns().Counts().Running == 0 })
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("reading on ends with %v, want a reset: what was not taken stays in the kernel", err)
		}
	})
	t.Run("HTTP/2", func(t *testing.T) {
		stopped.Store(0)
		e := start(t, h, append(opts, TLS(certificate(t)))...)
		tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		defer tr.CloseIdleConnections()
		res, err := (&http.Client{Transport: tr}).Get("https://" + addr(e))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() // which is never read: no more window is given
		eventually(t, "the handler to be cut off", func() bool { return stopped.Load() == 1 })
		if n := e.Gate("slow_response").Snapshot().Refused; n == 0 {
			t.Error("slow_response is not counted")
		}
	})
	t.Run("in one piece", func(t *testing.T) {
		// At the least rate this takes half a minute, but who takes nothing does not get that time.
		huge := make([]byte, 32<<20)
		for _, secure := range []bool{false, true} {
			for _, h2 := range []bool{false, true} {
				ended := make(chan struct{})
				all := append(opts, TLS(certificate(t)))
				scheme := "https://"
				if !secure {
					all, scheme = append(opts, H2C()), "http://"
				}
				e := start(t, func(w http.ResponseWriter, r *http.Request) {
					defer close(ended)
					_, _ = w.Write(huge)
				}, all...)
				tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: new(http.Protocols)}
				tr.Protocols.SetHTTP1(!h2)
				tr.Protocols.SetHTTP2(h2)
				tr.Protocols.SetUnencryptedHTTP2(h2)
				defer tr.CloseIdleConnections()
				res, err := (&http.Client{Transport: tr}).Get(scheme + addr(e))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				select {
				case <-ended:
				case <-time.After(5 * time.Second):
					t.Errorf("TLS %v, HTTP/2 %v: the handler is held", secure, h2)
				}
			}
		}
	})
	t.Run("the last bytes of HTTP/2", func(t *testing.T) {
		// What net/http still holds when the handler has returned must not wait for a window without a bound.
		e := start(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(big[:1000]) }, append(opts, TLS(certificate(t)))...)
		c := rawH2(t, addr(e), 0)
		c.request(1)
		eventually(t, "the request", func() bool { return e.Requests().Counts().Started == 1 })
		c.awaitFrame(t, 3) // RST_STREAM
	})
}

func TestRequestsAreLimitedByClientKeyAndRoute(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hold") {
			<-block
		}
		fmt.Fprint(w, "done")
	}, Timeouts{Wait: NoWait}, Limits{Requests: 100, RequestsPerClient: 4, RequestsPerKey: 2},
		KeyFunc(func(r *http.Request) string { return r.Header.Get("User") }),
		RouteFunc(func(r *http.Request) string { return strings.Trim(r.URL.Path, "/") }), Route("hold_one", 1))

	do := func(ip, user, path string) (*http.Response, error) {
		d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		tr := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr(e)+path, nil)
		req.Header.Set("User", user)
		res, err := tr.RoundTrip(req)
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	hold := func(ip, user, path string, running int) {
		go do(ip, user, path)
		eventually(t, "the request to be held", func() bool { return e.Requests().Counts().Running == running })
	}
	refused := func(ip, user, path string, status int, reason string) {
		t.Helper()
		res, err := do(ip, user, path)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != status || res.Header.Get("Headcount-Reason") != reason || after < 1 || after > 60 {
			t.Errorf("the answer is %d %v, want %d for %s with a sensible Retry-After", res.StatusCode, res.Header, status, reason)
		}
	}
	hold("127.0.0.1", "ann", "/hold_one", 1)
	refused("127.0.0.1", "bob", "/hold_one", 503, "route_hold_one")
	hold("127.0.0.1", "ann", "/hold", 2)
	refused("127.0.0.2", "ann", "/", 429, "max_per_key")
	hold("127.0.0.1", "bob", "/hold", 3)
	hold("127.0.0.1", "cleo", "/hold", 4)
	refused("127.0.0.1", "dan", "/", 429, "requests_per_client")
	if res, err := do("127.0.0.2", "dan", "/"); err != nil || res.StatusCode != 200 {
		t.Errorf("somebody else gets %v %v, want 200", res, err)
	}
	for _, k := range e.Requests().TopKeys(10) {
		if strings.Contains(k.Name, "ann") {
			t.Errorf("the key is shown as %q, want a hash", k.Name)
		}
	}
}

// What may have to verify a token must not be what a flood can ask for without end.
func TestKeyFuncIsAskedAfterWhatCostsLess(t *testing.T) {
	var keys, classes atomic.Int32
	e := start(t, hello, Rates{Requests: 1, RequestsBurst: 3},
		KeyFunc(func(r *http.Request) string { keys.Add(1); return "ann" }),
		PriorityFunc(func(r *http.Request) headcount.Class { classes.Add(1); return 0 }))
	c := client(t)
	for range 20 {
		get(t, c, "http://"+addr(e))
	}
	if k, p := keys.Load(), classes.Load(); k < 3 || k > 5 || p != k {
		t.Errorf("of 20 requests at a rate for 3, KeyFunc saw %d and PriorityFunc %d", k, p)
	}
}

func TestRequestsOfAHigherClassHaveRoomKept(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) { <-block }, Timeouts{Wait: NoWait},
		Limits{Requests: 10}, Shares(0.5, 1),
		KeyFunc(func(r *http.Request) string { return r.URL.Path }),
		PriorityFunc(func(r *http.Request) headcount.Class {
			if r.Header.Get("Proven") != "" {
				return 1
			}
			return 0
		}))
	send := func(path, header string) net.Conn {
		c := dial(t, addr(e))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, header)
		return c
	}
	for i := range 5 {
		send(fmt.Sprint("/", i), "")
	}
	eventually(t, "the share of the low class to be full", func() bool { return e.Requests().Counts().Running == 5 })
	readUntil(t, send("/low", ""), "Headcount-Reason: priority")
	send("/high", "Proven: 1\r\n")
	eventually(t, "a request of the high class", func() bool { return e.Requests().Counts().Running == 6 })
}

func TestRoutesKeepRoomForAHigherClassToo(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) { <-block }, Shares(0.5, 1),
		Route("slow", 4), RouteFunc(func(*http.Request) string { return "slow" }),
		PriorityFunc(func(r *http.Request) headcount.Class {
			if r.Header.Get("Proven") != "" {
				return 1
			}
			return 0
		}))
	for i, header := range []string{"", "", "no", "Proven: 1\r\n", "Proven: 1\r\n", "no"} {
		c, refused := dial(t, addr(e)), header == "no"
		if refused {
			header = ""
		}
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", header)
		if refused {
			readUntil(t, c, "Headcount-Reason: route_slow")
			continue
		}
		eventually(t, fmt.Sprintf("request %d to be let in", i), func() bool { return e.Requests().Counts().Running == []int{1, 2, 2, 3, 4}[i] })
	}
	full := dial(t, addr(e))
	fmt.Fprint(full, "GET / HTTP/1.1\r\nHost: x\r\nProven: 1\r\n\r\n")
	readUntil(t, full, "Headcount-Reason: route_slow")
	if n := e.Gate("route_slow").Snapshot().Refused; n != 3 {
		t.Errorf("%d are counted as refused, want 3", n)
	}
}

func TestRequestsTogetherHoldWhatTheyMay(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if err := headcount.Charge(r.Context(), 60); err != nil {
			http.Error(w, err.Error(), http.StatusInsufficientStorage)
			return
		}
		<-block
	}, Sizes{Held: 100})
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	fmt.Fprint(dial(t, addr(e)), request)
	eventually(t, "the first request to hold its bytes", func() bool { return e.Requests().Counts().Bytes == 60 })
	second := dial(t, addr(e))
	fmt.Fprint(second, request)
	readUntil(t, second, "max_bytes reached: 60 held by all children of 100")
}

func TestRequestsOfAClientHaveARate(t *testing.T) {
	e := start(t, hello, Rates{Requests: 1, RequestsBurst: 2})
	c := dial(t, addr(e))
	in := bufio.NewReader(c)
	for want := range []int{200, 200, 429} {
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if want == 2 && (res.StatusCode != 429 || res.Header.Get("Headcount-Reason") != "request_rate" || res.Header.Get("Retry-After") == "") {
			t.Errorf("the third answer is %d %v, want 429 with the reason and Retry-After", res.StatusCode, res.Header)
		}
		if want < 2 && res.StatusCode != 200 {
			t.Errorf("answer %d is %d, want 200", want, res.StatusCode)
		}
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

func TestRequestWaitsBrieflyForRoom(t *testing.T) {
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-leave
		fmt.Fprint(w, "done")
	}, Limits{Requests: 1, Waiting: 1}, Timeouts{Wait: time.Second}, Shares(1),
		KeyFunc(func(r *http.Request) string { return r.URL.Path })) // a key that is full does not wait
	defer close(leave)
	send := func(path string) net.Conn {
		c := dial(t, addr(e))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		return c
	}
	first := send("/1")
	<-entered
	second := send("/2")
	eventually(t, "the second to wait", func() bool { return e.Requests().Counts().Waiting == 1 })
	readUntil(t, send("/4"), "Headcount-Reason: queue_full")
	leave <- struct{}{}
	readUntil(t, first, "done")
	<-entered
	third := send("/3")
	readUntil(t, third, "Headcount-Reason: wait_timeout")
	leave <- struct{}{}
	readUntil(t, second, "done")
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

func TestRateThatWasUnlimitedCanBeLimited(t *testing.T) {
	e := start(t, hello, Rates{Requests: headcount.Unlimited})
	if err := e.Gate("request_rate").Limit().Set(0, headcount.Change{By: "test"}); err != nil {
		t.Fatal(err)
	}
	if res, _ := get(t, client(t), "http://"+addr(e)); res.StatusCode != 429 {
		t.Errorf("the answer is %d at a rate of 0", res.StatusCode)
	}
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
