package attack_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"golang.org/x/net/netutil"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
)

// BenchmarkListener measures how many connections a listener accepts and ends in a second, behind a limit that is not
// reached: bare, behind LimitListener, and behind Headcount's. Refused is what the others have not: a connection that
// finds the limit reached and is told so. LimitListener leaves it hanging in the kernel.
func BenchmarkListener(b *testing.B) {
	b.Run("floor", func(b *testing.B) { benchListener(b, listen(b)) })
	b.Run("limit_listener", func(b *testing.B) { benchListener(b, netutil.LimitListener(listen(b), 1000)) })
	b.Run("headcount", func(b *testing.B) { benchListener(b, headcountListener(b, 1000)) })
	b.Run("headcount/refused", func(b *testing.B) { benchListener(b, headcountListener(b, 0)) })
}

func listen(b *testing.B) net.Listener {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func headcountListener(b *testing.B, most int) net.Listener {
	b.Helper()
	l := endpoint.NewListener("listener", listen(b), endpoint.Logger(slog.New(slog.DiscardHandler)),
		endpoint.Limits{Conns: 1000, ConnsPerClient: 1000, ConnsPerPrefix: 1000}, endpoint.Rates{Conns: headcount.Unlimited})
	if err := l.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	if err := l.Conns().MaxChildren().Set(most, headcount.Change{By: "benchmark"}); err != nil {
		b.Fatal(err)
	}
	return l
}

// benchListener has clients connect, each until the server has closed its connection.
func benchListener(b *testing.B, l net.Listener) {
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				continue // refused before the dial was over
			}
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conns/s")
	l.Close()
	<-served
}
