package headcount

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramPutsABoundIntoItsOwnBucket(t *testing.T) {
	var empty Histogram
	new(histogram).addTo(&empty)
	if got := empty.Bounds[histogramBounds-1]; got < 19*time.Hour || got > 20*time.Hour {
		t.Fatalf("the last bound is %v", got)
	}
	bucket := func(d time.Duration) int {
		var h histogram
		h.observe(d)
		return slices.Index(h.counts[:], 1)
	}
	for i, bound := range empty.Bounds {
		if got := bucket(bound); got != i {
			t.Errorf("%v is in bucket %d, want %d", bound, got, i)
		}
		if got := bucket(bound + 1); got != i+1 {
			t.Errorf("%v and 1 ns is in bucket %d, want %d", bound, got, i+1)
		}
	}
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1} {
		if got := bucket(d); got != 0 {
			t.Errorf("%d is in bucket %d, want 0", d, got)
		}
	}
	if got := bucket(math.MaxInt64); got != histogramBounds {
		t.Errorf("the longest duration is in bucket %d", got)
	}
}

func TestHistogramAddsStripesUp(t *testing.T) {
	var a, b histogram
	a.observe(time.Second)
	a.observe(3 * time.Microsecond)
	b.observe(3 * time.Microsecond)
	b.observe(-time.Second)
	var sum Histogram
	a.addTo(&sum)
	b.addTo(&sum)
	if sum.Count != 4 || sum.Counts[2] != 2 || sum.Counts[0] != 1 {
		t.Errorf("got %+v", sum)
	}
	if math.Abs(sum.Sum-1.000006) > 1e-9 {
		t.Errorf("sum is %v s", sum.Sum)
	}
}

func TestHistogramSumOutlivesOneWord(t *testing.T) {
	var h histogram
	for range 10 {
		h.observe(math.MaxInt64)
	}
	var got Histogram
	h.addTo(&got)
	if want := 10 * float64(math.MaxInt64) / 1e9; math.Abs(got.Sum/want-1) > 1e-9 {
		t.Errorf("sum is %v s, want %v", got.Sum, want)
	}
}

func TestHistogramQuantileIsAnUpperBoundBelowTwiceTheValue(t *testing.T) {
	var h histogram
	var all []time.Duration
	for range 5000 {
		d := time.Duration(math.Exp(rand.Float64() * math.Log(float64(time.Hour))))
		all = append(all, d)
		h.observe(d)
	}
	slices.Sort(all)
	var got Histogram
	h.addTo(&got)
	for _, q := range []float64{-1, 0, 0.01, 0.5, 0.9, 0.99, 0.999, 1, 2} {
		rank := int(math.Ceil(min(max(q, 0), 1) * float64(len(all))))
		exact := all[max(rank, 1)-1]
		estimate := got.Quantile(q)
		if estimate < exact || (estimate >= 2*exact && estimate > time.Microsecond) {
			t.Errorf("q=%v: %v for %v", q, estimate, exact)
		}
	}
}

func TestHistogramQuantileAtTheEdges(t *testing.T) {
	if got := (Histogram{}).Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	var h histogram
	h.observe(1000 * time.Hour)
	var got Histogram
	h.addTo(&got)
	for _, q := range []float64{0, 0.5, 1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if d := got.Quantile(q); d != got.Bounds[histogramBounds-1] {
			t.Errorf("q=%v: %v", q, d)
		}
	}
}

func BenchmarkHistogramObserve(b *testing.B) {
	var h histogram
	var d time.Duration
	b.ReportAllocs()
	for b.Loop() {
		d += 997
		h.observe(d)
	}
}
