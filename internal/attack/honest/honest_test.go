package honest

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is what honest users want, with a handler for /hello and the means to spoil the rest.
type service struct {
	*httptest.Server
	conns    atomic.Int64
	mu       sync.Mutex
	versions map[string]int
	sources  map[string]bool
	loseAll  chan struct{} // closed to end all streams
}

func newService(t *testing.T, withTLS bool, hello http.HandlerFunc) *service {
	t.Helper()
	s := &service{versions: make(map[string]int), sources: make(map[string]bool), loseAll: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		s.mu.Lock()
		s.versions[r.Proto]++
		s.sources[host] = true
		s.mu.Unlock()
		hello(w, r)
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		for {
			_, _ = w.Write([]byte("data: x\n\n"))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-s.loseAll:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		for {
			kind, text, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			select {
			case <-s.loseAll:
				return
			default:
			}
			if ws.Write(r.Context(), kind, text) != nil {
				return
			}
		}
	})
	s.Server = httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	if withTLS {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func right(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte("hello " + r.FormValue("n")))
}

// ample is patience for tests in which slowness, that of a busy machine for one, is nothing to fail for.
const ample = 20 * time.Second

func join(t *testing.T, s *service, patience time.Duration) *Crowd {
	t.Helper()
	cfg := Config{
		Addr: s.Listener.Addr().String(), Users: 4, PerSecond: 100, Patience: patience,
		Token: func(int) string { return "t" },
		Body:  func(n string) string { return "hello " + n },
	}
	if s.TLS != nil {
		cfg.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
	}
	c, err := Join(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Leave)
	return c
}

// watch returns how the requests of the next d went, when all of them are done.
func watch(t *testing.T, c *Crowd, d time.Duration) Summary {
	t.Helper()
	from := time.Now()
	time.Sleep(d)
	to := time.Now()
	for end := to.Add(2 * ample); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s := c.Between(from, to); s.Pending == 0 {
			return s
		}
	}
	t.Fatal("requests stay pending past their patience")
	return Summary{}
}

func TestHonestUsersAskAtAConstantRate(t *testing.T) {
	s := newService(t, false, right)
	c := join(t, s, ample)
	sum := watch(t, c, time.Second)
	if sum.Planned < 90 || sum.Planned > 110 || sum.Success() != 1 || sum.P99 <= 0 {
		t.Errorf("%+v, want about 100 answers, all right", sum)
	}
	if len(s.sources) != 4 {
		t.Errorf("from %d addresses, want one for each user", len(s.sources))
	}
	if got := int(s.conns.Load()); got < sum.Planned/2 {
		t.Errorf("%d connections for %d requests, want half of them on a new one", got, sum.Planned)
	}
	if lost := c.Dropped(); len(lost) != 0 {
		t.Errorf("streams lost: %v", lost)
	}
}

func TestHonestUsersSpeakBothVersionsOverTLS(t *testing.T) {
	s := newService(t, true, right)
	c := join(t, s, ample)
	if sum := watch(t, c, time.Second); sum.Success() != 1 {
		t.Errorf("%+v", sum)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.versions["HTTP/1.1"] < 30 || s.versions["HTTP/2.0"] < 30 {
		t.Errorf("requests by version: %v, want half and half", s.versions)
	}
}

// lineListener takes the first line off each connection, as a server behind a proxy does.
type lineListener struct {
	net.Listener
	lines chan<- string
}

func (l lineListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	var line []byte
	for one := make([]byte, 1); one[0] != '\n'; line = append(line, one[0]) {
		if _, err := conn.Read(one); err != nil {
			break // the server will see it too
		}
	}
	select {
	case l.lines <- string(line):
	default: // enough are kept
	}
	return conn, nil
}

func TestHonestUsersAreNamedByTheirProxy(t *testing.T) {
	s := newService(t, false, right)
	lines := make(chan string, 1000)
	behind := &http.Server{Handler: s.Config.Handler}
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = behind.Serve(lineListener{inner, lines}) }() // ends with Close
	t.Cleanup(func() { behind.Close() })

	c, err := Join(t.Context(), Config{
		Addr: inner.Addr().String(), Users: 4, PerSecond: 100, Patience: ample,
		Proxy: netip.MustParseAddr("127.99.9.8"),
		Token: func(int) string { return "t" },
		Body:  func(n string) string { return "hello " + n },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Leave)
	if sum := watch(t, c, 500*time.Millisecond); sum.Success() != 1 {
		t.Errorf("%+v", sum)
	}
	users := make(map[string]bool)
	for len(lines) > 0 {
		line := <-lines
		var user string
		var port int
		if _, err := fmt.Sscanf(line, "PROXY TCP4 %s 127.0.0.1 %d 80\r\n", &user, &port); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		users[user] = true
	}
	if len(users) != 4 || !users["127.1.1.1"] {
		t.Errorf("users %v, want four by their addresses", users)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sources) != 1 || !s.sources["127.99.9.8"] {
		t.Errorf("connections from %v, want the proxy only", s.sources)
	}
}

func TestStallCountsAgainstEverythingMeantToHappenInIt(t *testing.T) {
	var stall sync.RWMutex
	s := newService(t, false, func(w http.ResponseWriter, r *http.Request) {
		stall.RLock()
		defer stall.RUnlock()
		right(w, r)
	})
	c := join(t, s, 5*time.Second)
	stall.Lock()
	time.AfterFunc(500*time.Millisecond, stall.Unlock)
	sum := watch(t, c, 500*time.Millisecond)
	// Of fifty requests in the stall, half waited for longer than half of it.
	if sum.P50 < 150*time.Millisecond || sum.P99 < 400*time.Millisecond {
		t.Errorf("p50 %s, p99 %s: the stall of 500 ms was left out", sum.P50, sum.P99)
	}
}

func TestLateAndWrongAnswersAreFailures(t *testing.T) {
	s := newService(t, false, func(w http.ResponseWriter, r *http.Request) {
		switch n := r.FormValue("n"); n[len(n)-1] {
		case '1':
			<-r.Context().Done()
		case '2':
			_, _ = w.Write([]byte("hello you"))
		case '3':
			http.Error(w, "full", http.StatusServiceUnavailable)
		default:
			right(w, r)
		}
	})
	c := join(t, s, 500*time.Millisecond)
	sum := watch(t, c, time.Second)
	if sum.Success() < 0.6 || sum.Success() > 0.8 {
		t.Errorf("success %v, want 0.7", sum.Success())
	}
	for _, kind := range []string{"no answer in time", errWrong.Error(), "status 503"} {
		if n := sum.Failures[kind]; n < 8 || n > 12 {
			t.Errorf("%d x %q, want 10: %v", n, kind, sum.Failures)
		}
	}
	if sum.P99 < 500*time.Millisecond {
		t.Errorf("p99 %s: a failure counted as faster than the patience", sum.P99)
	}
}

func TestLostStreamsAreNoticed(t *testing.T) {
	s := newService(t, false, right)
	c := join(t, s, ample)
	close(s.loseAll)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if len(c.Dropped()) == keptWebsockets+keptEventStreams {
			return
		}
	}
	t.Errorf("lost %v, want all streams", c.Dropped())
}

func TestPercentileIsByNearestRank(t *testing.T) {
	var values []time.Duration
	for i := range 200 {
		values = append(values, time.Duration(i+1))
	}
	for p, want := range map[int]time.Duration{50: 100, 99: 198, 100: 200} {
		if got := percentile(values, p); got != want {
			t.Errorf("p%d = %d, want %d", p, got, want)
		}
	}
	if got := percentile(nil, 99); got != 0 {
		t.Errorf("p99 of nothing = %d", got)
	}
}
