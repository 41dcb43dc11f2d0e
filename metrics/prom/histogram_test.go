package prom

import (
	"math"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/headcount-go/headcount"
)

// counted is a histogram with these counts at these numbers of buckets.
func counted(counts map[int]uint64) headcount.Histogram {
	const bounds = 37
	h := headcount.Histogram{Counts: make([]uint64, bounds+1), Sum: 42.5}
	for i := range bounds {
		h.Bounds = append(h.Bounds, time.Microsecond<<i)
	}
	for i, n := range counts {
		h.Counts[i] = n
		h.Count += n
	}
	return h
}

func written(t *testing.T, h headcount.Histogram) *dto.Histogram {
	t.Helper()
	var m dto.Metric
	if err := (&histogram{desc: childLifetime, of: h, path: "app/jobs"}).Write(&m); err != nil {
		t.Fatal(err)
	}
	if len(m.Label) != 1 || m.Label[0].GetName() != "supervisor" || m.Label[0].GetValue() != "app/jobs" {
		t.Errorf("labels are %v", m.Label)
	}
	return m.Histogram
}

func TestTheClassicHistogramIsExactAtItsBounds(t *testing.T) {
	h := written(t, counted(map[int]uint64{0: 1, 1: 2, 2: 4, 10: 8, 37: 16}))
	want := map[float64]uint64{1e-6: 1, 4e-6: 7, 0.000256: 7, 0.001024: 15, 68719.476736: 15}
	for _, b := range h.Bucket {
		if n, ok := want[b.GetUpperBound()]; ok {
			delete(want, b.GetUpperBound())
			if b.GetCumulativeCount() != n {
				t.Errorf("%d within %v s, want %d", b.GetCumulativeCount(), b.GetUpperBound(), n)
			}
		}
	}
	if len(want) > 0 || len(h.Bucket) != 19 || h.GetSampleCount() != 31 || h.GetSampleSum() != 42.5 {
		t.Errorf("no buckets %v among %d; count %d, sum %v", want, len(h.Bucket), h.GetSampleCount(), h.GetSampleSum())
	}
}

func TestTheNativeHistogramHoldsEachBucketWithinFivePercent(t *testing.T) {
	for i := range 38 {
		counts := map[int]uint64{i: 3}
		if i > 2 {
			counts[i-2] = 5 // with a gap between them
		}
		h := written(t, counted(counts))
		if h.GetSchema() != 0 {
			t.Fatalf("schema %d", h.GetSchema())
		}
		got := map[float64]int64{}
		var index int32
		var count, total int64
		deltas := h.PositiveDelta
		for _, span := range h.PositiveSpan {
			index += span.GetOffset()
			for range span.GetLength() {
				count += deltas[0]
				deltas = deltas[1:]
				got[math.Exp2(float64(index))] = count
				total += count
				index++
			}
		}
		if total+int64(h.GetZeroCount()) != int64(h.GetSampleCount()) || len(deltas) > 0 {
			t.Errorf("bucket %d: %d of %d observations are in buckets", i, total+int64(h.GetZeroCount()), h.GetSampleCount())
		}
		if i == 0 {
			if h.GetZeroCount() != 3 {
				t.Errorf("%d in the zero bucket, want 3", h.GetZeroCount())
			}
			continue
		}
		for bound, n := range got {
			exact := math.Exp2(float64(i)) * 1e-6
			if n == 3 && (bound > exact || bound < exact*0.95) {
				t.Errorf("what took up to %v s is told as up to %v s", exact, bound)
			}
		}
	}
}

func TestAnEmptyHistogramIsANativeOneToo(t *testing.T) {
	h := written(t, counted(nil))
	if h.GetZeroThreshold() <= 0 || h.Schema == nil {
		t.Error("a server cannot tell that it is native")
	}
}
