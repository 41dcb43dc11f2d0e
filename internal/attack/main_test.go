package attack_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/internal/attack"
	"github.com/headcount-go/headcount/internal/attack/target"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// victim is a server with the defaults of net/http that counts what comes in, below everything that HTTP does.
type victim struct {
	attack.Target
	server *httptest.Server
	counts target.Counts

	mu         sync.Mutex
	open, peak int             // guarded by mu, as is sources
	sources    map[string]bool // addresses that connections came from
	read       atomic.Int64    // bytes
}

// newVictim starts a victim. configure may be nil.
func newVictim(t *testing.T, withTLS bool, configure func(*http.Server)) *victim {
	t.Helper()
	v := &victim{sources: make(map[string]bool)}
	v.server = httptest.NewUnstartedServer(target.Handler(&v.counts))
	v.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	v.server.Listener = &countingListener{v.server.Listener, v}
	if configure != nil {
		configure(v.server.Config)
	}
	if withTLS {
		v.server.EnableHTTP2 = true
		v.server.StartTLS()
		transport := v.server.Client().Transport.(*http.Transport)
		v.TLS = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "127.0.0.1"}
	} else {
		v.server.Start()
	}
	v.Addr = v.server.Listener.Addr().String()
	t.Cleanup(func() {
		v.server.CloseClientConnections()
		v.server.Close()
		v.eventually(t, "the handlers to end", func() bool { return v.counts.Now().Handlers == 0 })
	})
	return v
}

func (v *victim) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Errorf("waited in vain for %s", what)
}

func (v *victim) opened() (peak, sources int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.peak, len(v.sources)
}

type countingListener struct {
	net.Listener
	v *victim
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	l.v.mu.Lock()
	defer l.v.mu.Unlock()
	l.v.open++
	l.v.peak = max(l.v.peak, l.v.open)
	l.v.sources[host] = true
	return &countingConn{Conn: conn, v: l.v}, nil
}

type countingConn struct {
	net.Conn
	v    *victim
	gone sync.Once
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.v.read.Add(int64(n))
	// The attacker may open the next one as soon as it has closed this one, which is when the victim reads the end. A
	// deadline is how net/http ends a read of its own.
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.leave()
	}
	return n, err
}

func (c *countingConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

func (c *countingConn) leave() {
	c.gone.Do(func() {
		c.v.mu.Lock()
		defer c.v.mu.Unlock()
		c.v.open--
	})
}

func named(t *testing.T, name string) attack.Attack {
	t.Helper()
	a, err := attack.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// run attacks v and returns what the attacker saw.
func run(t *testing.T, name string, v *victim, b attack.Budget) attack.Stats {
	t.Helper()
	stats, err := named(t, name).Run(t.Context(), v.Target, b)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}
