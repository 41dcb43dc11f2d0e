package endpoint

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLimitHandlerLimitsAnyServer(t *testing.T) {
	block := make(chan struct{})
	l := NewLimitHandler("limit", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, ClientAddr(r.Context()))
		if r.URL.Path == "/hold" {
			_ = http.NewResponseController(w).Flush()
			<-block
		}
	}), Limits{RequestsPerClient: 1}, Logger(quiet))
	s := httptest.NewServer(l)
	defer s.Close()
	if res, _ := get(t, client(t), s.URL); res.StatusCode != 503 || res.Header.Get("Headcount-Reason") != "stopping" {
		t.Errorf("before the start the answer is %d %v, want 503", res.StatusCode, res.Header)
	}
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, err := client(t).Get(s.URL + "/hold")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Body.Close()
	if res, _ := get(t, client(t), s.URL); res.StatusCode != 429 || res.Header.Get("Headcount-Reason") != "requests_per_client" {
		t.Errorf("a second request of the client gets %d %v, want 429", res.StatusCode, res.Header)
	}
	close(block)
	if body, _ := io.ReadAll(held.Body); string(body) != "127.0.0.1" {
		t.Errorf("the client is told as %q", body)
	}
	if err := l.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestLimitHandlerCutsASlowReaderOfAnyServer(t *testing.T) {
	returned := make(chan struct{})
	l := NewLimitHandler("limit", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}), Rates{WriteBytes: 1 << 20}, Timeouts{Stall: 100 * time.Millisecond}, Logger(quiet))
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(l)
	defer s.Close()
	c := dial(t, s.Listener.Addr().String())
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-returned:
	case <-time.After(5 * time.Second):
		t.Error("the handler is still writing to a client that does not read")
	}
	if err := l.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestListenerLimitsAnyServer(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener("listener", inner, Limits{ConnsPerClient: 1}, Logger(quiet))
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(hello), ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()

	c := dial(t, inner.Addr().String())
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	readUntil(t, c, "hello")
	if !turnedAway(t, inner.Addr().String()) {
		t.Error("a second connection of the client stays")
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	<-served
	eventually(t, "the slot to come free", func() bool { return l.Conns().Counts().Running == 0 })
	if err := l.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := l.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a second start is %v, want an error that says why", err)
	}
}

func TestListenerSpeaksTLSForItsServer(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := certificate(t)
	l := NewListener("listener", inner, TLS(cfg), Logger(quiet))
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS != nil) }), ReadHeaderTimeout: time.Second}
	go s.Serve(l)
	if _, body := get(t, client(t), "https://"+inner.Addr().String()); body != "true" {
		t.Errorf("r.TLS is there: %s", body)
	}
	s.Close()
	if err := l.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// A file must go from the disk to the socket without passing through the process: that needs the connection's ReadFrom
// below each wrapper, and its descriptor.
func TestWrappedConnectionKeepsReadFromAndSyscallConn(t *testing.T) {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 3<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := make(chan string, 1)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			w.Header().Set("Content-Length", fmt.Sprint(3<<20))
			f, err := os.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			probe := &probedFile{file: f}
			_, err = io.Copy(w, probe)
			copied <- fmt.Sprint(probe.reads <= 2, err) // a small piece is read for its type, the rest is sent
		case "/conn":
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, err = c.(syscall.Conn).SyscallConn()
			copied <- fmt.Sprint(err)
		}
	})
	_, body := get(t, client(t), "http://"+addr(e)+"/file")
	if len(body) != 3<<20 {
		t.Errorf("%d bytes arrived, want %d", len(body), 3<<20)
	}
	if got := <-copied; got != "true <nil>" {
		t.Errorf("the file passed through the process: %s", got)
	}
	fmt.Fprint(dial(t, addr(e)), "GET /conn HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := <-copied; got != "<nil>" {
		t.Errorf("SyscallConn of the hijacked connection: %s", got)
	}
}

// probedFile counts how often it is read by the process. It has what the kernel's way needs of a file, and not WriteTo,
// which would be asked before the response is.
type probedFile struct {
	file  *os.File
	reads int
}

func (f *probedFile) Read(p []byte) (int, error)               { f.reads++; return f.file.Read(p) }
func (f *probedFile) Seek(at int64, whence int) (int64, error) { return f.file.Seek(at, whence) }
func (f *probedFile) Stat() (os.FileInfo, error)               { return f.file.Stat() }
func (f *probedFile) Close() error                             { return f.file.Close() }
func (f *probedFile) SyscallConn() (syscall.RawConn, error)    { return f.file.SyscallConn() }
