package top

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// shop is a tree of a root, jobs that are full, users with a supervisor below, and logs without a limit.
func shop() *wire.Snapshot {
	rows := []wire.Row{
		{Path: "shop", Kind: "supervisor", Limit: 1000, Children: 3},
		{Path: "shop/users", Kind: "keyed_supervisor", Limit: 50, Children: 7},
		{Path: "shop/users/vip", Kind: "dynamic_supervisor", Limit: 5},
		{Path: "shop/jobs", Kind: "dynamic_supervisor", Limit: 4, Children: 4, Status: wire.StatusFull},
		{Path: "shop/logs", Kind: "dynamic_supervisor", Limit: wire.Unlimited, Status: wire.StatusUnlimited},
	}
	for i := range rows {
		r := &rows[i]
		if r.Status == "" {
			r.Status = wire.StatusOK
		}
		r.Index, r.Rank, r.State, r.MaxDescendants, r.Descendants = i, r.Status.Rank(), "running", wire.Unlimited, -1
		names := strings.Split(r.Path, "/")
		r.Depth, r.Name, r.Parent = len(names), names[len(names)-1], strings.Join(names[:len(names)-1], "/")
	}
	return &wire.Snapshot{
		ID: "a-1", Time: noon, Since: noon.Add(-2 * time.Hour), Root: "shop", Changes: true, Rows: rows,
		Totals: wire.Totals{Children: 14, Limit: 59, Goroutines: 20},
		Events: []wire.Event{{ID: 1, Time: noon, Path: "shop/jobs", Text: "shop/jobs: starts are refused"}, {ID: 2, Time: noon, Path: "shop/users/vip", Text: "shop/users/vip: it has begun"}},
	}
}

// A screen is a State with what it has wanted done.
type screen struct {
	t       *testing.T
	s       State
	effects []effect
}

func watching(t *testing.T) *screen {
	c := &screen{t: t, s: New("http://127.0.0.1:7070", "bob")}
	return c.gets(client.Update{Snapshot: shop()})
}

func (c *screen) gets(msgs ...tea.Msg) *screen {
	for _, m := range msgs {
		before := c.s
		shown := before.View()
		s, e := c.s.Update(m)
		if before.View() != shown {
			c.t.Errorf("%v has changed the State before it", m)
		}
		if c.s = s; e != nil {
			c.effects = append(c.effects, e)
		}
	}
	return c
}

// press presses keys: names of keys, or text in quotes.
func (c *screen) press(keys ...string) *screen {
	c.t.Helper()
	for _, k := range keys {
		c.gets(keyOf(k))
	}
	return c
}

func (c *screen) types(text string) *screen {
	for _, r := range text {
		c.gets(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return c
}

func keyOf(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "enter": tea.KeyEnter, "esc": tea.KeyEscape, "home": tea.KeyHome,
		"end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace,
	}
	switch {
	case special[name] != 0:
		return tea.KeyPressMsg{Code: special[name]}
	case name == "space":
		return tea.KeyPressMsg{Code: ' ', Text: " "}
	case strings.HasPrefix(name, "ctrl+"):
		return tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// text is the screen without colours.
func (c *screen) text() string { return ansi.Strip(c.s.View()) }

func (c *screen) shows(words ...string) *screen {
	c.t.Helper()
	for _, w := range words {
		if !strings.Contains(c.text(), w) {
			c.t.Fatalf("the screen does not show %q:\n%s", w, c.text())
		}
	}
	return c
}

func (c *screen) hides(words ...string) *screen {
	c.t.Helper()
	for _, w := range words {
		if strings.Contains(c.text(), w) {
			c.t.Fatalf("the screen shows %q:\n%s", w, c.text())
		}
	}
	return c
}

// order is the names of the supervisors from the top.
func (c *screen) order() string {
	var names []string
	for _, l := range c.s.lines() {
		names = append(names, l.row.Name)
	}
	return strings.Join(names, " ")
}

func (c *screen) wants(t *testing.T, e effect) {
	t.Helper()
	if len(c.effects) == 0 || fmt.Sprintf("%#v", c.effects[len(c.effects)-1]) != fmt.Sprintf("%#v", e) {
		t.Errorf("it wants %#v, should want %#v", c.effects, e)
	}
}

func TestTheScreenShowsTheTreeWithProblemsFirst(t *testing.T) {
	c := watching(t)
	c.shows("shop, up 2 h 0 min", "http://127.0.0.1:7070  connected", "children 14 of 59", "goroutines 20", "◆ full", "4 of 4", "∞ unlimited", "0 of unlimited")
	if got := c.order(); got != "shop jobs logs users vip" {
		t.Errorf("the order is %s", got)
	}
}

func TestSortingKeepsSupervisorsBelowTheirs(t *testing.T) {
	c := watching(t)
	for _, want := range []string{"shop jobs logs users vip" /* none refused */, "shop users vip jobs logs", "shop users vip jobs logs", "shop jobs logs users vip"} {
		c.press("s")
		if want == "shop jobs logs users vip" && c.s.order == mostRefused {
			want = "shop users vip jobs logs" // all alike: as declared
		}
		if got := c.order(); got != want {
			t.Errorf("%s: the order is %s, want %s", c.s.order, got, want)
		}
	}
	c.shows("sorted: by name")
}

func TestWhatIsFoldedStillComesFirstForAProblemBelow(t *testing.T) {
	tree := shop()
	tree.Rows[2].Status, tree.Rows[2].Rank = wire.StatusStuck, wire.StatusStuck.Rank()
	c := watching(t).gets(client.Update{Snapshot: tree})
	if got := c.order(); got != "shop users vip jobs logs" {
		t.Errorf("the order is %s", got)
	}
	c.press("down", "left").shows("+ users (1)")
	if got := c.order(); got != "shop users jobs logs" {
		t.Errorf("folded, the order is %s", got)
	}
	c.press("right").shows("- users")
	c.press("space").shows("+ users (1)").press("space").shows("- users")
	c.press("down", "left")
	if c.s.selected != "shop/users" {
		t.Errorf("left of what has nothing below leads to %s", c.s.selected)
	}
}

func TestKeysMoveTheCursor(t *testing.T) {
	c := watching(t)
	for _, step := range []struct{ key, want string }{
		{"down", "shop/jobs"}, {"j", "shop/logs"}, {"k", "shop/jobs"}, {"end", "shop/users/vip"}, {"down", "shop/users/vip"}, {"g", "shop"}, {"up", "shop"},
		{"pgdown", "shop/users/vip"}, {"pgup", "shop"}, {"G", "shop/users/vip"},
	} {
		if c.press(step.key); c.s.selected != step.want {
			t.Errorf("%s leads to %s, want %s", step.key, c.s.selected, step.want)
		}
	}
}

func TestTheCursorStaysOnItsSupervisor(t *testing.T) {
	c := watching(t).press("down")
	tree := shop()
	stuck := tree.Rows[1]
	stuck.Status, stuck.Rank = wire.StatusStuck, wire.StatusStuck.Rank()
	c.gets(client.Update{Delta: &wire.Delta{ID: "a-2", Time: noon, Rows: []wire.Row{stuck}}})
	if c.s.selected != "shop/jobs" || c.order() != "shop users vip jobs logs" {
		t.Errorf("the cursor is on %s of %s", c.s.selected, c.order())
	}
	c.gets(client.Update{Delta: &wire.Delta{ID: "a-3", Time: noon, Gone: []string{"shop/jobs"}}})
	if c.s.selected != "shop/logs" {
		t.Errorf("after its supervisor has gone, the cursor is on %s", c.s.selected)
	}
}

func TestAFilterShowsWhatMatchesByItsPath(t *testing.T) {
	c := watching(t).press("/").types("state:full").shows("filter: state:full", "shop/jobs").hides("users")
	c.press("enter").shows("esc ends it").press("esc").shows("users")
	c.press("/").types("nowhere").shows("No supervisor matches").press("esc").shows("users")
	c.press("u").shows("shop/logs").hides("jobs").press("u").shows("jobs")
	c.press("/").gets(tea.PasteMsg{Content: "vip\nx"}).press("backspace", "backspace").shows("shop/users/vip").hides("jobs")
}

func TestLettersAreTextWhileAFilterIsTyped(t *testing.T) {
	c := watching(t).press("/").types("qsLu?")
	if c.s.filter != "qsLu?" || len(c.effects) > 0 {
		t.Errorf("the filter is %q, effects %v", c.s.filter, c.effects)
	}
	c.press("ctrl+c").wants(t, quit{})
}

func TestALostConnectionIsToldInWords(t *testing.T) {
	c := watching(t).gets(client.Update{Err: &client.ConnectError{Address: "http://x", Err: errors.New("connection refused")}, Retry: 1500 * time.Millisecond})
	c.shows("NOT CONNECTED", "connection lost, next attempt in 2 s: connection refused", "jobs").press("L").shows("connection lost")
	c.gets(client.Update{Delta: &wire.Delta{ID: "a-2", Time: noon}}).shows("  connected").hides("NOT CONNECTED", "connection lost")
}

func TestPauseHoldsTheScreenUntilItGoesOn(t *testing.T) {
	c := watching(t).press("p").shows("PAUSED at")
	c.gets(client.Update{Delta: &wire.Delta{ID: "a-2", Time: noon, Gone: []string{"shop/jobs"}}}).shows("jobs")
	c.press("p").hides("jobs", "PAUSED")
}

func TestEventsAreThoseAtTheCursorAndBelow(t *testing.T) {
	c := watching(t).press("e").shows("Events at shop and below", "starts are refused", "it has begun")
	c.press("e", "down", "e").shows("Events at shop/jobs", "starts are refused").hides("it has begun")
	c.press("a").shows("it has begun", "Events, the newest first").press("esc").shows("SUPERVISOR")
}

func TestASupervisorIsOpenedAndKeptUpToDate(t *testing.T) {
	c := watching(t).press("end", "up", "enter").shows("Asking")
	c.wants(t, look{"shop/users"})
	node := &wire.Detail{Row: shop().Rows[1], Started: 70, Keyed: true, Limits: []wire.Limit{{Name: "max_per_key", InForce: 3, Value: 5, Source: "page", By: "ann", Why: "a flood", Caps: []wire.Cap{{Name: "memory", Value: 3, Since: noon}}}}}
	c.gets(looked{path: "shop/jobs"}).shows("Asking") // an answer for another one
	c.effects = nil
	c.gets(client.Update{Delta: &wire.Delta{ID: "a-2", Time: noon}})
	c.wants(t, look{"shop/users"})
	c.gets(looked{path: "shop/users", node: node, keys: &wire.TopKeys{Keys: []wire.KeyCount{{Key: "bob", Count: 7}}}})
	c.shows("keyed supervisor", "started 70", "max_per_key", "capped at 3 by memory", "by ann: a flood", "7  bob")
	c.gets(looked{path: "shop/users", err: errors.New("there is no supervisor")}).shows("It cannot be told: there is no supervisor")
	c.press("q").shows("SUPERVISOR").press("q").wants(t, quit{})
}

func TestQuestionMarkShowsTheKeys(t *testing.T) {
	watching(t).press("?").shows("change a limit of the supervisor", "more below").press("end", "pgdown").shows("nothing bounds it").press("?").shows("SUPERVISOR")
}
