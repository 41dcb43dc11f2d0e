package golang

import (
	"fmt"
	"slices"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestReviewListsSupervisorsWithTheirLimits(t *testing.T) {
	var got []string
	for _, s := range review(t, "testdata/inventory").Supervisors {
		limit := s.Text
		switch s.State {
		case report.Set:
			limit = fmt.Sprint(s.Value)
			if s.Text != limit {
				limit += " (" + s.Text + ")"
			}
		case report.Unlimited:
			limit = "unlimited"
		case report.NotApplicable:
			limit = s.Strategy + ", " + s.Restarts
		}
		got = append(got, fmt.Sprintf("%s %q: %s; %s", s.Kind, s.Name, limit, criticalities[s.Criticality]))
	}
	want := []string{
		`headcount.NewDynamicSupervisor "jobs": 64 (mostJobs); external`,
		`headcount.NewKeyedSupervisor "users": 50000 (headcount.MaxChildren(50_000), headcount.MaxPerKey(8)); external`,
		`headcount.NewDynamicSupervisor "free": unlimited; external`,
		`headcount.NewDynamicSupervisor "set": most; not known`,
		`headcount.NewSupervisor "app": rest_for_one, 5 in 10s; internal`,
		`errgroup.Group "": 4; not known`,
		`errgroup.Group "free": unlimited; internal`,
		`conc pool.Pool "": runtime.NumCPU(); not known`,
		`conc pool.Pool "": unlimited; not known`,
		`ants.Pool "": 100; not known`,
		`ants.Pool "": unlimited; not known`,
		`suture.Supervisor "services": unlimited; not known`,
		`endpoint.New "web": 20000 (20_000); external`,
		`net/http server "": that of its listener; external`,
		`netutil.LimitListener "": 500; external`,
		`net/http server ":8082": unlimited; external`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("missing: %q\nnot wanted: %q", except(want, got), except(got, want))
	}
}

var criticalities = map[report.Criticality]string{
	report.NotKnown: "not known", report.Internal: "internal", report.Unbounded: "unbounded", report.UserOwned: "user-owned", report.External: "external",
}

func TestASupervisorIsReachedWhereItsChildrenStart(t *testing.T) {
	for _, s := range review(t, "testdata/inventory").Supervisors {
		if s.Name != "jobs" {
			continue
		}
		if got, want := names(s.Reach), []string{"route POST /orders", "HTTP handler main.app.order", "Go"}; !slices.Equal(got, want) {
			t.Errorf("reached by %q, want %q", got, want)
		}
	}
}

// It is made where the program begins, and children are started on it by requests.
func TestAMissingLimitIsAsCriticalAsWhatItIsUsedFor(t *testing.T) {
	for _, f := range review(t, "testdata/inventory").Findings {
		if f.Rule != "HC140" {
			continue
		}
		got, want := names(f.Reach), []string{"route POST /orders", "HTTP handler main.app.order", "Go"}
		if f.Criticality != report.External || !slices.Equal(got, want) {
			t.Errorf("%s, reached by %q, want %q", criticalities[f.Criticality], got, want)
		}
		return
	}
	t.Error("MaxChildren(Unlimited) is not found")
}

func names(steps []report.Step) (names []string) {
	for _, s := range steps {
		names = append(names, s.Name)
	}
	return names
}
