package top

import (
	"errors"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/headcount-go/headcount/observe/wire"
)

// choosing is a screen with the limits of the jobs to choose from.
func choosing(t *testing.T) *screen {
	t.Helper()
	c := watching(t).press("down", "L").shows("Change a limit of shop/jobs", "Asking")
	c.wants(t, look{"shop/jobs"})
	return c.gets(looked{path: "shop/jobs", node: &wire.Detail{Limits: []wire.Limit{
		{Name: "max_children", InForce: 4, Value: 4, Ceiling: 100, Source: "code"}, {Name: "rate", Gate: true, InForce: 9, Value: 9, Source: "code"},
	}}}).shows("max_children", "rate")
}

// asked is the change whose preview is wanted.
func (c *screen) asked() wire.LimitChange {
	c.t.Helper()
	e, ok := c.effects[len(c.effects)-1].(askPreview)
	if !ok {
		c.t.Fatalf("it wants %#v, not a preview", c.effects)
	}
	return e.change
}

func TestALimitIsChangedWithValueReasonPreviewAndConfirmation(t *testing.T) {
	c := choosing(t).press("down", "up", "enter").shows("max_children is set to 4", "ceiling 100").types("2").press("enter").types("a flood").press("enter").types("2h").press("enter")
	change := c.asked()
	if change.Path != "shop/jobs" || change.Limit != "max_children" || *change.Value != 2 || change.Why != "a flood" || change.By != "bob" || change.Source != "command" {
		t.Errorf("the change is %+v", change)
	}
	n := len(c.effects)
	c.shows("Asking what it would do").press("y")
	if len(c.effects) > n {
		t.Fatalf("it is made before anybody knows what it does: %v", c.effects[n:])
	}
	c.gets(previewed{change, &wire.Preview{From: 4, To: 2, Effects: []string{"2 above the new limit go on"}, Allowed: true}, nil})
	c.shows("4 -> 2", "2 above the new limit go on", "Make the change?").press("x", "enter", "Y").shows("Make the change?").press("y").shows("Changing it")
	made, ok := c.effects[len(c.effects)-1].(makeChange)
	if !ok || *made.change.Expected != 4 || *made.change.Value != 2 || !made.change.Expires.Equal(noon.Add(2*time.Hour)) {
		t.Fatalf("it wants %#v", c.effects)
	}
	c.press("y", "esc") // once is enough
	if _, again := c.effects[len(c.effects)-1].(makeChange); !again || len(c.effects) != n+1 {
		t.Errorf("it wants more: %v", c.effects[n:])
	}
	c.gets(changed{made.change, &wire.Entry{Path: "shop/jobs", Limit: "max_children", To: 2, InForce: 2, ID: 17}, nil})
	c.shows("SUPERVISOR", "shop/jobs max_children is 2, 2 in force (entry 17 of the audit log)")
}

func TestALowTerminalHasTheEndOfTheDialog(t *testing.T) {
	c := choosing(t).press("enter").types("2").press("enter").types("why").press("enter", "enter").gets(tea.WindowSizeMsg{Width: 80, Height: 10})
	c.gets(previewed{c.asked(), &wire.Preview{From: 4, To: 2, Effects: []string{"one", "two"}}, nil}).shows("one", "two", "Make the change?")
}

func TestWhatIsTypedWrongIsToldBeforeAnythingIsAsked(t *testing.T) {
	c := choosing(t).press("enter")
	c.press("enter").shows(`"" is not a number`).types("many").press("enter").shows(`"many" is not a number`).types("x").hides("is not a number")
	for range "manyx" {
		c.press("backspace")
	}
	c.types("50k").press("enter", "enter").shows("say why").types("because").press("enter")
	c.types("soon").press("enter").shows(`"soon" is not a time`)
	if len(c.effects) != 1 {
		t.Errorf("it has asked: %v", c.effects)
	}
}

func TestEscapeGoesBackStepByStep(t *testing.T) {
	c := choosing(t).press("enter").types("2").press("enter").types("why").press("enter", "enter")
	c.press("esc").shows("for how long").press("esc").shows("reason       why").press("esc").shows("new value    2").press("esc").shows("rate").press("esc").shows("SUPERVISOR")
}

func TestNothingIsChangedByNo(t *testing.T) {
	c := choosing(t).press("enter").types("2").press("enter").types("why").press("enter", "enter")
	c.gets(previewed{c.asked(), &wire.Preview{From: 4, To: 2}, nil}).press("n").shows("nothing is changed", "SUPERVISOR")
	for _, e := range c.effects {
		if _, made := e.(makeChange); made {
			t.Error("the change is made")
		}
	}
}

func TestWhatTheProgramRefusesIsShown(t *testing.T) {
	c := choosing(t).press("enter").types("500").press("enter").types("why").press("enter", "enter")
	c.gets(previewed{c.asked(), nil, errors.New("value is above the ceiling of 100")}).shows("value is above the ceiling of 100", "new value    500")
	c.press("backspace", "enter", "enter", "enter")
	change := c.asked()
	c.gets(previewed{wire.LimitChange{}, &wire.Preview{From: 1, To: 1}, nil}).shows("Asking what") // of a dialog that was left
	c.gets(previewed{change, &wire.Preview{From: 4, To: 50}, nil}).press("y")
	c.gets(changed{change, nil, errors.New("the limit is 7 by now, set by ann")}).shows("not changed: the limit is 7 by now, set by ann")
}

func TestWhereChangesAreNotAllowedThereIsNoDialog(t *testing.T) {
	c := watching(t)
	tree := shop()
	tree.Changes = false
	c.gets(updateOf(tree)).shows("read-only").press("L").shows("does not allow changes here", "SUPERVISOR")
	if len(c.effects) > 0 {
		t.Errorf("it wants %v", c.effects)
	}
}
