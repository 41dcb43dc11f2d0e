package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestTreeShowsEachSupervisorInItsPlace(t *testing.T) {
	p := start(t)
	p.fill(t, 4)
	eventually(t, "the page has looked", func() bool { return strings.Contains(p.command(t, "", "tree URL").out, "full") })
	r := p.command(t, "", "tree URL")
	r.has(t, 0)
	lines := strings.Split(r.out, "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[1], "shop ") || !strings.HasPrefix(lines[2], "  jobs ") || !strings.Contains(lines[2], "◆ full") ||
		!strings.Contains(lines[2], "4 of 4") || !strings.HasPrefix(lines[3], "  users ") {
		t.Errorf("the tree is\n%s", r.out)
	}
	r = p.command(t, "", "tree URL -filter state:full")
	if r.has(t, 0, "shop/jobs"); strings.Contains(r.out, "users") {
		t.Errorf("the filter lets through\n%s", r.out)
	}
	p.command(t, "", "tree URL shop/users").has(t, 0, "shop/users", "0 of 50")
	var s wire.Snapshot
	r = p.command(t, "", "tree -json URL shop/jobs")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || len(s.Rows) != 1 || s.Rows[0].Path != "shop/jobs" || s.Rows[0].Limit != 4 {
		t.Errorf("error %v, as JSON:\n%s", err, r.out)
	}
}

func TestAnUnknownPathIsToldWithTheNearest(t *testing.T) {
	p := start(t, observe.AllowChanges())
	for _, line := range []string{"tree URL shop/jbos", "limits get URL shop/jbos", "events URL shop/jbos", "limits set URL shop/jbos max_children 5 -reason x"} {
		p.command(t, "", line).has(t, exitError, `there is no supervisor at "shop/jbos"; did you mean shop/jobs?`)
	}
	p.command(t, "", "tree URL nothing/like/it").has(t, exitError, `there is no supervisor at "nothing/like/it"`+"\n")
	p.command(t, "", "limits set URL shop/jobs max_childen 5 -reason x").has(t, exitError, "did you mean max_children?")
	p.command(t, "", "limits set URL shop/jobs memory 5 -reason x").has(t, exitError, "there are max_children, rate")
}

func TestLimitsGetShowsWhoSetThemAndWhatHoldsThemDown(t *testing.T) {
	p := start(t)
	if err := p.users.MaxPerKey().Set(2, headcount.Change{Source: "page", By: "bob\x1b[31m", Why: "a flood"}); err != nil {
		t.Fatal(err)
	}
	if err := p.jobs.MaxChildren().Cap("memory", 1, "it is short"); err != nil {
		t.Fatal(err)
	}
	r := p.command(t, "", "limits get URL")
	r.has(t, 0, `page by bob\x1b[31m: a flood`, "capped at 1 by memory", "rate")
	if strings.Contains(r.out, "\x1b") {
		t.Error("a control character has come through")
	}
	var all wire.AllLimits
	r = p.command(t, "", "limits get -json URL shop/jobs")
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all.Supervisors) != 1 || all.Supervisors[0].Limits[0].InForce != 1 || all.Supervisors[0].Limits[0].Value != 4 {
		t.Errorf("error %v, as JSON:\n%s", err, r.out)
	}
}

func TestLimitsSetSaysWhatItDoesAndAsks(t *testing.T) {
	p := start(t, observe.AllowChanges())
	p.fill(t, 3)
	inForce := func(want int) {
		t.Helper()
		if got := p.jobs.MaxChildren().Snapshot().InForce; got != want {
			t.Errorf("the limit is %d, want %d", got, want)
		}
	}
	set := "limits set URL shop/jobs max_children "
	p.command(t, "y", set+"1 -dry-run -reason test").has(t, 0, "shop/jobs max_children: 4 -> 1", "2 above the new limit go on")
	inForce(4)
	p.command(t, "no\n", set+"1 -reason test").has(t, exitFailed, "Make the change?", "Nothing is changed.")
	inForce(4)
	p.command(t, "y\n", set+"2 -reason test").has(t, 0, "Changed by ann; 2 is in force")
	inForce(2)
	p.command(t, "", set+"50 -y -for 2h", "-reason", "the sale").has(t, 0, "until ")
	inForce(50)
	s := p.jobs.MaxChildren().Snapshot().Setting
	if left := time.Until(s.Expires); s.Why != "the sale" || s.Source != "command" || s.By != "ann" || left < 119*time.Minute || left > 2*time.Hour {
		t.Errorf("the setting is %+v", s)
	}
	var e wire.Entry
	r := p.command(t, "", set+"0_007 -yes -json -reason x")
	r.has(t, exitError, "begins with 0")
	r = p.command(t, "", set+"7 -yes -json -reason x")
	if err := json.Unmarshal([]byte(r.out), &e); err != nil || e.From != 50 || e.To != 7 {
		t.Errorf("error %v, as JSON:\n%s", err, r.out)
	}
	var v wire.Preview
	r = p.command(t, "", set+"unlimited -dry-run -json -reason x")
	r.has(t, exitFailed, "above the ceiling of 100")
	r = p.command(t, "", set+"100 -dry-run -json -reason x")
	if err := json.Unmarshal([]byte(r.out), &v); err != nil || v.To != 100 {
		t.Errorf("error %v, as JSON:\n%s", err, r.out)
	}
	inForce(7)
}

func TestLimitsSetSaysWhatIsWrong(t *testing.T) {
	p := start(t, observe.AllowChanges())
	for line, want := range map[string]string{
		"limits set URL shop/jobs max_children 5":                    "--reason is missing",
		"limits set URL shop/jobs max_children 5 -reason= ":          "--reason is missing",
		"limits set URL shop/jobs max_children many -reason x":       `"many" is not a number`,
		"limits set URL shop/jobs max_children -50k -reason x":       "VALUE -50k is negative",
		"limits set URL shop/jobs max_children 5 -reasom x":          "unknown shorthand flag: 'r'",
		"limits set URL shop/jobs max_children 5 --reasom x":         "unknown flag: --reasom",
		"limits set URL shop/jobs max_children 5 -reason x -for 0s":  "--for is 0s",
		"limits set URL shop/jobs max_children 5 -reason x -for ten": "invalid argument",
		"limits set URL shop/jobs max_children 5 extra -reason x":    "accepts 4 arg",
	} {
		p.command(t, "", line).has(t, exitError, want)
	}
}

func TestAReadOnlyProgramIsNotAskedForAChange(t *testing.T) {
	p := start(t)
	r := p.command(t, "y\n", "limits set URL shop/jobs max_children 5 -reason x")
	if r.has(t, exitNotAllowed, "4 -> 5", "does not allow changes"); strings.Contains(r.out, "Make the change?") {
		t.Error("it asks for a confirmation")
	}
}

func TestLimitsCheckTriesAFile(t *testing.T) {
	p := start(t)
	file := filepath.Join(t.TempDir(), "limits.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("shop/jobs: {max_children: 50, rate: 5}\nshop/users: {max_per_key: 3}\n")
	r := p.command(t, "", "limits check -json", file, p.url)
	var good checkResult
	if err := json.Unmarshal([]byte(r.out), &good); err != nil || r.status != 0 || !good.OK || len(good.Planned) != 3 || good.Planned[0].From != 4 || good.Planned[0].To != 50 {
		t.Errorf("status %d, error %v:\n%s", r.status, err, r.out)
	}
	p.command(t, "", "limits check", file, p.url).has(t, 0, "shop/jobs", "50", "the same")
	if got := p.jobs.MaxChildren().Snapshot().InForce; got != 4 {
		t.Errorf("the check has set the limit to %d", got)
	}

	write("shop/jobs:\n  max_children: 500\nshop/usres: {max_per_key: 3} # \x1b]0;title\a\n")
	r = p.command(t, "", "limits check", file, p.url)
	r.has(t, exitFailed, file+":2:17: max_children 500 is above the ceiling 100", `> 2 |   max_children: 500`, "did you mean shop/users?")
	if strings.Contains(r.out+r.err, "\x1b") {
		t.Error("a control character has come through")
	}
	r = p.command(t, "", "limits check -json", file, p.url)
	var bad checkResult
	if err := json.Unmarshal([]byte(r.out), &bad); err != nil || r.status != exitFailed || bad.OK || bad.Total != 2 || bad.Problems[0].Line == 0 || bad.Problems[0].Excerpt == "" {
		t.Errorf("status %d, error %v:\n%s", r.status, err, r.out)
	}
	p.command(t, "", "limits check no/such/file URL").has(t, exitFailed, "no such file")
}

func TestRulesAndDashboardAreMadeForARunningProgram(t *testing.T) {
	p := start(t)
	r := p.command(t, "", "rules URL")
	r.has(t, 0, `supervisor=~"(shop)(/.*)?"`, "headcount_gate")
	if any := p.command(t, "", "rules"); !strings.Contains(any.out, "Subtree") || strings.Contains(r.out, "Subtree") {
		t.Errorf("there are rules for what the program has not got:\n%s", r.out)
	}
	r = p.command(t, "", "dashboard URL")
	if r.has(t, 0); !json.Valid([]byte(r.out)) {
		t.Errorf("the dashboard is not JSON:\n%s", r.out)
	}
}

func TestPathsAndLimitsAreCompletedFromTheProgram(t *testing.T) {
	p := start(t)
	for line, want := range map[string][]string{
		"__complete tree URL ":                          {"shop", "shop/jobs", "shop/users"},
		"__complete limits get URL ":                    {"shop", "shop/jobs", "shop/users"},
		"__complete events -json URL ":                  {"shop", "shop/jobs", "shop/users"},
		"__complete limits set URL shop/jobs ":          {"max_children", "rate"},
		"__complete limits set URL shop/jobs rate ":     {},
		"__complete tree http://127.0.0.1:1 ":           {},
		"__complete tree -token-file /no/such/file URL": {},
	} {
		r := p.command(t, "", line, "")
		var got []string
		for _, l := range strings.Split(strings.TrimSpace(r.out), "\n") {
			if !strings.HasPrefix(l, ":") {
				got = append(got, l)
			}
		}
		if r.status != 0 || !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: status %d, %q, want %q", line, r.status, got, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		p.command(t, "", "completion "+shell).has(t, 0, "headcount")
	}
}

// A meddler changes the limit while the command waits for its answer.
type meddler struct {
	t *testing.T
	l *headcount.Limit
}

func (m meddler) Read(b []byte) (int, error) {
	change(m.t, m.l, 60, "meanwhile")
	return copy(b, "y\n"), nil
}

func TestAChangeThatSomebodyElseHasPassedIsRefused(t *testing.T) {
	p := start(t, observe.AllowChanges())
	var out, errOut lockedBuffer
	root := rootCommand()
	root.SetIn(meddler{t, p.jobs.MaxChildren()})
	root.SetOut(&out)
	root.SetErr(&errOut)
	status := execute(t.Context(), root, strings.Fields("limits set "+p.url+" shop/jobs max_children 5 -reason x"))
	result{status, out.String(), errOut.String()}.has(t, exitFailed, "the limit is 60 by now, set by bob")
	if got := p.jobs.MaxChildren().Snapshot().InForce; got != 60 {
		t.Errorf("the limit is %d", got)
	}
}

func TestAProgramThatIsTooBusySaysSo(t *testing.T) {
	p := start(t, observe.Viewers(1))
	c, err := new(connection).connect(p.url, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range c.Follow(t.Context()) { // one who looks on
		p.command(t, "", "events -f -n 0 URL").has(t, exitUnreached, "cannot answer now", "at their limit of 1")
		break
	}
}
