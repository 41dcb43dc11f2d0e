package scrape

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"testing"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func gate(name string, limit int) *headcount.Gate { return headcount.NewGate(name, limit, nil) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func start(t *testing.T, n headcount.Node) {
	t.Helper()
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop(context.Background()) })
}

func TestReadGoesLevelByLevelAndTellsWhatItLeavesOut(t *testing.T) {
	deep := headcount.NewSupervisor("a", headcount.SupervisorConfig{Logger: quiet}, headcount.NewSupervisor("b", headcount.SupervisorConfig{},
		headcount.NewDynamicSupervisor("c", headcount.MaxChildren(1))))
	flat := headcount.NewSupervisor("d", headcount.SupervisorConfig{Logger: quiet}, headcount.NewDynamicSupervisor("e", headcount.MaxChildren(1)))
	start(t, deep)
	start(t, flat)
	s := Read([]headcount.Node{deep, flat}, 4)
	var paths []string
	for _, n := range s.Supervisors {
		paths = append(paths, n.Path)
	}
	if got, want := fmt.Sprint(paths), "[a d a/b d/e]"; got != want || s.Omitted != 1 {
		t.Errorf("read %s and left %d out, want %s and 1", got, s.Omitted, want)
	}
}

func TestReadGivesEachPathOnce(t *testing.T) {
	one, two := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1)), headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2))
	s := Read([]headcount.Node{one, two, one}, MaxSupervisors)
	if len(s.Supervisors) != 1 || s.Omitted != 2 || s.Supervisors[0].Counts.Limit != 1 {
		t.Errorf("read %d supervisors and left %d out, want the first and 2", len(s.Supervisors), s.Omitted)
	}
}

func TestGatesComeInABoundedNumberAndEachReasonOnce(t *testing.T) {
	gates := []*headcount.Gate{gate("max_children", 9), gate("rate", 5)}
	for i := range maxGates {
		gates = append(gates, gate(fmt.Sprint("route_", i), 1))
	}
	web := headcount.NewDynamicSupervisor("web", headcount.MaxChildren(0), headcount.Gates(gates...), headcount.WithLogger(quiet))
	start(t, web)
	for _, g := range gates {
		if g.Refuse() == nil {
			t.Fatal("the gate did not refuse")
		}
	}
	if _, err := web.Go(t.Context(), func(context.Context) error { return nil }); err == nil {
		t.Fatal("a child was started above the limit")
	}

	s := Read([]headcount.Node{web}, MaxSupervisors)
	n := s.Supervisors[0]
	if len(n.Gates) != maxGates || s.GatesOmitted != 2 {
		t.Errorf("read %d gates and left %d out, want %d and 2", len(n.Gates), s.GatesOmitted, maxGates)
	}
	refusals := maps.Collect(n.Refusals())
	if refusals["max_children"] != 2 || refusals["rate"] != 1 {
		t.Errorf("refusals are %v, want 2 for max_children and 1 for rate", refusals)
	}
	words := 0
	for range n.Refusals() {
		words++
	}
	if words != len(refusals) {
		t.Errorf("%d words for %d reasons: one came twice", words, len(refusals))
	}
	limits := map[string]bool{}
	for l := range n.AllLimits() {
		if limits[l.Name] {
			t.Errorf("the limit %s came twice", l.Name)
		}
		limits[l.Name] = true
	}
}

func TestALimitIsLoweredWhileACapHoldsItBelowItsSetting(t *testing.T) {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4))
	lowered := func() bool { return Lowered(Read([]headcount.Node{jobs}, 1).Supervisors[0].Limits[0]) }
	if err := jobs.MaxChildren().Cap("memory", 4, ""); err != nil || lowered() {
		t.Errorf("error %v, or a cap as high as the setting lowers it", err)
	}
	if err := jobs.MaxChildren().Cap("memory", 2, ""); err != nil || !lowered() {
		t.Errorf("error %v, or a cap below the setting does not lower it", err)
	}
	jobs.MaxChildren().Uncap("memory")
	if lowered() {
		t.Error("a cap that was lifted lowers the limit")
	}
	if c := (Read([]headcount.Node{jobs}, 1).Supervisors[0].Changes()); c["cap"] != 3 {
		t.Errorf("changes are %v, want 3 by caps", c)
	}
}
