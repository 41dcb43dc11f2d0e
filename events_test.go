package headcount

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// allEvents has one event of each type, at path and when.
func allEvents(path string, when time.Time) []Event {
	err := errors.New("boom")
	return []Event{
		ChildFailed{Path: path, Time: when, ID: 7, Err: err, Restart: true},
		ChildRestarted{Path: path, Time: when, ID: 7, Restarts: 2, Delay: time.Second, Err: err},
		ChildGivenUp{Path: path, Time: when, ID: 7, Restarts: 3, Within: 5 * time.Second, Err: err},
		ChildStuck{Path: path, Time: when, ID: 7, After: 5 * time.Second},
		ChildUnstuck{Path: path, Time: when, ID: 7, Stuck: time.Minute},
		StartFailed{Path: path, Time: when, Err: err},
		GroupRestarted{Path: path, Time: when, Strategy: "rest_for_one", Child: "store", Err: err},
		GroupHalted{Path: path, Time: when, Child: "store"},
		SupervisorStarted{Path: path, Time: when},
		SupervisorStopped{Path: path, Time: when, Err: err},
		SupervisorGaveUp{Path: path, Time: when, Err: err},
		LimitsRefused{Path: path, Time: when, Source: "limits.yaml", Err: errors.New("line 3")},
		LimitChanged{Path: path, Time: when, Limit: "max_children", From: 10, To: 20, InForce: 15, Source: "admin", By: "ann", Why: "sale"},
		LimitReached{Path: path, Time: when, Reason: "max_children", Limit: 10},
		LimitCleared{Path: path, Time: when, Reason: "max_children", Refused: 12, For: 3 * time.Second},
	}
}

func TestEventsCarryPathAndTime(t *testing.T) {
	when := time.Unix(1_000_000, 0)
	for _, e := range allEvents("myapp/jobs", when) {
		if e.EventPath() != "myapp/jobs" || !e.EventTime().Equal(when) {
			t.Errorf("%T: %q, %v", e, e.EventPath(), e.EventTime())
		}
	}
}

func TestEventsReadAsOneLine(t *testing.T) {
	want := []string{
		"a/b: child failed, to be restarted: boom",
		"a/b: child restarted, restart 2 after a wait of 1s: boom",
		"a/b: child given up, its budget is 3 restarts within 5s: boom",
		"a/b: child stuck, not returned within its allowance of 5s",
		"a/b: stuck child returned after 1m0s",
		"a/b: start failed: boom",
		"a/b: group restarts (rest_for_one) because of store: boom",
		"a/b: restart of the group waits for store, which has not stopped",
		"a/b: supervisor started",
		"a/b: supervisor stopped: boom",
		"a/b: supervisor gave up: boom",
		"a/b: the limits of limits.yaml are refused, the old ones stay: line 3",
		"a/b: max_children changed from 10 to 20, 15 in force (admin ann): sale",
		"a/b: starts are refused, max_children at 10",
		"a/b: starts are admitted again, max_children refused 12 in 3s",
	}
	for i, e := range allEvents("a/b", time.Time{}) {
		if got := e.String(); got != want[i] {
			t.Errorf("%T\n got %s\nwant %s", e, got, want[i])
		}
	}
}

func TestEventsShowWhatIsUnlimited(t *testing.T) {
	e := LimitChanged{Path: "a", Limit: "max_children", From: math.MaxInt, To: 5, InForce: 5, Source: "cap", By: "memory"}
	if got, want := e.String(), "a: max_children changed from unlimited to 5, 5 in force (cap memory)"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

type panickyError struct{}

func (*panickyError) Error() string { panic("no text") }

func TestEventsStaySafeToPrintWhateverTheErrorSays(t *testing.T) {
	for _, err := range []error{
		nil,
		&panickyError{},
		(*panickyError)(nil),
		errors.New("two\nlines \x1b[2J \u202e \xff and \"quotes\""),
		errors.New(strings.Repeat("ö", 5000)),
		errors.New(strings.Repeat("\x00", 5000)),
	} {
		for _, e := range []Event{
			ChildFailed{Err: err}, ChildRestarted{Err: err}, ChildGivenUp{Err: err}, StartFailed{Err: err},
			GroupRestarted{Err: err}, SupervisorStopped{Err: err}, SupervisorGaveUp{Err: err},
		} {
			if s := e.String(); !safeToShow(s) || len(s) > 4*maxLine+200 {
				t.Errorf("%T: %d bytes: %q", e, len(s), s)
			}
		}
	}
	if s := (LimitChanged{By: "ann\x07", Why: strings.Repeat("\r\n", 400)}).String(); !safeToShow(s) {
		t.Errorf("%q", s)
	}
	if s := (ChildFailed{Err: errors.New(`no "x"` + "\n")}).String(); !strings.HasSuffix(s, `no "x"\n`) {
		t.Errorf("%q", s)
	}
}

func FuzzOneLine(f *testing.F) {
	for _, seed := range []string{"", "plain", "a\nb", "\xff\xff\xff\xff\xff\xff", "日本語", `\"`} {
		f.Add(seed, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(0, limit%1000)
		got := oneLine(s, limit)
		if !safeToShow(got) || len(got) > 10*limit+len("…") {
			t.Fatalf("%q at %d: %q", s, limit, got)
		}
	})
}
