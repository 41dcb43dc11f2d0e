package oteltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/headcount-go/headcount"
	otelmetrics "github.com/headcount-go/headcount/metrics/otel"
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

// collected are the values by name and attributes: "headcount.child.count headcount.supervisor.path=app".
type collected map[string]float64

func collect(t *testing.T, cfg otelmetrics.Config, roots ...headcount.Node) (values collected, names []string) {
	t.Helper()
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	registration, err := otelmetrics.Register(provider.Meter("test"), cfg, roots...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(registration.Unregister(), provider.Shutdown(context.Background())); err != nil {
			t.Error(err)
		}
	}()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	values = collected{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			names = append(names, m.Name)
			switch d := m.Data.(type) {
			case metricdata.Gauge[int64]:
				add(values, m.Name, d.DataPoints)
			case metricdata.Sum[int64]:
				add(values, m.Name, d.DataPoints)
			case metricdata.Sum[float64]:
				add(values, m.Name, d.DataPoints)
			default:
				t.Errorf("%s is a %T", m.Name, d)
			}
		}
	}
	slices.Sort(names)
	return values, names
}

func add[N int64 | float64](values collected, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		values[name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = float64(p.Value)
	}
}

func block(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func TestRegisterTellsTheNumbersOfTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, rate := headcount.NewGate("conns_per_prefix", 8, nil), headcount.NewGate("rate", headcount.Unlimited, nil).Observing()
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2), headcount.Wait(1, time.Second), headcount.MaxBytes(99), headcount.Gates(gate, rate))
		users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(headcount.Unlimited), headcount.MaxPerKey(7))
		root := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet, MaxDescendants: headcount.MaxDescendants(100)}, jobs, users)
		start(t, root)

		for range 2 {
			if _, err := jobs.Go(t.Context(), block); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := jobs.Go(t.Context(), block); !errors.Is(err, headcount.ErrWaitTimeout) {
			t.Fatalf("error %v, want ErrWaitTimeout", err)
		}
		_, _ = gate.Refuse(), rate.Refuse()
		if err := errors.Join(
			jobs.MaxChildren().Set(5, headcount.Change{Source: "page", Review: time.Unix(4_000_000_000, 0)}),
			jobs.MaxChildren().Cap("memory", 4, "high"),
		); err != nil {
			t.Fatal(err)
		}

		headcount.ReportLimits(root, "limits.yaml", errors.New("line 3"))
		got, names := collect(t, otelmetrics.Config{}, root)
		for key, want := range map[string]float64{
			"headcount.child.count headcount.supervisor.path=app/jobs":                                                                    2,
			"headcount.child.max headcount.supervisor.path=app/jobs":                                                                      4,
			"headcount.child.peak headcount.supervisor.path=app/jobs":                                                                     2,
			"headcount.child.started headcount.supervisor.path=app/jobs":                                                                  2,
			"headcount.child.refused error.type=wait_timeout,headcount.supervisor.path=app/jobs":                                          1,
			"headcount.child.refused error.type=conns_per_prefix,headcount.supervisor.path=app/jobs":                                      1,
			"headcount.child.refused error.type=max_children,headcount.supervisor.path=app/jobs":                                          0,
			"headcount.child.exits headcount.exit.reason=panic,headcount.supervisor.path=app/jobs":                                        0,
			"headcount.child.start_wait.sum headcount.supervisor.path=app/jobs":                                                           1,
			"headcount.child.start_wait.count headcount.supervisor.path=app/jobs":                                                         1,
			"headcount.child.pending_starts_max headcount.supervisor.path=app/jobs":                                                       1,
			"headcount.supervisor.unlimited headcount.supervisor.path=app/users":                                                          1,
			"headcount.key.max headcount.supervisor.path=app/users":                                                                       7,
			"headcount.descendant.count headcount.supervisor.path=app":                                                                    4,
			"headcount.descendant.max headcount.supervisor.path=app":                                                                      100,
			"headcount.memory.max headcount.supervisor.path=app/jobs":                                                                     99,
			"headcount.gate.max headcount.gate.name=conns_per_prefix,headcount.supervisor.path=app/jobs":                                  8,
			"headcount.gate.refused headcount.gate.name=conns_per_prefix,headcount.supervisor.path=app/jobs":                              1,
			"headcount.gate.observed headcount.gate.name=rate,headcount.supervisor.path=app/jobs":                                         1,
			"headcount.limit.lowered headcount.limit.name=max_children,headcount.supervisor.path=app/jobs":                                1,
			"headcount.limit.changes headcount.limit.source=page,headcount.supervisor.path=app/jobs":                                      1,
			"headcount.limit.review_time headcount.limit.name=max_children,headcount.supervisor.path=app/jobs":                            4e9,
			"headcount.limit.source.refused headcount.limit.source=limits.yaml,headcount.supervisor.path=app":                             1,
			"headcount.limit.source.sets headcount.limit.result=refused,headcount.limit.source=limits.yaml,headcount.supervisor.path=app": 1,
			"headcount.supervisor.omitted ":                                                                                               0,
			"headcount.supervisor.restart_budget headcount.supervisor.path=app":                                                           3,
		} {
			if value, told := got[key]; !told || value != want {
				t.Errorf("%s is %v (told: %v), want %v", key, value, told, want)
			}
		}
		for _, key := range []string{
			"headcount.child.max headcount.supervisor.path=app/users",
			"headcount.gate.max headcount.gate.name=rate,headcount.supervisor.path=app/jobs",
		} {
			if value, told := got[key]; told {
				t.Errorf("%s is %v, want none: there is no limit", key, value)
			}
		}
		if documented := documentedNames(t); !slices.Equal(names, documented) {
			t.Errorf("instruments are\n%v\ndocumented are\n%v", names, documented)
		}
	})
}

// documentedNames are those in the package's documentation, with units and all.
func documentedNames(t *testing.T) (names []string) {
	t.Helper()
	raw, err := os.ReadFile("../../../metrics/otel/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^//\t(headcount\.\S+) `).FindAllStringSubmatch(string(raw), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

func TestTheNumberOfSupervisorsToldOfIsBounded(t *testing.T) {
	var specs []headcount.Specifier
	for i := range 300 {
		specs = append(specs, headcount.NewDynamicSupervisor(fmt.Sprint("s", i), headcount.MaxChildren(1)))
	}
	root := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet}, specs...)
	start(t, root)
	got, _ := collect(t, otelmetrics.Config{}, root)
	told := 0
	for key := range got {
		if strings.HasPrefix(key, "headcount.child.count ") {
			told++
		}
		if strings.Contains(key, "overflow") {
			t.Errorf("the SDK ran over: %s", key)
		}
	}
	if told != 200 || got["headcount.supervisor.omitted "] != 101 {
		t.Errorf("%d supervisors told of, %v omitted, want 200 and 101", told, got["headcount.supervisor.omitted "])
	}
}

func TestRegisterRefusesWhatIsWrong(t *testing.T) {
	one := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1))
	meter := noop.NewMeterProvider().Meter("test")
	for name, err := range map[string]error{
		"no meter": second(otelmetrics.Register(nil, otelmetrics.Config{}, one)),
		"no root":  second(otelmetrics.Register(meter, otelmetrics.Config{})),
		"nil":      second(otelmetrics.Register(meter, otelmetrics.Config{}, nil)),
		"negative": second(otelmetrics.Register(meter, otelmetrics.Config{MaxSupervisors: -1}, one)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }
