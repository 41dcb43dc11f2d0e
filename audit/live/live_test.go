package live

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/audit/report"
	"github.com/headcount-go/headcount/observe"
	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a tree until the end of the test.
func start(t *testing.T, s headcount.Node) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// pageOf runs the page of a tree, which looks at it once at the start.
func pageOf(t *testing.T, app headcount.Node) *observe.Handler {
	t.Helper()
	page := observe.NewHandler("page", app, observe.Logger(slog.New(slog.DiscardHandler)))
	start(t, page.Supervisor())
	return page
}

// small runs the page of a tree of two.
func small(t *testing.T) *observe.Handler {
	t.Helper()
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2))
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: slog.New(slog.DiscardHandler)}, jobs)
	start(t, app)
	return pageOf(t, app)
}

func connect(t *testing.T, page http.Handler) *client.Client {
	t.Helper()
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// found are the findings as "rule path", in their order.
func found(r report.Result) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Rule+" "+f.Symbol)
	}
	return strings.Join(out, ", ")
}

func TestARunningProgramIsReviewed(t *testing.T) {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2))
	free := headcount.NewDynamicSupervisor("free", headcount.MaxChildren(headcount.Unlimited))
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50), headcount.MaxPerKey(headcount.Unlimited))
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: slog.New(slog.DiscardHandler)}, jobs, free, users)
	start(t, app)
	hold := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for range 120 {
		jobs.Go(t.Context(), hold)
	}
	if err := jobs.MaxChildren().Set(3, headcount.Change{By: "ann", Why: "a test", Review: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	jobs.Go(t.Context(), hold)

	r, err := Review(t.Context(), connect(t, pageOf(t, app)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := found(r), "HC304 app/jobs, HC306 app/jobs, HC301 app/free, HC302 app/users"; got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	for i, want := range []string{"app/jobs has refused 118 of 121 starts, and has been at its limit of 3", "max_children of app/jobs, set by ann, was to be looked at again on "} {
		if !strings.HasPrefix(r.Findings[i].Message, want) {
			t.Errorf("message %q, want %q", r.Findings[i].Message, want)
		}
	}
	if r.Findings[3].Criticality != report.UserOwned || r.Findings[3].Severity() != report.Error {
		t.Errorf("%+v", r.Findings[3])
	}
	states := map[string]report.Limit{}
	for _, s := range r.Supervisors {
		states[s.Symbol] = s.Limit
	}
	if len(states) != 4 || states["app"].State != report.NotApplicable || states["app/jobs"].Value != 3 || states["app/free"].State != report.Unlimited {
		t.Errorf("supervisors %+v", states)
	}
}

func TestAProgramThatDoesNotAnswerIsAnError(t *testing.T) {
	server := httptest.NewServer(nil)
	url := server.URL
	server.Close()
	c, err := client.New(url, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Review(t.Context(), c); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(url, "http://")) {
		t.Errorf("error %v", err)
	}
}

func TestAProgramThatEndsMeanwhileIsAnError(t *testing.T) {
	page := small(t)
	var nodes atomic.Int32
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/node") {
			nodes.Add(1)
			panic(http.ErrAbortHandler)
		}
		page.ServeHTTP(w, r)
	}))
	var unreached *client.ConnectError
	if _, err := Review(t.Context(), c); !errors.As(err, &unreached) || nodes.Load() > 2 { // net/http asks twice
		t.Errorf("error %v after %d questions", err, nodes.Load())
	}
}

func TestASupervisorThatIsGoneMeanwhileIsNotMissed(t *testing.T) {
	page := small(t)
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("path") == "app/jobs" {
			r.URL.RawQuery = "path=app/gone"
		}
		page.ServeHTTP(w, r)
	}))
	if r, err := Review(t.Context(), c); err != nil || len(r.Supervisors) != 1 || len(r.Unread) != 0 {
		t.Errorf("error %v, report %+v", err, r)
	}
}

func TestRulesForNumbersOfARunningProgram(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	old := moment{now, now.Add(-48 * time.Hour)}
	row := func(kind string, limit, peak int) wire.Row {
		return wire.Row{Path: "app/x", Kind: kind, Limit: wire.Value(limit), Peak: peak}
	}
	const dynamic = "dynamic_supervisor"
	budget := func(used, most int) wire.Row {
		r := row("supervisor", headcount.Unlimited, 0)
		r.RestartsUsed, r.RestartsMost = used, most
		return r
	}
	for _, c := range []struct {
		about string
		at    moment
		node  wire.Detail
		want  string
	}{
		{"declared children need no limit", old, wire.Detail{Row: row("supervisor", headcount.Unlimited, 3)}, ""},
		{"a limit far above its peak", old, wire.Detail{Row: row(dynamic, 1000, 100)}, "HC303"},
		{"a limit not so far above it", old, wire.Detail{Row: row(dynamic, 1000, 101)}, ""},
		{"a small limit", old, wire.Detail{Row: row(dynamic, 16, 1)}, ""},
		{"one that was never used", old, wire.Detail{Row: row(dynamic, 1000, 0)}, ""},
		{"a program that has just begun", moment{now, now.Add(-time.Hour)}, wire.Detail{Row: row(dynamic, 1000, 1)}, ""},
		{"a program that does not say since when it runs", moment{now: now}, wire.Detail{Row: row(dynamic, 1000, 1)}, ""},
		{"a limit that is hit often", old, wire.Detail{Row: row(dynamic, 8, 8), Started: 190, Refused: 10}, "HC304"},
		{"one that is hit now and then", old, wire.Detail{Row: row(dynamic, 8, 8), Started: 191, Refused: 9}, ""},
		{"refused by another limit", old, wire.Detail{Row: row(dynamic, 8, 7), Started: 100, Refused: 100}, ""},
		{"too few starts to tell", old, wire.Detail{Row: row(dynamic, 8, 8), Started: 50, Refused: 49}, ""},
		{"closed on purpose", old, wire.Detail{Row: row(dynamic, 0, 8), Refused: 500}, ""},
		{"half of the restarts used", old, wire.Detail{Row: budget(2, 4)}, "HC305"},
		{"fewer", old, wire.Detail{Row: budget(1, 4)}, ""},
		{"no budget", old, wire.Detail{Row: budget(0, 0)}, ""},
		{"a review that is due", old, wire.Detail{Row: row(dynamic, 8, 1), Limits: []wire.Limit{{Name: "max_children", Review: now.Add(-time.Second)}}}, "HC306"},
		{"a review to come", old, wire.Detail{Row: row(dynamic, 8, 1), Limits: []wire.Limit{{Name: "max_children", Review: now}, {Name: "conns"}}}, ""},
	} {
		var got []string
		for _, f := range look(c.at, &c.node) {
			got = append(got, f.Rule)
		}
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: found %v, want %q", c.about, got, c.want)
		}
	}
}

func TestWhatIsProposedIsAboveThePeak(t *testing.T) {
	for peak, want := range map[int]int{0: 8, 4: 8, 5: 10, 49: 98, 51: 110, 1234: 2500, 50_000: 100_000} {
		if got := enough(peak); got != want {
			t.Errorf("for a peak of %d: %d, want %d", peak, got, want)
		}
	}
}
