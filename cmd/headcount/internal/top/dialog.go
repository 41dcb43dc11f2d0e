package top

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/headcount-go/headcount/limitfile"
	"github.com/headcount-go/headcount/observe/wire"
)

// A dialog changes a limit, step by step. Escape goes back a step, and from the first one to the tree.
type dialog struct {
	path   string
	step   step
	limits []wire.Limit // nil until they are known
	choice int          // of limits
	value  string
	reason string
	lasts  string
	wrong  string // what is wrong with what was typed
	asked  wire.LimitChange
	effect *wire.Preview // nil until it is known
}

type step int

const (
	chooseLimit step = iota
	typeValue
	typeReason
	typeLasts
	confirm
	making // the change is under way
)

func (d dialog) typing() bool {
	return d.step == typeValue || d.step == typeReason || d.step == typeLasts
}

func (d dialog) limit() wire.Limit { return d.limits[d.choice] }

func (s State) openDialog() (State, effect) {
	r := s.chosen()
	switch {
	case !s.tree.Changes:
		s.notice = "the program does not allow changes here"
	case s.lost != "":
		s.notice = "there is no connection"
	case r != nil:
		s.view, s.dialog, s.detail = dialogView, dialog{path: r.Path}, looked{}
		return s.look(r.Path)
	}
	return s, nil
}

// saw takes the limits of the supervisor. Later looks find the dialog busy.
func (d dialog) saw(l looked) dialog {
	switch {
	case d.limits != nil || l.path != d.path:
	case l.err != nil:
		d.wrong = l.err.Error()
	default:
		d.limits = l.node.Limits
	}
	return d
}

func (s State) dialogKey(k tea.KeyPressMsg) (State, effect) {
	d, name := &s.dialog, k.String()
	switch {
	case d.step == making: // it cannot be called back
	case name == "esc", !d.typing() && name == "q":
		if d.wrong = ""; d.step == chooseLimit {
			s.view = treeView
			return s, nil
		}
		s.goTo(d.step - 1)
	case d.step == chooseLimit:
		s.chooseKey(name)
	case d.step == confirm:
		return s.confirmKey(name)
	case name == "enter":
		return s.typed()
	default:
		s.enter(k)
	}
	return s, nil
}

// goTo begins a step of the dialog with what was typed there before.
func (s *State) goTo(next step) {
	d := &s.dialog
	d.step = next
	switch next {
	case typeValue:
		s.input = newInput(d.value)
	case typeReason:
		s.input = newInput(d.reason)
	case typeLasts:
		s.input = newInput(d.lasts)
	}
}

func (s *State) chooseKey(name string) {
	d := &s.dialog
	switch name {
	case "up", "k":
		d.choice = max(0, d.choice-1)
	case "down", "j":
		d.choice = max(0, min(d.choice+1, len(d.limits)-1))
	case "enter", "right", "l":
		if len(d.limits) > 0 {
			d.value = ""
			s.goTo(typeValue)
		}
	}
}

// typed takes what was typed in a step, if there is nothing wrong with it.
func (s State) typed() (State, effect) {
	d, text := &s.dialog, strings.TrimSpace(s.input.Value())
	switch d.step {
	case typeValue:
		if _, err := limitfile.ParseValue(text); err != nil {
			d.wrong = err.Error()
			return s, nil
		}
		d.value = text
		s.goTo(typeReason)
	case typeReason:
		if text == "" {
			d.wrong = "say why, for those who come after you"
			return s, nil
		}
		d.reason = text
		s.goTo(typeLasts)
	case typeLasts:
		if lasts, err := time.ParseDuration(text); text != "" && (err != nil || lasts <= 0) {
			d.wrong = fmt.Sprintf("%q is not a time such as 30m or 2h", text)
			return s, nil
		}
		d.lasts, d.effect = text, nil
		value, _ := limitfile.ParseValue(d.value) // it was read before
		to := wire.Value(value)
		d.asked = wire.LimitChange{Path: d.path, Limit: d.limit().Name, Value: &to, Why: d.reason, By: s.by, Source: "command"}
		s.goTo(confirm)
		return s, askPreview{d.asked}
	}
	return s, nil
}

// previewed takes what the change would do.
func (s State) previewed(p previewed) State {
	d := &s.dialog
	if s.view != dialogView || d.step != confirm || p.change.Value != d.asked.Value { // by the pointer: it is this very question
		return s
	}
	if p.err != nil {
		d.wrong = p.err.Error()
		s.goTo(typeValue)
		return s
	}
	d.effect = p.preview
	return s
}

func (s State) confirmKey(name string) (State, effect) {
	d := &s.dialog
	switch {
	case name == "n":
		s.view, s.notice = treeView, "nothing is changed"
	case name == "y" && d.effect != nil:
		change := d.asked
		change.Expected = &d.effect.From
		if lasts, _ := time.ParseDuration(d.lasts); lasts > 0 {
			change.Expires = s.latest.Time.Add(lasts).Truncate(time.Second)
		}
		d.step = making
		return s, makeChange{change}
	}
	return s, nil
}

// changed takes what came of a change.
func (s State) changed(c changed) State {
	s.view = treeView
	if c.err != nil {
		s.notice = "not changed: " + c.err.Error()
		return s
	}
	s.notice = fmt.Sprintf("%s %s is %s, %s in force (entry %d of the audit log)", c.entry.Path, c.entry.Limit, c.entry.To, c.entry.InForce, c.entry.ID)
	return s
}
