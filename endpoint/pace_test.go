package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// However much is written at once, a client that takes nothing is found after the stall.
func TestWriteOfMuchDoesNotWaitForLong(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			opts := []Option{Rates{WriteBytes: 1 << 20}, Timeouts{Stall: 100 * time.Millisecond}}
			if proto != "HTTP/1.1" {
				cfg := certificate(t)
				if proto != "HTTP/2.0" {
					cfg.NextProtos = []string{"http/1.1"}
				}
				opts = append(opts, TLS(cfg))
			}
			done := make(chan error, 1)
			e := start(t, func(w http.ResponseWriter, r *http.Request) {
				_, err := w.Write(make([]byte, 64<<20)) // a minute's worth
				done <- err
			}, opts...)
			switch proto {
			case "HTTP/1.1":
				fmt.Fprint(dial(t, addr(e)), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			case "HTTP/2.0":
				res, err := h2client(t).Get("https://" + addr(e))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
			default:
				c, err := tls.Dial("tcp", addr(e), &tls.Config{InsecureSkipVerify: true})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			}
			select {
			case err := <-done:
				if err == nil {
					t.Error("all is written, though nobody reads")
				}
			case <-time.After(5 * time.Second):
				t.Error("the handler still writes after 5 s")
			}
		})
	}
}

// The kernel takes megabytes ahead, and then nothing until much of it is read.
func TestSteadyReaderIsNotCut(t *testing.T) {
	for _, size := range []int{32 << 10, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			got := make(chan error, 1)
			e := start(t, func(w http.ResponseWriter, r *http.Request) {
				for range 8 << 20 / size {
					if _, err := w.Write(make([]byte, size)); err != nil {
						got <- err
						return
					}
				}
				got <- nil
			}, Rates{WriteBytes: 1 << 20}, Timeouts{Stall: 300 * time.Millisecond})
			c := dial(t, addr(e))
			_ = c.(*net.TCPConn).SetReadBuffer(64 << 10) // the slack is to be the server's
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			go func() {
				for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
					due := int64(time.Since(began).Seconds() * 3e6)
					n, err := io.CopyN(io.Discard, c, due)
					began = began.Add(time.Duration(float64(n) / 3e6 * 1e9))
					if err != nil {
						return
					}
				}
			}()
			if err := <-got; err != nil {
				t.Errorf("a reader at thrice the rate is cut: %v", err)
			}
		})
	}
}

// The time that the handler waits for what it copies is not the client's.
func TestSlowSourceIsNotASlowClient(t *testing.T) {
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2000")
		_, _ = io.Copy(w, &slowParts{parts: 2, pause: 1500 * time.Millisecond})
	}, Rates{WriteBytes: 1 << 20}, Timeouts{Stall: 100 * time.Millisecond})
	if _, body := get(t, client(t), "http://"+addr(e)); len(body) != 2000 {
		t.Errorf("%d bytes arrived, want 2000", len(body))
	}
	if n := e.Gate("slow_response").Snapshot().Refused; n != 0 {
		t.Errorf("slow_response counts %d", n)
	}
}

func TestTCPHandlersOwnReadDeadlineIsKept(t *testing.T) {
	got := make(chan error, 1)
	e := NewTCP("tcp", "127.0.0.1:0", func(ctx context.Context, c net.Conn) error {
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		got <- err
		return nil
	}, Logger(quiet), Timeouts{End: time.Millisecond})
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Supervisor().Stop(context.Background())
	dial(t, addr(e))
	select {
	case err := <-got:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the read ends with %v", err)
		}
	case <-time.After(2 * time.Second):
		t.Error("a deadline of 50 ms is lost")
	}
}
