package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample() *Report {
	return &Report{
		OK: true, Seconds: 21, Checks: []Check{{Name: "running jobs", OK: true, Detail: "peak 10, limit 10"}},
		Attacks: []Pair{
			{Name: "calm", Protected: &Side{PeakChildren: 40}, Unprotected: &Side{PeakChildren: 41}},
			{
				Name: "job flood", About: "many jobs",
				Protected: &Side{
					PeakChildren: 58, PeakGoroutines: 310, PeakMemory: 61 << 20,
					Honest: Honest{Kind: Kind{Planned: 200, Done: 200, P99: Millis(84 * time.Millisecond)}},
					Attack: attack.Counts{Planned: 5000, Sent: 5000, Accepted: 300, Refused: map[string]int{"queue_full": 4500, "wait_timeout": 200}},
				},
				Unprotected: &Side{
					PeakChildren: 1804, PeakGoroutines: 5120, PeakMemory: 530 << 20,
					Honest: Honest{Kind: Kind{Planned: 80, Done: 30, P99: Never, Failures: map[string]int{"connection_closed": 50}}, Dropped: 20},
					Attack: attack.Counts{Planned: 5000, Sent: 1900, Accepted: 1850},
					Ended:  "ended above 512 MiB", EndedByCeiling: true,
				},
			},
			{Name: "crash storm", About: "panics", Protected: &Side{}},
		},
	}
}

func TestTableShowsBothSidesBesideEachOther(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Table(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"                                               protected           unprotected",
		"  peak children                                       58                 1,804",
		"  peak goroutines                                    310                 5,120",
		"  peak memory                                     61 MiB               530 MiB",
		"  honest success                          100.0 % of 200           37.5 % of 80",
		"  honest p99                                       84 ms                 never",
		"  honest websockets dropped                            0                    20",
		"  attempts                                         5,000        1,900 of 5,000",
		"  refused: queue_full                              4,500                     0",
		"  refused: wait_timeout                              200                     0",
		"  honest failed: connection_closed                     0                    50",
		"  outcome                                        went on   ended above 512 MiB",
	} {
		found := false
		for line := range strings.Lines(b.String()) {
			found = found || strings.Join(strings.Fields(line), " ") == strings.Join(strings.Fields(want), " ")
		}
		if !found {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}

func TestTableKeepsItsColumns(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Table(&b); err != nil {
		t.Fatal(err)
	}
	const width = labelWidth + 2*cellWidth
	rows := 0
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, "  ") {
			rows++
			if len(line) != width {
				t.Errorf("row of %d columns, want %d: %q", len(line), width, line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows", rows)
	}
}

func TestTableShowsAMissingSideAsADash(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Table(&b); err != nil {
		t.Fatal(err)
	}
	_, storm, _ := strings.Cut(b.String(), "crash storm\n")
	if first, _, _ := strings.Cut(storm, "\n"); !strings.HasSuffix(first, "-") {
		t.Errorf("first row of the attack that was not made on the unprotected application: %q, want a dash at its end", first)
	}
}

func TestTableSaysWhetherItHeld(t *testing.T) {
	r := sample()
	var held, failed bytes.Buffer
	_ = r.Table(&held)
	r.OK, r.Checks[0].OK = false, false
	_ = r.Table(&failed)
	if !strings.Contains(held.String(), "\nHELD") || strings.Contains(held.String(), "FAIL") {
		t.Errorf("a run that held reads\n%s", held.String())
	}
	if !strings.Contains(failed.String(), "\nFAILED") || !strings.Contains(failed.String(), "FAIL  running jobs") {
		t.Errorf("a run that failed reads\n%s", failed.String())
	}
}

func TestJSONIsOneDocumentWithNullForNever(t *testing.T) {
	var b bytes.Buffer
	if err := sample().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		OK      bool `json:"ok"`
		Attacks []struct {
			Name        string
			Unprotected *struct {
				Ended  string
				Honest struct {
					P99 *float64 `json:"p99_ms"`
				}
			}
			Protected struct {
				Honest struct {
					P99 *float64 `json:"p99_ms"`
				}
				Attack struct{ Refused map[string]int }
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	flood := got.Attacks[1]
	if !got.OK || flood.Unprotected.Honest.P99 != nil || *flood.Protected.Honest.P99 != 84 || flood.Protected.Attack.Refused["queue_full"] != 4500 {
		t.Errorf("decoded %+v", got)
	}
	if got.Attacks[2].Unprotected != nil {
		t.Error("a side that was not attacked is not null")
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, c := range []struct {
		values []time.Duration
		failed int
		q      float64
		want   time.Duration
		ok     bool
	}{
		{hundred, 0, 0.50, 50, true},
		{hundred, 0, 0.99, 99, true},
		{hundred, 0, 1, 100, true},
		{hundred, 0, 0, 1, true},
		{hundred[:1], 0, 0.99, 1, true},
		{hundred[:2], 0, 0.50, 1, true},
		{hundred[:3], 0, 0.50, 2, true},
		{nil, 0, 0.99, 0, false},
		// Failures are at the slow end, whatever they took.
		{hundred[:99], 1, 0.99, 99, true},
		{hundred[:98], 2, 0.99, 0, false},
		{hundred[:98], 2, 0.50, 50, true},
		{nil, 5, 0.50, 0, false},
	} {
		got, ok := Percentile(c.values, c.failed, c.q)
		if got != c.want || ok != c.ok {
			t.Errorf("Percentile of %d values and %d failures at %v = %d, %v; want %d, %v", len(c.values), c.failed, c.q, got, ok, c.want, c.ok)
		}
	}
}

func TestSummaryCountsFailuresAsNeverAnswered(t *testing.T) {
	h := Summarize(honest.Stats{
		Kinds: map[honest.Kind]honest.KindStats{
			honest.Echo: {Planned: 9, Latencies: []time.Duration{9, 1, 5, 2, 3, 4, 8, 7, 6}},
			honest.Job:  {Planned: 1, Failures: map[string]int{"queue_full": 1}},
		},
		Dropped: 2,
	})
	if h.Planned != 10 || h.Done != 9 || h.Success() != 0.9 || h.Failures["queue_full"] != 1 || h.Dropped != 2 {
		t.Errorf("got %+v, want 9 of 10 done, one queue_full, two dropped", h)
	}
	if h.P50 != 5 || h.P99 != Never {
		t.Errorf("p50 %d and p99 %d, want 5 and never", h.P50, h.P99)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{thousands(0), "0"}, {thousands(999), "999"}, {thousands(1000), "1,000"}, {thousands(1234567), "1,234,567"},
		{percent(1), "100.0 %"}, {percent(0.9996), "99.9 %"}, {percent(0.29), "29.0 %"}, {percent(0), "0.0 %"},
		{latency(Millis(1500 * time.Microsecond)), "1.5 ms"}, {latency(Millis(2500 * time.Millisecond)), "2.50 s"}, {latency(Never), "never"},
		{mebibytes(3<<20 + 5), "3 MiB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
