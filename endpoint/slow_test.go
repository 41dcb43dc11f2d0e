package endpoint

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

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
