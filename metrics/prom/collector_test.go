package prom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/headcount-go/headcount"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func start(t *testing.T, n headcount.Node) {
	t.Helper()
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func wantMetrics(t *testing.T, c *Collector, text string, names ...string) {
	t.Helper()
	if err := testutil.CollectAndCompare(c, strings.NewReader(text), names...); err != nil {
		t.Error(err)
	}
}

func block(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// service is a tree that has something of everything.
func service(t *testing.T) (root *headcount.Supervisor, jobs *headcount.DynamicSupervisor, gate *headcount.Gate) {
	t.Helper()
	gate = headcount.NewGate("conns_per_prefix", 8, nil)
	jobs = headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2), headcount.Wait(1, time.Second), headcount.MaxBytes(1000))
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(headcount.Unlimited), headcount.MaxPerKey(1))
	web := headcount.NewDynamicSupervisor("web", headcount.MaxChildren(4), headcount.Gates(gate, headcount.NewGate("rate", 9, nil).Observing()))
	root = headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet, MaxDescendants: headcount.MaxDescendants(100)}, jobs, users, web)
	start(t, root)
	return root, jobs, gate
}

func TestCollectorTellsWhatIsHeldOfWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root, jobs, _ := service(t)
		for range 2 {
			if _, err := jobs.Go(t.Context(), block); err != nil {
				t.Fatal(err)
			}
		}
		wantMetrics(t, NewCollector(Config{}, root), `
# HELP headcount_children Slots held: children that run, restart, stop or are stuck, and starts about to run.
# TYPE headcount_children gauge
headcount_children{supervisor="app"} 3
headcount_children{supervisor="app/jobs"} 2
headcount_children{supervisor="app/users"} 0
headcount_children{supervisor="app/web"} 0
# HELP headcount_children_limit Limit in force on the children of the supervisor. No series while there is none.
# TYPE headcount_children_limit gauge
headcount_children_limit{supervisor="app"} 1000
headcount_children_limit{supervisor="app/jobs"} 2
headcount_children_limit{supervisor="app/web"} 4
# HELP headcount_supervisor_unlimited 1 if nothing limits the number of children of the supervisor, else 0.
# TYPE headcount_supervisor_unlimited gauge
headcount_supervisor_unlimited{supervisor="app"} 0
headcount_supervisor_unlimited{supervisor="app/jobs"} 0
headcount_supervisor_unlimited{supervisor="app/users"} 1
headcount_supervisor_unlimited{supervisor="app/web"} 0
# HELP headcount_children_per_key_limit Limit in force on the children of one key. No series while there is none.
# TYPE headcount_children_per_key_limit gauge
headcount_children_per_key_limit{supervisor="app/users"} 1
# HELP headcount_descendants Slots held under the limit on the whole subtree.
# TYPE headcount_descendants gauge
headcount_descendants{supervisor="app"} 5
# HELP headcount_descendants_limit Limit in force on the whole subtree. No series while there is none.
# TYPE headcount_descendants_limit gauge
headcount_descendants_limit{supervisor="app"} 100
# HELP headcount_starts_waiting_limit Number of starts that may wait.
# TYPE headcount_starts_waiting_limit gauge
headcount_starts_waiting_limit{supervisor="app/jobs"} 1
# HELP headcount_charged_bytes_limit Budget for the memory that children say they hold.
# TYPE headcount_charged_bytes_limit gauge
headcount_charged_bytes_limit{supervisor="app/jobs"} 1000
# HELP headcount_restart_budget Restarts that are allowed within the period of the budget.
# TYPE headcount_restart_budget gauge
headcount_restart_budget{supervisor="app"} 3
headcount_restart_budget{supervisor="app/jobs"} 3
headcount_restart_budget{supervisor="app/users"} 3
headcount_restart_budget{supervisor="app/web"} 3
`, "headcount_children", "headcount_children_limit", "headcount_supervisor_unlimited", "headcount_children_per_key_limit",
			"headcount_descendants", "headcount_descendants_limit", "headcount_starts_waiting_limit", "headcount_charged_bytes_limit",
			"headcount_restart_budget")
	})
}

func TestCollectorTellsWhatWasRefusedAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prefix, rate := headcount.NewGate("conns_per_prefix", 8, nil), headcount.NewGate("rate", headcount.Unlimited, nil).Observing()
		web := headcount.NewDynamicSupervisor("web", headcount.MaxChildren(0), headcount.WithLogger(quiet), headcount.Gates(prefix, rate))
		start(t, web)
		if _, err := web.Go(t.Context(), block); !errors.Is(err, headcount.ErrMaxChildren) {
			t.Fatalf("error %v, want ErrMaxChildren", err)
		}
		for range 2 {
			if err := prefix.Refuse(); !errors.Is(err, headcount.ErrGate) {
				t.Fatalf("error %v, want ErrGate", err)
			}
		}
		if err := rate.Refuse(); err != nil {
			t.Fatalf("error %v of a gate that only observes", err)
		}
		wantMetrics(t, NewCollector(Config{}, web), `
# HELP headcount_children_refused_total Starts refused, by the limit that said no: a word of Headcount's or the name of a gate.
# TYPE headcount_children_refused_total counter
headcount_children_refused_total{reason="conns_per_prefix",supervisor="web"} 2
headcount_children_refused_total{reason="max_children",supervisor="web"} 1
headcount_children_refused_total{reason="max_descendants",supervisor="web"} 0
headcount_children_refused_total{reason="max_per_key",supervisor="web"} 0
headcount_children_refused_total{reason="priority",supervisor="web"} 0
headcount_children_refused_total{reason="queue_full",supervisor="web"} 0
headcount_children_refused_total{reason="rate",supervisor="web"} 0
headcount_children_refused_total{reason="wait_timeout",supervisor="web"} 0
# HELP headcount_gate_limit Limit of the gate in force. No series while there is none.
# TYPE headcount_gate_limit gauge
headcount_gate_limit{gate="conns_per_prefix",supervisor="web"} 8
# HELP headcount_gate_refused_total What the gate has refused.
# TYPE headcount_gate_refused_total counter
headcount_gate_refused_total{gate="conns_per_prefix",supervisor="web"} 2
headcount_gate_refused_total{gate="rate",supervisor="web"} 0
# HELP headcount_gate_observed_total What the gate, which only observes, would have refused.
# TYPE headcount_gate_observed_total counter
headcount_gate_observed_total{gate="conns_per_prefix",supervisor="web"} 0
headcount_gate_observed_total{gate="rate",supervisor="web"} 1
`, "headcount_children_refused_total", "headcount_gate_limit", "headcount_gate_refused_total", "headcount_gate_observed_total")
	})
}

func TestCollectorTellsHowChildrenEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(9), headcount.WithLogger(quiet), headcount.RestartIntensity(1, time.Minute))
		start(t, jobs)
		run := func(f func(context.Context) error, opts ...headcount.StartOption) {
			t.Helper()
			c, err := jobs.Go(t.Context(), f, opts...)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Wait(t.Context())
		}
		run(func(context.Context) error { time.Sleep(3 * time.Second); return nil })
		run(func(context.Context) error { return errors.New("no") }, headcount.WithRestart(headcount.Transient))
		run(func(context.Context) error { panic("no") })
		wantMetrics(t, NewCollector(Config{}, jobs), `
# HELP headcount_child_exits_total Children that have ended for good, by how.
# TYPE headcount_child_exits_total counter
headcount_child_exits_total{reason="error",supervisor="jobs"} 1
headcount_child_exits_total{reason="goexit",supervisor="jobs"} 0
headcount_child_exits_total{reason="normal",supervisor="jobs"} 1
headcount_child_exits_total{reason="panic",supervisor="jobs"} 1
headcount_child_exits_total{reason="stopped",supervisor="jobs"} 0
# HELP headcount_child_restarts_total Restarts of children.
# TYPE headcount_child_restarts_total counter
headcount_child_restarts_total{supervisor="jobs"} 1
# HELP headcount_children_started_total Children started.
# TYPE headcount_children_started_total counter
headcount_children_started_total{supervisor="jobs"} 3
# HELP headcount_children_peak Most slots ever held at once.
# TYPE headcount_children_peak gauge
headcount_children_peak{supervisor="jobs"} 1
`, "headcount_child_exits_total", "headcount_child_restarts_total", "headcount_children_started_total", "headcount_children_peak")
	})
}

func TestCollectorTellsOfWaitingStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, jobs, _ := service(t)
		for range 2 {
			if _, err := jobs.Go(t.Context(), block); err != nil {
				t.Fatal(err)
			}
		}
		waited := make(chan error, 1)
		go func() { _, err := jobs.Go(t.Context(), block); waited <- err }()
		synctest.Wait()
		c := NewCollector(Config{}, jobs)
		wantMetrics(t, c, `
# HELP headcount_starts_waiting Starts that wait for a slot.
# TYPE headcount_starts_waiting gauge
headcount_starts_waiting{supervisor="app/jobs"} 1
`, "headcount_starts_waiting")
		if err := <-waited; !errors.Is(err, headcount.ErrWaitTimeout) {
			t.Errorf("error %v, want ErrWaitTimeout", err)
		}
	})
}

func TestCollectorTellsWhoChangesLimitsAndWhatHoldsThemDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, jobs, gate := service(t)
		limit := jobs.MaxChildren()
		review := time.Unix(4_000_000_000, 0)
		if err := errors.Join(
			limit.Set(8, headcount.Change{Source: "page", Review: review}), limit.Set(9, headcount.Change{Source: "file", Review: review}),
			limit.Cap("memory", 4, "high"), gate.Limit().Set(3, headcount.Change{Source: "page"}),
		); err != nil {
			t.Fatal(err)
		}
		wantMetrics(t, NewCollector(Config{}, jobs), `
# HELP headcount_children_limit Limit in force on the children of the supervisor. No series while there is none.
# TYPE headcount_children_limit gauge
headcount_children_limit{supervisor="app/jobs"} 4
# HELP headcount_limit_changes_total Changes of limits, by where they came from.
# TYPE headcount_limit_changes_total counter
headcount_limit_changes_total{source="cap",supervisor="app/jobs"} 1
headcount_limit_changes_total{source="file",supervisor="app/jobs"} 1
headcount_limit_changes_total{source="page",supervisor="app/jobs"} 1
# HELP headcount_limit_lowered 1 while a machine's cap holds the limit below what a person has set, else 0.
# TYPE headcount_limit_lowered gauge
headcount_limit_lowered{limit="max_children",supervisor="app/jobs"} 1
# HELP headcount_limit_review_timestamp_seconds When somebody should look at the limit again. No series where no date was given.
# TYPE headcount_limit_review_timestamp_seconds gauge
headcount_limit_review_timestamp_seconds{limit="max_children",supervisor="app/jobs"} 4e+09
`, "headcount_children_limit", "headcount_limit_changes_total", "headcount_limit_lowered", "headcount_limit_review_timestamp_seconds")
	})
}

func TestCollectorTellsWhatBecameOfAFileOfLimits(t *testing.T) {
	root, _, _ := service(t)
	headcount.ReportLimits(root, "limits.yaml", nil)
	headcount.ReportLimits(root, "limits.yaml", errors.New("line 3"))
	headcount.ReportLimits(root, "\xff", nil) // what is no text must not end the scrape
	wantMetrics(t, NewCollector(Config{}, root), `
		# HELP headcount_limit_source_refused 1 while the limits of the source are refused, else 0.
		# TYPE headcount_limit_source_refused gauge
		headcount_limit_source_refused{source="\\xff",supervisor="app"} 0
		headcount_limit_source_refused{source="limits.yaml",supervisor="app"} 1
	`, "headcount_limit_source_refused")
}

func TestMetricsAreNamedByTheConventions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, text := full(t)
		problems, err := testutil.GatherAndLint(registry)
		if err != nil || len(problems) > 0 {
			t.Errorf("error %v, problems %v", err, problems)
		}
		// Every metric that is described is in this exposition, so that all are looked at.
		for _, d := range descs {
			name := strings.Split(d.String(), `"`)[1]
			if !bytes.Contains(text, []byte("\n# TYPE "+name+" ")) && !bytes.HasPrefix(text, []byte("# HELP "+name+" ")) {
				t.Errorf("no %s in the exposition", name)
			}
		}
	})
}

func TestTheDocumentationListsAllMetrics(t *testing.T) {
	raw, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed, described []string
	for _, m := range regexp.MustCompile(`(?m)^//\t(headcount_\w+)`).FindAllStringSubmatch(string(raw), -1) {
		listed = append(listed, m[1])
	}
	for _, d := range descs {
		described = append(described, strings.Split(d.String(), `"`)[1])
	}
	slices.Sort(listed)
	slices.Sort(described)
	if !slices.Equal(listed, described) {
		t.Errorf("listed are\n%v\ndescribed are\n%v", listed, described)
	}
}

func TestPromtoolFindsNothingInTheMetrics(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: the Debian package prometheus has it")
	}
	var text []byte
	synctest.Test(t, func(t *testing.T) { _, text = full(t) })
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s\n%s", err, out, text)
	}
}

// full is a registry of a tree that has a series of each metric, and its exposition as text.
func full(t *testing.T) (*prometheus.Registry, []byte) {
	t.Helper()
	root, jobs, _ := service(t)
	if err := jobs.MaxChildren().Set(3, headcount.Change{Source: "page", Review: time.Now()}); err != nil {
		t.Fatal(err)
	}
	headcount.ReportLimits(root, "limits.yaml", errors.New("line 3"))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewCollector(Config{}, root))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return registry, text.Bytes()
}

// mostSeries is what Config.MaxSupervisors promises for each supervisor with a queue, without gates and changes.
const mostSeries = 80

func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	const supervisors, most = 10_000, 500
	root := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet, MaxChildren: headcount.MaxChildren(supervisors)}, crowd(supervisors-1)...)
	start(t, root)
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewCollector(Config{MaxSupervisors: most}, root))
	began := time.Now()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series, omitted := 0, 0.0
	for _, f := range families {
		for _, m := range f.Metric {
			series++
			if h := m.GetHistogram(); h != nil {
				series += len(h.Bucket) + 2 // the buckets, +Inf, sum and count
			}
			if f.GetName() == "headcount_supervisors_omitted" {
				omitted = m.GetGauge().GetValue()
			}
		}
	}
	t.Logf("%d series of %d supervisors in %v", series, most, time.Since(began).Round(time.Millisecond))
	if omitted != supervisors-most {
		t.Errorf("%v supervisors omitted, want %d", omitted, supervisors-most)
	}
	if series > most*mostSeries+2 || series < most*20 {
		t.Errorf("%d series, want at most %d for each of %d supervisors", series, mostSeries, most)
	}
}

func crowd(n int) []headcount.Specifier {
	var specs []headcount.Specifier
	for i := range n {
		specs = append(specs, headcount.NewDynamicSupervisor(fmt.Sprintf("s%05d", i), headcount.MaxChildren(1), headcount.Wait(1, time.Second)))
	}
	return specs
}

func TestTwoRootsOfOneNameAreNoError(t *testing.T) {
	one, two := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1)), headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2))
	wantMetrics(t, NewCollector(Config{}, one, two), `
# HELP headcount_children_limit Limit in force on the children of the supervisor. No series while there is none.
# TYPE headcount_children_limit gauge
headcount_children_limit{supervisor="jobs"} 1
# HELP headcount_supervisors_omitted Supervisors left out of the scrape: too many, or with a path that another has.
# TYPE headcount_supervisors_omitted gauge
headcount_supervisors_omitted 1
`, "headcount_children_limit", "headcount_supervisors_omitted")
}

func TestACollectorOfNothingPanics(t *testing.T) {
	one := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1))
	for name, make := range map[string]func(){
		"no root":  func() { NewCollector(Config{}) },
		"nil":      func() { NewCollector(Config{}, one, nil) },
		"negative": func() { NewCollector(Config{MaxSupervisors: -1}, one) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make()
		})
	}
}

func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("supervisors=%d", n), func(b *testing.B) {
			root := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet}, crowd(n-1)...)
			if err := root.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			defer root.Stop(context.Background())
			registry := prometheus.NewRegistry()
			registry.MustRegister(NewCollector(Config{}, root))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := registry.Gather(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
