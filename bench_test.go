package headcount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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

func benchIdle(ctx context.Context) error { <-ctx.Done(); return nil }

const (
	benchBatch = 64     // children that are joined together
	benchSlots = 10_000 // the limit, and the floor's semaphore
)

// eachCaller runs the batches of b.N children on so many goroutines.
func eachCaller(b *testing.B, callers int, batch func()) {
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := 0; i < b.N/callers+1; i += benchBatch {
				batch()
			}
		})
	}
	wg.Wait()
}

// BenchmarkStartToFinish is what a user pays for one supervised child, beside the bare go statement with a semaphore.
func BenchmarkStartToFinish(b *testing.B) {
	for _, callers := range []int{1, 2, 64} {
		b.Run(fmt.Sprintf("callers=%d/floor", callers), func(b *testing.B) {
			sem := make(chan struct{}, benchSlots)
			eachCaller(b, callers, func() {
				var wg sync.WaitGroup
				for range benchBatch {
					sem <- struct{}{}
					wg.Add(1)
					go func() { defer wg.Done(); work(); <-sem }()
				}
				wg.Wait()
			})
		})
		b.Run(fmt.Sprintf("callers=%d/headcount", callers), func(b *testing.B) {
			d := NewDynamicSupervisor("jobs", MaxChildren(benchSlots), WithLogger(quiet))
			startBench(b, d)
			eachCaller(b, callers, func() { startBatch(b, d) })
		})
		b.Run(fmt.Sprintf("callers=%d/three_levels", callers), func(b *testing.B) {
			users := NewKeyedSupervisor[int]("users", MaxChildren(benchSlots), MaxPerKey(benchSlots), KeyShare(1000))
			startBench(b, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(benchSlots), Logger: quiet}, users))
			eachCaller(b, callers, func() { startBatch(b, users.At(1)) })
		})
	}
}

func startBatch(b *testing.B, s Starter) {
	ctx := context.Background()
	var wg sync.WaitGroup
	wg.Add(benchBatch)
	fn := func(context.Context) error { defer wg.Done(); work(); return nil }
	for range benchBatch {
		if _, err := s.Go(ctx, fn); err != nil {
			b.Error(err)
			wg.Done()
		}
	}
	wg.Wait()
}

// BenchmarkRefusal is what it costs to say no, from one core and from all, beside a semaphore that is full and a counter.
// The floor's caller is told by a select; one that asks errors.Is for the reason pays for that too.
func BenchmarkRefusal(b *testing.B) {
	ctx := context.Background()
	b.Run("floor", func(b *testing.B) {
		sem := make(chan struct{}, 1)
		sem <- struct{}{}
		var refused atomic.Uint64
		b.ReportAllocs()
		for b.Loop() {
			select {
			case sem <- struct{}{}:
				b.Fatal("admitted")
			default:
				refused.Add(1)
			}
		}
	})
	refusing := func(b *testing.B, s Starter, asked bool) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Go(ctx, benchIdle); err == nil || asked && !errors.Is(err, ErrRefused) {
					b.Errorf("got %v, want a refusal", err)
					return
				}
			}
		})
	}
	for _, cores := range []int{1, runtime.NumCPU()} {
		b.Run(fmt.Sprintf("full/cores=%d", cores), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			d := NewDynamicSupervisor("jobs", MaxChildren(0), WithLogger(quiet))
			startBench(b, d)
			refusing(b, d, false)
		})
		b.Run(fmt.Sprintf("full_and_asked/cores=%d", cores), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			d := NewDynamicSupervisor("jobs", MaxChildren(0), WithLogger(quiet))
			startBench(b, d)
			refusing(b, d, true)
		})
		b.Run(fmt.Sprintf("by_key/cores=%d", cores), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			users := NewKeyedSupervisor[string]("users", MaxChildren(1000), MaxPerKey(1), WithLogger(quiet))
			startBench(b, users)
			if _, err := users.At("alice").Go(ctx, benchIdle); err != nil {
				b.Fatal(err)
			}
			refusing(b, users.At("alice"), false)
		})
	}
}

// BenchmarkKeyedStart starts children of keys that each come once: a million keys seen cost nothing later.
func BenchmarkKeyedStart(b *testing.B) {
	users := NewKeyedSupervisor[int]("users", MaxChildren(benchSlots), MaxPerKey(8), WithLogger(quiet))
	startBench(b, users)
	ctx := context.Background()
	seen := 1_000_000
	if testing.Short() {
		seen = 10_000
	}
	for i := range seen {
		if err := users.At(i).Do(ctx, func(context.Context) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if err := users.At(i).Do(ctx, func(context.Context) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDo is a child on the caller's goroutine, beside a call between taking and freeing a semaphore.
func BenchmarkDo(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		sem := make(chan struct{}, benchSlots)
		b.ReportAllocs()
		for b.Loop() {
			sem <- struct{}{}
			work()
			<-sem
		}
	})
	b.Run("headcount", func(b *testing.B) {
		d := NewDynamicSupervisor("requests", MaxChildren(benchSlots), WithLogger(quiet))
		startBench(b, d)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b.ReportAllocs()
		for b.Loop() {
			if err := d.Do(ctx, func(context.Context) error { work(); return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRestart is one crash and restart of a child, with its events and without the waiting. The floor is a goroutine
// that ends with an error and is started anew by who receives it.
func BenchmarkRestart(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		failure := errors.New("again")
		failed := make(chan error)
		b.ReportAllocs()
		for b.Loop() {
			go func() { failed <- failure }()
			<-failed
		}
	})
	b.Run("headcount", benchRestart)
}

func benchRestart(b *testing.B) {
	d := NewDynamicSupervisor("jobs", MaxChildren(1), WithLogger(quiet),
		RestartIntensity(10_000, time.Nanosecond), WithBackoff(Backoff{Min: 1, Max: 1, Stable: time.Hour}))
	startBench(b, d)
	failure := errors.New("again")
	done := make(chan struct{})
	runs := 0
	b.ReportAllocs()
	_, err := d.Go(context.Background(), func(context.Context) error {
		if runs++; runs > b.N {
			close(done)
			return nil
		}
		return failure
	}, WithRestart(Transient))
	if err != nil {
		b.Fatal(err)
	}
	<-done
}

// BenchmarkDerivedContext is context.WithCancel below a child's context, beside the same below a standard one.
func BenchmarkDerivedContext(b *testing.B) {
	derive := func(b *testing.B, parent context.Context) {
		b.ReportAllocs()
		for b.Loop() {
			_, cancel := context.WithCancel(parent)
			cancel()
		}
	}
	b.Run("floor", func(b *testing.B) {
		parent, cancel := context.WithCancel(context.Background())
		defer cancel()
		derive(b, parent)
	})
	b.Run("headcount", func(b *testing.B) {
		d := NewDynamicSupervisor("jobs", MaxChildren(1), WithLogger(quiet))
		startBench(b, d)
		if err := d.Do(context.Background(), func(ctx context.Context) error { derive(b, ctx); return nil }); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkIdle holds so many idle children, and tells the bytes of heap that each costs beside a bare goroutine, and
// how long it takes to stop them all. Stacks are told apart from the heap: the runtime chooses the size that a new stack
// begins with by what it has seen, 2 or 4 KiB, for bare goroutines and children alike.
func BenchmarkIdle(b *testing.B) {
	for _, children := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("children=%d", children), func(b *testing.B) {
			if testing.Short() || children > 100_000 && !roomy() {
				b.Skip("needs a few gigabytes of memory; skipped under -short")
			}
			for b.Loop() {
				bytesOf(bareIdle(children)) // the runtime keeps what it made for goroutines: both sides find it there
				bareHeap, bareStack := bytesOf(bareIdle(children))
				var stopping time.Duration
				heap, stack := bytesOf(supervisedIdle(b, children, &stopping))
				per := func(bytes int64) float64 { return float64(bytes) / float64(children) }
				b.ReportMetric(per(heap-bareHeap), "more-heap-B/child")
				b.ReportMetric(per(bareStack), "bare-stack-B/child")
				b.ReportMetric(per(stack), "stack-B/child")
				b.ReportMetric(per(stopping.Nanoseconds()), "stop-ns/child")
			}
		})
	}
}

func bareIdle(n int) func() (end func()) {
	return func() (end func()) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { <-stop })
		}
		return func() { close(stop); wg.Wait() }
	}
}

func supervisedIdle(b *testing.B, n int, stopping *time.Duration) func() (end func()) {
	return func() (end func()) {
		d := NewDynamicSupervisor("idle", MaxChildren(n), WithLogger(quiet))
		if err := d.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		stop := make(chan struct{})
		idle := func(context.Context) error { <-stop; return nil }
		for range n {
			if _, err := d.Go(context.Background(), idle); err != nil {
				b.Fatal(err)
			}
		}
		return func() {
			began := time.Now()
			close(stop)
			if err := d.Stop(context.Background()); err != nil {
				b.Error(err)
			}
			*stopping = time.Since(began)
		}
	}
}

// bytesOf measures what something costs while it is there.
func bytesOf(begin func() (end func())) (heap, stack int64) {
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	end := begin()
	runtime.GC()
	runtime.ReadMemStats(&during)
	end()
	return int64(during.HeapAlloc) - int64(before.HeapAlloc), int64(during.StackInuse) - int64(before.StackInuse)
}

// roomy reports whether the machine has the memory for the largest benchmarks.
func roomy() bool {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kilobytes, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kilobytes >= 8<<20
		}
	}
	return false
}
