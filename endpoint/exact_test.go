package endpoint

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

// peak counts what is in a place, from inside, and the most there has been since it was last asked.
type peak struct{ now, most, ever atomic.Int64 }

func (p *peak) enter() {
	p.ever.Add(1)
	n := p.now.Add(1)
	for {
		most := p.most.Load()
		if n <= most || p.most.CompareAndSwap(most, n) {
			return
		}
	}
}

func (p *peak) leave() { p.now.Add(-1) }

// Connections come, are hijacked, reset and broken, handlers panic, and the limits are lowered and raised all the while:
// never is there one connection or request more than may be, counted inside the functions that run.
func TestLimitsAreExactUnderRandomTraffic(t *testing.T) {
	const conns, perClient, requests, perKey, keys = 40, 8, 12, 3, 4
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
		t.Run(protocol, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			var inside, open peak
			var byKey [keys]peak
			opts := []Option{
				Logger(quiet), Timeouts{Wait: NoWait, Close: 5 * time.Second},
				Limits{Conns: conns, ConnsPerClient: perClient, Requests: requests, RequestsPerKey: perKey, RequestsPerClient: 1000},
				Rates{Conns: headcount.Unlimited, Requests: headcount.Unlimited, Resets: headcount.Unlimited},
				KeyFunc(func(r *http.Request) string { return r.Header.Get("User") }), Shares(1),
			}
			if protocol == "HTTP/2" {
				opts = append(opts, TLS(certificate(t)))
			}
			e := New("web", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				inside.enter()
				defer inside.leave()
				if key := r.Header.Get("User"); key != "" {
					k := &byKey[key[0]-'a']
					k.enter()
					defer k.leave()
				}
				time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
				switch r.URL.Path {
				case "/panic":
					panic("boom")
				case "/abort":
					panic(http.ErrAbortHandler)
				case "/hijack":
					if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
						time.Sleep(time.Millisecond)
						c.Close()
					}
				}
			}), opts...)
			serve := e.front.serve
			e.front.serve = func(ctx context.Context, c *conn) error {
				open.enter()
				defer open.leave()
				return serve(ctx, c)
			}
			if err := e.Supervisor().Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			var all sync.WaitGroup
			for i := range 12 {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				all.Go(func() {
					for ctx.Err() == nil {
						storm(r, addr(e), protocol, keys)
					}
				})
			}
			all.Go(func() { lowerAndRaise(ctx, t, e.Requests(), requests, &inside) })
			all.Go(func() { lowerAndRaise(ctx, t, e.Conns(), conns, &open) })
			all.Wait()
			if inside.ever.Load() < 20 || open.ever.Load() < 20 {
				t.Errorf("only %d requests and %d connections came in", inside.ever.Load(), open.ever.Load())
			}
			for i := range byKey {
				if n := byKey[i].most.Load(); n > perKey {
					t.Errorf("%d requests of one key were inside at once, want at most %d", n, perKey)
				}
			}
			if err := e.Supervisor().Stop(context.Background()); err != nil {
				t.Errorf("Stop is %v", err)
			}
			if n := inside.now.Load() + open.now.Load(); n != 0 {
				t.Errorf("%d are left inside", n)
			}
			if slots, entries := e.front.prefixes.table.total(); slots+entries != 0 {
				t.Errorf("the table of prefixes holds %d slots of %d keys when all are gone", slots, entries)
			}
			if slots, entries := e.limit.clients.table.total(); slots+entries != 0 {
				t.Errorf("the table of clients holds %d slots of %d keys when all are gone", slots, entries)
			}
		})
	}
}

// lowerAndRaise halves the limit and puts it back, and watches the half while it holds.
func lowerAndRaise(ctx context.Context, t *testing.T, sup headcount.Node, full int, p *peak) {
	l := sup.MaxChildren()
	for ctx.Err() == nil {
		if err := l.Set(full/2, headcount.Change{By: "test"}); err != nil {
			t.Error(err)
			return
		}
		for sup.Counts().Running > full/2 { // some of those that were admitted before may not have come in yet
			time.Sleep(time.Millisecond)
		}
		before := p.most.Swap(0)
		time.Sleep(20 * time.Millisecond)
		if n := p.most.Load(); n > int64(full/2) {
			t.Errorf("%d are inside while the limit is %d", n, full/2)
		}
		if before > int64(full) {
			t.Errorf("%d were inside at once, want at most %d", before, full)
		}
		if err := l.Set(full, headcount.Change{By: "test"}); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// storm is one connection with some requests, which may be broken off anywhere.
func storm(r *rand.Rand, address, protocol string, keys int) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(r.IntN(3)), byte(1+r.IntN(5)))}}
	c, err := d.Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
	if protocol == "HTTP/2" {
		t := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if t.Handshake() != nil {
			return
		}
		raw := &rawConn{t}
		fmt.Fprint(t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		_ = raw.frame(4, 0, 0, nil)
		for id := uint32(1); id < uint32(2+r.IntN(60)); id += 2 {
			user := byte('a' + r.IntN(keys))
			block := append([]byte{0x82, 0x87, 0x84, 0x41, 1, 'x', 0x40, 4}, "user\x01"...)
			if raw.frame(1, 0x5, id, append(block, user)) != nil {
				return
			}
			if r.IntN(2) == 0 && raw.reset(id) != nil {
				return
			}
		}
		_, _ = io.CopyN(io.Discard, t, int64(r.IntN(2000)))
		return
	}
	in := bufio.NewReader(c)
	for range 1 + r.IntN(4) {
		path := []string{"/", "/", "/", "/panic", "/abort", "/hijack"}[r.IntN(6)]
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nUser: %c\r\n\r\n", path, 'a'+r.IntN(keys)); err != nil {
			return
		}
		if r.IntN(4) == 0 {
			return // broken off
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
	}
}
