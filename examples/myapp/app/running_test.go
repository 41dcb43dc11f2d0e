package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

func TestMain(m *testing.M) {
	if os.Getenv(asService) != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	// The child that refuses to stop outlives its service: that is what it is for.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/headcount-go/headcount/examples/myapp/internal/jobs.hang"))
}

const testSecret = "the secret of the tests"

// soon bounds every wait of a test. It is only ever used up by a failing one.
const soon = 20 * time.Second

// testConfig has room for everything that a test does not want to run out of.
func testConfig(t *testing.T) config {
	t.Helper()
	c := defaults(machine{cores: 2, memory: 1 << 30, files: 4096})
	// All tests are one client, and ask as fast as they can.
	c.connRate, c.requestRate, c.connsPerClient, c.requestsPerClient = headcount.Unlimited, headcount.Unlimited, 512, 512
	c.connsPerPrefix = 512
	c.addr, c.data, c.secret, c.chaos = "127.0.0.1:0", t.TempDir(), testSecret, true
	return c
}

// running is a service that runs in this process and is spoken to over a real socket.
type running struct {
	t       *testing.T
	addr    string
	client  *http.Client
	signals chan os.Signal
	ended   chan struct{}
	code    int
	stderr  lockedBuffer
}

// start runs a service until the test ends.
func start(t *testing.T, c config) *running {
	t.Helper()
	r := &running{t: t, signals: make(chan os.Signal, 2), ended: make(chan struct{})}
	transport := &http.Transport{}
	r.client = &http.Client{Transport: transport, Timeout: soon}
	listening := make(chan net.Addr, 1)
	go func() {
		defer close(r.ended)
		r.code = serve(context.Background(), c, &r.stderr, hooks{signals: r.signals, listening: func(a net.Addr) { listening <- a }})
	}()
	select {
	case addr := <-listening:
		r.addr = addr.String()
	case <-r.ended:
		t.Fatalf("the service ended with %d:\n%s", r.code, r.stderr.String())
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		r.stop()
		if t.Failed() {
			t.Logf("the service said:\n%s", r.stderr.String())
		}
	})
	return r
}

// stop stops the service as an operator does and returns its exit status.
func (r *running) stop() int {
	r.t.Helper()
	select {
	case <-r.ended:
	default:
		r.signals <- syscall.SIGTERM
		select {
		case <-r.ended:
		case <-time.After(soon):
			r.t.Fatal("the service does not stop")
		}
	}
	return r.code
}

func token(t *testing.T, user string, proven bool) string {
	t.Helper()
	return tokenUntil(t, user, proven, time.Now().Add(time.Hour))
}

func tokenUntil(t *testing.T, user string, proven bool, expires time.Time) string {
	t.Helper()
	signer, err := auth.NewSigner(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(auth.Claims{User: user, Proven: proven, Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// answer is an answer with its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// reason is the word that an error carries, or a refusal of the endpoint.
func (a answer) reason() string {
	if word := a.header.Get("Headcount-Reason"); word != "" {
		return word
	}
	var e struct{ Error, Reason string }
	_ = json.Unmarshal(a.body, &e)
	return e.Reason
}

// decode reads the body into v.
func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
}

func (r *running) do(method, path, token, body string) answer {
	r.t.Helper()
	a, err := r.try(method, path, token, body)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *running) try(method, path, token, body string) (answer, error) {
	req, err := http.NewRequest(method, "http://"+r.addr+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, raw}, err
}

// want checks an answer; reason "" is not looked at.
func (a answer) want(t *testing.T, status int, reason string) {
	t.Helper()
	if a.status != status || reason != "" && a.reason() != reason {
		t.Errorf("%d %s, want %d %s", a.status, bytes.TrimSpace(a.body), status, reason)
	}
	refused := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if refused && a.header.Get("Retry-After") == "" {
		t.Errorf("%d without Retry-After", status)
	}
}

// job is a job as GET /jobs/{id} shows it.
type job struct {
	State  string
	Tries  int
	Result json.RawMessage
	Error  string
}

func (r *running) submit(token, body string) (id string) {
	r.t.Helper()
	a := r.do("POST", "/jobs", token, body)
	a.want(r.t, http.StatusAccepted, "")
	var accepted struct{ ID string }
	a.decode(r.t, &accepted)
	return accepted.ID
}

// finished asks until the job is finished: a client has no other way to know.
func (r *running) finished(token, id string) (j job) {
	r.t.Helper()
	r.until(func() bool {
		a := r.do("GET", "/jobs/"+id, token, "")
		a.want(r.t, http.StatusOK, "")
		a.decode(r.t, &j)
		return j.State == "done" || j.State == "failed" || r.t.Failed()
	})
	return j
}

// until asks again and again, for what only the other side of the socket knows.
func (r *running) until(done func() bool) {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	over := time.After(soon)
	for !done() {
		select {
		case <-tick.C:
		case <-over:
			r.t.Fatal("it does not happen")
		}
	}
}

// openWS opens a websocket, or returns the answer that refused it.
func (r *running) openWS(token string) (*websocket.Conn, answer) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws://"+r.addr+"/ws", &websocket.DialOptions{
		HTTPClient: r.client, HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err == nil {
		r.t.Cleanup(func() { conn.CloseNow() })
		return conn, answer{}
	}
	if resp == nil {
		r.t.Fatal(err)
	}
	raw, _ := io.ReadAll(resp.Body) // Dial keeps the beginning of it
	return nil, answer{resp.StatusCode, resp.Header, raw}
}

func (r *running) mustWS(token string) *websocket.Conn {
	r.t.Helper()
	conn, refused := r.openWS(token)
	if conn == nil {
		r.t.Fatalf("websocket refused: %d %s", refused.status, refused.body)
	}
	return conn
}

func echo(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if kind, got, err := conn.Read(ctx); err != nil || kind != websocket.MessageText || string(got) != text {
		t.Errorf("echo of %q: %v %q, %v", text, kind, got, err)
	}
}

// wantGoodbye checks that the server closes the websocket in order.
func wantGoodbye(t *testing.T, conn *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	_, _, err := conn.Read(ctx)
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.StatusGoingAway {
		t.Errorf("the websocket ended with %v, want going away", err)
	}
}

// lockedBuffer is written by the service while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
