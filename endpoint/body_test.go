package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"
)

// h2client keeps its connection, as a browser does.
func h2client(t testing.TB) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// slowParts gives parts of 1,000 bytes, each after a pause.
type slowParts struct {
	parts int
	pause time.Duration
	left  int // of a part
}

func (s *slowParts) Read(p []byte) (int, error) {
	if s.left == 0 {
		if s.parts == 0 {
			return 0, io.EOF
		}
		s.parts--
		s.left = 1000
		time.Sleep(s.pause)
	}
	n := min(len(p), s.left)
	s.left -= n
	return copy(p[:n], bytes.Repeat([]byte("x"), n)), nil
}

// The time between two reads is the handler's. A deadline of HTTP/2 would end the body for good, though nobody reads.
func TestHandlerMayPauseWhileItReadsABody(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			cfg := certificate(t)
			if proto == "HTTP/1.1" {
				cfg.NextProtos = []string{"http/1.1"}
			}
			e := start(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadFull(r.Body, make([]byte, 10))
				time.Sleep(400 * time.Millisecond)
				n, err := io.Copy(io.Discard, r.Body)
				fmt.Fprint(w, n, err, r.Proto)
			}, TLS(cfg), Timeouts{Stall: 200 * time.Millisecond})
			res, err := h2client(t).Post("https://"+addr(e), "text/plain", bytes.NewReader(make([]byte, 300_000)))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if b, _ := io.ReadAll(res.Body); string(b) != "299990 <nil>"+proto {
				t.Errorf("the handler reads %s", b)
			}
		})
	}
}

// A proxy reads the body on a goroutine that can outlive the handler. What the request was read from serves another by
// then; with HTTP/2 to touch it would end the process.
func TestBodyIsReadWhenTheHandlerHasReturned(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			cfg := certificate(t)
			if proto == "HTTP/1.1" {
				cfg.NextProtos = []string{"http/1.1"}
			}
			got, ended := make(chan error, 1), make(chan struct{})
			e := start(t, func(w http.ResponseWriter, r *http.Request) {
				go func() {
					var err error
					defer func() {
						if v := recover(); v != nil {
							err = fmt.Errorf("panic: %v", v)
						}
						got <- err
					}()
					p := make([]byte, 10)
					_, _ = r.Body.Read(p)
					<-ended
					_, err = r.Body.Read(p)
				}()
				time.Sleep(20 * time.Millisecond)
			}, TLS(cfg))
			res, err := h2client(t).Post("https://"+addr(e), "text/plain", &slowParts{parts: 20, pause: 10 * time.Millisecond})
			if err == nil {
				res.Body.Close()
			}
			eventually(t, "the end of the request", func() bool { return e.Requests().Counts().Running == 0 })
			time.Sleep(20 * time.Millisecond)
			close(ended)
			if err := <-got; !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("the read ends with %v", err)
			}
		})
	}
}

// cutWriter has a write that ends just when it is cut for taking too long.
type cutWriter struct {
	header    http.Header
	cut, over chan struct{}
	tooLate   chan bool
}

func (w *cutWriter) Header() http.Header         { return w.header }
func (w *cutWriter) WriteHeader(int)             {}
func (w *cutWriter) Write(p []byte) (int, error) { <-w.cut; return len(p), nil }

func (w *cutWriter) SetWriteDeadline(at time.Time) error {
	if at.After(time.Now()) {
		return nil
	}
	close(w.cut)
	select {
	case <-w.over:
		w.tooLate <- true
	case <-time.After(100 * time.Millisecond):
		w.tooLate <- false
	}
	return nil
}

func TestWriteIsNotCutWhenTheHandlerHasReturned(t *testing.T) {
	l := NewLimitHandler("limit", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("x")) }),
		Timeouts{Stall: 20 * time.Millisecond}, Logger(quiet))
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer l.Stop(context.Background())
	w := &cutWriter{http.Header{}, make(chan struct{}), make(chan struct{}), make(chan bool, 1)}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
	l.ServeHTTP(w, r)
	close(w.over)
	if <-w.tooLate {
		t.Error("the response is used when the handler has returned")
	}
}

// net/http reads up to 256 KiB of a body that the handler did not read: before it writes the header of the answer, and
// when the body is closed. Neither may hold the request at the pace of the client.
func TestBodyThatIsNotReadDoesNotHoldTheRequest(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"writes":  func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 10_000)) },
		"flushes": func(w http.ResponseWriter, r *http.Request) { _ = http.NewResponseController(w).Flush() },
		"copies":  func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, &slowParts{parts: 10}) },
		"closes":  func(w http.ResponseWriter, r *http.Request) { _ = r.Body.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, h, Timeouts{Stall: 100 * time.Millisecond})
			c := dial(t, addr(e))
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\nx")
			eventually(t, "the request", func() bool { return e.Requests().Counts().Started == 1 })
			eventually(t, "the end of the request", func() bool { return e.Requests().Counts().Running == 0 })
			eventually(t, "the end of the connection", func() bool { return e.Conns().Counts().Running == 0 })
		})
	}
}

func TestStreamGoesOnAfterABody(t *testing.T) {
	for name, read := range map[string]func(r *http.Request){
		"decoded": func(r *http.Request) { var v any; _ = json.NewDecoder(r.Body).Decode(&v) },
		"closed":  func(r *http.Request) { _ = r.Body.Close() },
		"unread":  func(r *http.Request) {},
		"read":    func(r *http.Request) { _, _ = io.ReadAll(r.Body) },
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			e := start(t, func(w http.ResponseWriter, r *http.Request) {
				read(r)
				w.Header().Set("Content-Type", "text/event-stream")
				_ = http.NewResponseController(w).Flush()
				fmt.Fprint(w, "data: 1\n\n")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
					ended <- r.Context().Err()
				case <-time.After(300 * time.Millisecond):
					ended <- nil
				}
			}, Timeouts{Stall: 100 * time.Millisecond})
			c := dial(t, addr(e))
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
			time.Sleep(10 * time.Millisecond)
			fmt.Fprint(c, "0\r\n\r\n")
			if err := <-ended; err != nil {
				t.Errorf("the stream ends with %v while its client is there", err)
			}
		})
	}
}

func TestHandlersOwnReadDeadlineIsKept(t *testing.T) {
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := io.ReadAll(r.Body)
		fmt.Fprint(w, errors.Is(err, os.ErrDeadlineExceeded))
	})
	c := dial(t, addr(e))
	began := time.Now()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	readUntil(t, c, "true")
	if d := time.Since(began); d > time.Second {
		t.Errorf("the deadline of 50 ms ends the read after %v", d)
	}
	if n := e.Gate("slow_body").Snapshot().Refused; n != 0 {
		t.Errorf("slow_body counts %d for the handler's own deadline", n)
	}
}
