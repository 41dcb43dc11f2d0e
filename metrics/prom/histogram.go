package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/headcount-go/headcount"
)

// A histogram is a headcount.Histogram as a metric, native and classic at once: the protocol buffers of an exposition
// carry both, its text only the classic one. The constants of client_golang are one or the other.
type histogram struct {
	desc *prometheus.Desc
	of   headcount.Histogram
	path string
}

const (
	// classicStep keeps each second bound in the classic histogram: each bucket there is a series.
	classicStep = 2
	// The native buckets of schema 0 have the powers of two of a second as bounds. Headcount's bound number i is 2^i µs,
	// nearly 2^(i-20) s. What took no longer than the first is in the zero bucket.
	nativeSchema  = 0
	zeroThreshold = 1.0 / (1 << 20)
	firstNative   = 1 - 20
)

func (h *histogram) Desc() *prometheus.Desc { return h.desc }

func (h *histogram) Write(m *dto.Metric) error {
	out := &dto.Histogram{
		SampleCount: proto.Uint64(h.of.Count), SampleSum: proto.Float64(h.of.Sum),
		Schema: proto.Int32(nativeSchema), ZeroThreshold: proto.Float64(zeroThreshold), ZeroCount: proto.Uint64(h.of.Counts[0]),
	}
	var below uint64
	for i, bound := range h.of.Bounds {
		below += h.of.Counts[i]
		if i%classicStep == 0 {
			out.Bucket = append(out.Bucket, &dto.Bucket{CumulativeCount: proto.Uint64(below), UpperBound: proto.Float64(seconds(bound))})
		}
	}
	out.PositiveSpan, out.PositiveDelta = native(h.of.Counts[1:])
	m.Histogram = out
	m.Label = prometheus.MakeLabelPairs(h.desc, []string{h.path})
	return nil
}

// seconds divides, where Duration.Seconds adds and may so be off in the last digit, which would show in the label.
func seconds(d time.Duration) float64 { return float64(d) / float64(time.Second) }

// native gives the buckets that hold something: in spans that follow each other, each count as the difference to the one
// before.
func native(counts []uint64) (spans []*dto.BucketSpan, deltas []int64) {
	next, last := int32(0), int64(0) // the index behind the last bucket written, and its count
	for i, n := range counts {
		if n == 0 {
			continue
		}
		index := int32(firstNative + i)
		if len(spans) > 0 && index == next {
			*spans[len(spans)-1].Length++
		} else {
			spans = append(spans, &dto.BucketSpan{Offset: proto.Int32(index - next), Length: proto.Uint32(1)})
		}
		deltas = append(deltas, int64(n)-last)
		next, last = index+1, int64(n)
	}
	return spans, deltas
}
