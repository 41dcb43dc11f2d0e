package top

import (
	"fmt"

	"github.com/headcount-go/headcount"
)

// dialogBody is the dialog with what was answered so far.
func (s *State) dialogBody() []string {
	d := &s.dialog
	line := func(text string) string { return cell(text, s.width, none) }
	var body []string
	switch {
	case d.step > chooseLimit:
		l := d.limit()
		text := fmt.Sprintf("%s is set to %s, %s in force", l.Name, l.Value, l.InForce)
		if l.Ceiling < headcount.MaxLimit {
			text += ", ceiling " + l.Ceiling.String()
		}
		text += "; " + origin(l)
		body = append(append(body, wrapped(text, s.width, none)...), "")
		for _, f := range []struct {
			step         step
			title, typed string
		}{{typeValue, "new value   ", d.value}, {typeReason, "reason      ", d.reason}, {typeLasts, "for how long", d.lasts}} {
			switch {
			case f.step == d.step:
				body = append(body, cell(f.title, 13, bold)+s.inputView(s.width-13))
			case f.step < d.step:
				body = append(body, cell(f.title, 13, none)+cell(f.typed, s.width-13, none))
			}
		}
	case d.wrong != "":
	case d.limits == nil:
		return []string{line("Asking ...")}
	case len(d.limits) == 0:
		return []string{line("It has no limits.")}
	default:
		return s.choices()
	}
	if d.wrong != "" {
		body = append(append(body, ""), wrapped(d.wrong, s.width, classes["bad"])...)
	}
	switch {
	case d.step == making:
		body = append(body, "", line("Changing it ..."))
	case d.step == confirm && d.effect == nil:
		body = append(body, "", line("Asking what it would do ..."))
	case d.step == confirm:
		body = append(body, "", cell(fmt.Sprintf("%s -> %s", d.effect.From, d.effect.To), s.width, bold))
		for _, e := range d.effect.Effects {
			body = append(body, wrapped(e, s.width, none)...)
		}
		body = append(body, "", cell("Make the change? y makes it, n does not.", s.width, bold))
	}
	return body[max(0, len(body)-s.room()):] // what is asked stands at the end
}

// choices are the limits to choose from, around the chosen one.
func (s *State) choices() (body []string) {
	d := &s.dialog
	from := max(0, min(d.choice-s.room()/2, len(d.limits)-s.room()))
	for i, l := range d.limits[from:min(len(d.limits), from+s.room())] {
		style := none
		if from+i == d.choice {
			style = reversed
		}
		body = append(body, cell("  "+l.Name, 24, style)+right(l.InForce.String(), 12, style)+cell("  "+origin(l), s.width-36, style))
	}
	return body
}

func (d *dialog) help() string {
	switch d.step {
	case chooseLimit:
		return "↑↓ choose  enter change it  esc back to the tree"
	case typeValue:
		return "50000, 50k, 2M or unlimited    enter next  esc back"
	case typeReason:
		return "why: for the audit log    enter next  esc back"
	case typeLasts:
		return "30m, 2h: then the value before comes back; empty: no end    enter next  esc back"
	case confirm:
		return "y make the change  n leave it  esc back"
	}
	return ""
}
