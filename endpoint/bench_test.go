package endpoint

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

// unlimitedRates lets one client of a benchmark do what no client may.
var unlimitedRates = Rates{Conns: headcount.Unlimited, Requests: headcount.Unlimited}

var (
	unlimitedRequests = Rates{Requests: headcount.Unlimited}
	manyRequests      = Limits{RequestsPerConn: headcount.Unlimited}
)

// BenchmarkRequests measures requests on connections that are kept, over loopback, by a client that costs little, against
// net/http's server with its defaults. p99 is that of single requests.
func BenchmarkRequests(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })
	b.Run("floor", func(b *testing.B) {
		s := httptest.NewServer(h)
		defer s.Close()
		benchRequests(b, s.Listener.Addr().String())
	})
	b.Run("endpoint", func(b *testing.B) { benchRequests(b, addr(start(b, h.ServeHTTP, unlimitedRates, manyRequests))) })
	b.Run("endpoint_with_rates", func(b *testing.B) {
		benchRequests(b, addr(start(b, h.ServeHTTP, Rates{Requests: 100_000_000, RequestsBurst: 100_000_000}, manyRequests)))
	})
	b.Run("limit_handler", func(b *testing.B) {
		l := NewLimitHandler("limit", h, unlimitedRequests, Logger(quiet))
		if err := l.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		defer l.Stop(context.Background())
		s := httptest.NewServer(l)
		defer s.Close()
		benchRequests(b, s.Listener.Addr().String())
	})
}

func benchRequests(b *testing.B, address string) {
	const clients = 8
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, clients)
	var all sync.WaitGroup
	conns := make([]net.Conn, clients)
	for i := range conns {
		conns[i] = dial(b, address)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i, c := range conns {
		all.Go(func() {
			in := bufio.NewReader(c)
			for left.Add(-1) >= 0 {
				began := time.Now()
				if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
					b.Error(err)
					return
				}
				if err := skipResponse(in); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Nanoseconds()), "p99-ns")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// skipResponse reads a response whose body is "hello".
func skipResponse(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			_, err = in.Discard(len("hello"))
			return err
		}
	}
}

// BenchmarkLimitHandler measures what a request pays for being let in, and for being refused, without a network.
func BenchmarkLimitHandler(b *testing.B) {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	r := httptest.NewRequest("GET", "/", nil)
	run := func(b *testing.B, h http.Handler) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			w := noResponse{make(http.Header)}
			for pb.Next() {
				h.ServeHTTP(w, r)
			}
		})
	}
	b.Run("floor", func(b *testing.B) { run(b, next) })
	b.Run("let_in", func(b *testing.B) {
		l := NewLimitHandler("limit", next, unlimitedRequests, Limits{RequestsPerClient: 10_000}, Logger(quiet))
		if err := l.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		defer l.Stop(context.Background())
		run(b, l)
	})
	b.Run("refused", func(b *testing.B) {
		l := NewLimitHandler("limit", next, unlimitedRequests, Logger(quiet))
		if err := l.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		defer l.Stop(context.Background())
		_ = l.Gate("requests_per_client").Limit().Set(0, headcount.Change{})
		run(b, l)
	})
}

type noResponse struct{ h http.Header }

func (w noResponse) Header() http.Header         { return w.h }
func (w noResponse) Write(p []byte) (int, error) { return len(p), nil }
func (w noResponse) WriteHeader(int)             {}

// BenchmarkAccept measures a new connection with one request, and one that is refused.
func BenchmarkAccept(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })
	accept := func(b *testing.B, address string) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c, err := net.Dial("tcp", address)
				if err != nil {
					b.Error(err)
					return
				}
				fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				if _, err := io.Copy(io.Discard, c); err != nil {
					b.Error(err)
				}
				c.Close()
			}
		})
	}
	b.Run("floor", func(b *testing.B) {
		s := httptest.NewServer(h)
		defer s.Close()
		accept(b, s.Listener.Addr().String())
	})
	b.Run("endpoint", func(b *testing.B) { accept(b, addr(start(b, h.ServeHTTP, unlimitedRates))) })
	b.Run("refused", func(b *testing.B) {
		e := start(b, h.ServeHTTP, unlimitedRates)
		_ = e.Conns().MaxChildren().Set(0, headcount.Change{})
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c, err := net.Dial("tcp", addr(e))
				if err == nil {
					_, _ = io.Copy(io.Discard, c)
					c.Close()
				}
			}
		})
	})
}

// BenchmarkIdleConnection measures the memory of connections that wait for their next request.
func BenchmarkIdleConnection(b *testing.B) {
	const conns = 2000
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })
	idle := func(b *testing.B, address string) {
		open := make([]net.Conn, conns)
		before := memory()
		for i := range open {
			open[i] = dial(b, address)
			fmt.Fprint(open[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			readUntil(b, open[i], "hello")
		}
		b.ReportMetric(float64(memory()-before)/conns, "B/conn")
		for _, c := range open {
			c.Close()
		}
	}
	b.Run("floor", func(b *testing.B) {
		s := httptest.NewServer(h)
		defer s.Close()
		idle(b, s.Listener.Addr().String())
	})
	b.Run("endpoint", func(b *testing.B) {
		idle(b, addr(start(b, h.ServeHTTP, unlimitedRates, Limits{Conns: 2 * conns, ConnsPerClient: 2 * conns, ConnsPerPrefix: 2 * conns})))
	})
}

// memory is what the heap and the stacks hold.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
