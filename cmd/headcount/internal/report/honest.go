package report

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
)

// Honest is what honest users met during one attack.
type Honest struct {
	Kind
	// Dropped is how many of the websockets that they kept open were lost.
	Dropped int    `json:"websockets_dropped"`
	Kinds   []Kind `json:"kinds"`
	// Abandoned is how many operations were still unanswered when the users were sent home; they are not in Planned.
	Abandoned int `json:"abandoned,omitempty"`
	// LateP99 is by how much the load generator itself began operations late.
	LateP99 Millis `json:"generator_late_p99_ms"`
}

// Kind is what became of the operations of one kind, or of all together.
type Kind struct {
	Name     string         `json:"name"`
	Planned  int            `json:"planned"`
	Done     int            `json:"done"`
	Failures map[string]int `json:"failures,omitempty"`
	P50      Millis         `json:"p50_ms"`
	P99      Millis         `json:"p99_ms"`
}

// Success is the share of what was planned that was done, from 0 to 1.
func (k Kind) Success() float64 {
	if k.Planned == 0 {
		return 0
	}
	return float64(k.Done) / float64(k.Planned)
}

// Millis is a latency. Negative stands for never, and is null in JSON.
type Millis time.Duration

// Never is the latency of what was not answered.
const Never Millis = -1

// MarshalJSON writes milliseconds.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m < 0 {
		return []byte("null"), nil
	}
	return json.Marshal(float64(time.Duration(m).Microseconds()) / 1000)
}

// Summarize reduces a phase to the numbers of a report.
func Summarize(s honest.Stats) Honest {
	h := Honest{Kind: Kind{Name: "all", Failures: make(map[string]int)}, Dropped: s.Dropped, Abandoned: s.Abandoned}
	var all []time.Duration
	for _, k := range honest.Kinds {
		got := s.Kinds[k]
		h.Kinds = append(h.Kinds, kind(string(k), got.Planned, got.Latencies, got.Failures))
		h.Planned += got.Planned
		all = append(all, got.Latencies...)
		for reason, n := range got.Failures {
			h.Failures[reason] += n
		}
	}
	h.Kind = kind("all", h.Planned, all, h.Failures)
	slices.Sort(s.Late)
	h.LateP99 = millis(Percentile(s.Late, 0, 0.99))
	return h
}

func kind(name string, planned int, latencies []time.Duration, failures map[string]int) Kind {
	slices.Sort(latencies)
	// What is neither done nor failed when the report is made was not answered, and has failed for the user.
	failed := planned - len(latencies)
	return Kind{
		Name: name, Planned: planned, Done: len(latencies), Failures: failures,
		P50: millis(Percentile(latencies, failed, 0.50)),
		P99: millis(Percentile(latencies, failed, 0.99)),
	}
}

func millis(d time.Duration, ok bool) Millis {
	if !ok {
		return Never
	}
	return Millis(d)
}
