package report

import (
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
)

// good returns facts of a run in which everything held.
func good() Facts {
	in := api.Inside{UserChildrenPeak: 100, PerUserPeak: 8, WSPeak: 80, JobsPeak: 10, RequestsPeak: 50}
	return Facts{
		Limits: Limits{Users: 100, NewUsers: 80, PerUser: 8, Jobs: 10, Requests: 50}, Inside: &in, HonestUsers: 10,
		Attacks: []Pair{{
			Name: "many new users",
			Protected: &Side{
				HeldLimit: 80,
				Attack:    attack.Counts{Sent: 1000, HeldPeak: 80, Refused: map[string]int{"priority": 920}},
				Honest: Honest{
					Kind:  Kind{Planned: 100, Done: 95},
					Kinds: []Kind{{Name: "echo", Planned: 80, Done: 76}, {Name: "job", Planned: 20, Done: 19}},
				},
			},
		}},
		Stop: &Stop{Within: time.Second, Took: time.Second, ExitCode: 3, Refusing: 2, Named: []string{"myapp/workers/job-7", "myapp/workers/job-8"}},
	}
}

func TestARunInWhichEverythingHeldPasses(t *testing.T) {
	for _, c := range Judge(good()) {
		if !c.OK {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	if !Passed(Judge(good())) {
		t.Error("did not pass")
	}
}

func TestEachBrokenPromiseFailsItsOwnCheck(t *testing.T) {
	for _, c := range []struct {
		what  string
		spoil func(*Facts)
		check string // part of the name of the only check that may fail
	}{
		{"one child of users too many", func(f *Facts) { f.Inside.UserChildrenPeak = 101 }, "children of all users"},
		{"one child of one user too many", func(f *Facts) { f.Inside.PerUserPeak = 9 }, "children of one user"},
		{"one websocket too many", func(f *Facts) { f.Inside.WSPeak = 101 }, "websockets, counted inside"},
		{"one job too many", func(f *Facts) { f.Inside.JobsPeak = 11 }, "running jobs"},
		{"one request too many", func(f *Facts) { f.Inside.RequestsPeak = 51 }, "requests"},
		{"jobs not counted", func(f *Facts) { f.Inside.JobsPeak = 0 }, "running jobs"},
		{"users not counted", func(f *Facts) { f.Inside.UserChildrenPeak = 3 }, "children of all users"},
		{"no counts", func(f *Facts) { f.Inside = nil }, "limits"},
		{"the attacker holds one too many", func(f *Facts) { f.Attacks[0].Protected.Attack.HeldPeak = 81 }, "held by the attacker"},
		{"the attacker never got one", func(f *Facts) { f.Attacks[0].Protected.Attack.HeldPeak = 0 }, "held by the attacker"},
		{"nothing was refused", func(f *Facts) { f.Attacks[0].Protected.Attack.Refused = nil }, "pressed against"},
		{"the application ended", func(f *Facts) { f.Attacks[0].Protected.Ended = "ended above 512 MiB" }, "survived"},
		{"an attack was left out", func(f *Facts) { f.Attacks = append(f.Attacks, Pair{Name: "left out"}) }, "left out"},
		{"a websocket dropped", func(f *Facts) { f.Attacks[0].Protected.Honest.Dropped = 1 }, "dropped"},
		{"one honest success too few", func(f *Facts) { f.Attacks[0].Protected.Honest.Done = 94 }, "many new users: honest users"},
		{"nothing honest was done", func(f *Facts) { f.Attacks[0].Protected.Honest.Kind = Kind{} }, "many new users: honest users"},
		{"jobs fail behind many echoes", func(f *Facts) { f.Attacks[0].Protected.Honest.Kinds[1].Done = 18 }, "every job"},
		{"had to be killed", func(f *Facts) { f.Stop.Killed = true }, "stopped in time"},
		{"one of two not named", func(f *Facts) { f.Stop.Named = f.Stop.Named[:1] }, "stopped in time"},
		{"nobody refused to stop", func(f *Facts) { f.Stop.Refusing, f.Stop.Named = 0, nil }, "stopped in time"},
		{"stuck but exit status 0", func(f *Facts) { f.Stop.ExitCode = 0 }, "stopped in time"},
	} {
		f := good()
		c.spoil(&f)
		var failed []string
		for _, check := range Judge(f) {
			if !check.OK {
				failed = append(failed, check.Name)
			}
		}
		if len(failed) != 1 || !strings.Contains(failed[0], c.check) {
			t.Errorf("%s: failed checks %q, want only the one about %q", c.what, failed, c.check)
		}
		if Passed(Judge(f)) {
			t.Errorf("%s: passed", c.what)
		}
	}
}

func TestAnApplicationLeftRunningIsNotJudgedByItsStop(t *testing.T) {
	f := good()
	f.Stop = nil
	if !Passed(Judge(f)) {
		t.Error("did not pass")
	}
}

func TestNoChecksAreNoProof(t *testing.T) {
	if Passed(nil) {
		t.Error("passed without a check")
	}
}
