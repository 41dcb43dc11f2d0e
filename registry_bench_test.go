package headcount

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// crowd starts a supervisor that holds so many idle children.
func crowd(b *testing.B, children int) *DynamicSupervisor {
	b.Helper()
	if children > 100_000 && (testing.Short() || !roomy()) {
		b.Skip("needs a few gigabytes of memory; skipped under -short")
	}
	jobs := NewDynamicSupervisor("jobs", MaxChildren(children+1000), WithLogger(quiet))
	startBench(b, jobs)
	for range children {
		if _, err := jobs.Go(context.Background(), benchIdle); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC() // the collection that a million new stacks have called for is not the benchmark's
	return jobs
}

var crowds = []int{1000, 100_000, 1_000_000}

// BenchmarkTree is one snapshot, whatever the number of children.
func BenchmarkTree(b *testing.B) {
	for _, children := range crowds {
		b.Run(fmt.Sprintf("children=%d", children), func(b *testing.B) {
			jobs := crowd(b, children)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if t := jobs.Tree(); t.Counts.Running != children {
					b.Fatal(t.Counts)
				}
			}
		})
	}
}

// BenchmarkList is one child of a full listing, in pages of a thousand.
func BenchmarkList(b *testing.B) {
	for _, children := range crowds {
		b.Run(fmt.Sprintf("children=%d", children), func(b *testing.B) {
			jobs := crowd(b, children)
			b.ReportAllocs()
			b.ResetTimer()
			for i, after := 0, uint64(0); i < b.N; {
				var page []ChildInfo
				page, after = jobs.Children(Query{After: after, Limit: 1000})
				i += len(page)
			}
		})
	}
}

// BenchmarkListFew is one page with a filter that matches nobody: what an outsider can make one request cost.
func BenchmarkListFew(b *testing.B) {
	for _, limit := range []int{1, 100} {
		b.Run(fmt.Sprintf("limit=%d", limit), func(b *testing.B) {
			jobs := crowd(b, 100_000)
			b.ResetTimer()
			for b.Loop() {
				jobs.Children(Query{Limit: limit, Match: func(ChildInfo) bool { return false }})
			}
		})
	}
}

// BenchmarkStartBesideListing tells how long a start takes, half of them and all but one in a hundred, while another
// goroutine lists all children without a pause; beside it the same with nobody listing, and with a goroutine that uses
// the processor only: what remains between these two and the first is what the listing's locks cost.
func BenchmarkStartBesideListing(b *testing.B) {
	beside := []struct {
		name string
		turn func(jobs *DynamicSupervisor, after uint64) uint64
	}{
		{"nothing", nil},
		{"spinning", func(*DynamicSupervisor, uint64) uint64 {
			for began := time.Now(); time.Since(began) < time.Millisecond; {
			}
			return 0
		}},
		{"listing", func(jobs *DynamicSupervisor, after uint64) uint64 {
			_, next := jobs.Children(Query{After: after, Limit: 1000})
			return next
		}},
	}
	for _, children := range crowds {
		for _, other := range beside {
			b.Run(fmt.Sprintf("children=%d/beside=%s", children, other.name), func(b *testing.B) {
				jobs := crowd(b, children)
				var over atomic.Bool
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for after := uint64(0); other.turn != nil && !over.Load(); {
						after = other.turn(jobs, after)
					}
				}()
				took := make([]time.Duration, 0, b.N)
				b.ResetTimer()
				for range b.N {
					began := time.Now()
					c, err := jobs.Go(context.Background(), func(context.Context) error { return nil })
					took = append(took, time.Since(began))
					if err != nil {
						b.Fatal(err)
					}
					<-c.Done()
				}
				b.StopTimer()
				over.Store(true)
				<-ended
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
				b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
			})
		}
	}
}
