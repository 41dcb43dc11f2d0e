package headcount

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func startBench(b *testing.B, n Node) {
	b.Helper()
	if err := n.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
}

func work() {}

// BenchmarkStartToFinish is what a user pays for one supervised child, beside the bare go statement with a semaphore.
func BenchmarkStartToFinish(b *testing.B) {
	const batch, slots = 64, 10_000
	b.Run("floor", func(b *testing.B) {
		sem := make(chan struct{}, slots)
		var wg sync.WaitGroup
		b.ReportAllocs()
		for i := 0; i < b.N; i += batch {
			for range batch {
				sem <- struct{}{}
				wg.Add(1)
				go func() { defer wg.Done(); work(); <-sem }()
			}
			wg.Wait()
		}
	})
	b.Run("headcount", func(b *testing.B) {
		d := NewDynamicSupervisor("jobs", MaxChildren(slots), WithLogger(quiet))
		startBench(b, d)
		ctx := context.Background()
		var wg sync.WaitGroup
		fn := func(context.Context) error { defer wg.Done(); work(); return nil }
		b.ReportAllocs()
		b.ResetTimer()
		for i := 0; i < b.N; i += batch {
			for range batch {
				wg.Add(1)
				if _, err := d.Go(ctx, fn); err != nil {
					b.Fatal(err)
				}
			}
			wg.Wait()
		}
	})
}

func BenchmarkRefusal(b *testing.B) {
	d := NewDynamicSupervisor("jobs", MaxChildren(0), WithLogger(quiet))
	startBench(b, d)
	ctx := context.Background()
	fn := func(context.Context) error { return nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Go(ctx, fn); err == nil {
			b.Fatal("admitted")
		}
	}
}
