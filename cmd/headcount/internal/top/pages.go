package top

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/headcount-go/headcount/observe/wire"
)

// page is all lines of what is read: a supervisor, the events, the help.
func (s *State) page() []string {
	switch s.view {
	case detailView:
		return s.detailPage()
	case eventView:
		return s.eventPage(wire.KeptEvents)
	case helpView:
		return s.helpPage()
	}
	return nil
}

func (s *State) eventTitle() string {
	if s.everyone || s.selected == "" {
		return "Events, the newest first"
	}
	return "Events at " + s.selected + " and below, the newest first"
}

// eventPage is at most about n lines of events, the newest first.
func (s *State) eventPage(n int) (page []string) {
	for _, e := range slices.Backward(s.tree.Events) {
		if len(page) >= n {
			break
		}
		if s.everyone || e.Path == s.selected || strings.HasPrefix(e.Path, s.selected+"/") {
			for i, text := range wrapped(e.Text, s.width-10, none) {
				when := ""
				if i == 0 {
					when = e.Time.Local().Format(time.TimeOnly)
				}
				page = append(page, cell(when, 10, faint)+text)
			}
		}
	}
	if len(page) == 0 {
		page = append(page, cell("Nothing has happened lately.", s.width, none))
	}
	return page
}

// detailPage is all there is to know of a supervisor.
func (s *State) detailPage() []string {
	d := s.detail
	say := func(page []string, format string, args ...any) []string {
		return append(page, wrapped(fmt.Sprintf(format, args...), s.width, none)...)
	}
	switch {
	case d.err != nil:
		return wrapped("It cannot be told: "+d.err.Error(), s.width, classes["bad"])
	case d.node == nil:
		return say(nil, "Asking ...")
	}
	n, r := d.node, d.node.Row
	page := []string{cell(r.Status.Shape()+" "+string(r.Status)+", "+words(r.Kind)+" "+words(r.Strategy), s.width, classes[r.Status.Class()])}
	page = say(page, "children %s of %s, at most there were %s; waiting %s of %s; stuck %s; restarting %s",
		number(r.Children), r.Limit, number(r.Peak), number(r.Waiting), number(n.Queue), number(r.Stuck), number(r.Restarting))
	if r.Descendants >= 0 {
		page = say(page, "descendants %s of %s", number(r.Descendants), r.MaxDescendants)
	}
	budget := fmt.Sprintf("each may %d", r.RestartsMost)
	if r.SharesBudget() {
		budget = fmt.Sprintf("%d of %d", r.RestartsUsed, r.RestartsMost)
	}
	page = say(page, "started %s; refused %s; restarts %s (%s within %.0f s)", number(n.Started), number(n.Refused), number(n.Restarts), budget, r.RestartsWithin)
	page = say(page, "ended: normally %s, stopped %s, error %s, panic %s, Goexit %s",
		number(n.Exits.Normal), number(n.Exits.Stopped), number(n.Exits.Error), number(n.Exits.Panic), number(n.Exits.Goexit))
	if n.MaxBytes > 0 {
		page = say(page, "bytes %s of %s", number(n.Bytes), number(n.MaxBytes))
	}
	if len(r.RefusedBy) > 0 {
		var by []string
		for _, reason := range r.RefusedBy {
			by = append(by, reason.Reason+" "+number(reason.Count))
		}
		page = say(page, "refused in the last minute: %s", strings.Join(by, ", "))
	}
	page = append(page, "", cell("Limits", s.width, bold))
	for _, l := range n.Limits {
		for i, text := range wrapped(origin(l), s.width-36, faint) {
			name, value := "", ""
			if i == 0 {
				name, value = l.Name, l.InForce.String()
			}
			page = append(page, cell("  "+name, 22, none)+right(value, 12, none)+"  "+text)
		}
	}
	if d.keys != nil {
		page = append(page, "", cell("Keys that hold most", s.width, bold))
		for _, k := range d.keys.Keys {
			page = append(page, right(number(k.Count), 9, none)+cell("  "+k.Key, s.width-9, none))
		}
	}
	return append(append(page, "", cell("Events", s.width, bold)), s.eventPage(20)...)
}

// words is a kind or a strategy for people.
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// origin is where the value of a limit comes from, and what holds it down.
func origin(l wire.Limit) string {
	text := l.Source
	if l.By != "" {
		text += " by " + l.By
	}
	if l.Why != "" {
		text += ": " + l.Why
	}
	for _, c := range l.Caps {
		text = fmt.Sprintf("capped at %s by %s since %s; ", c.Value, c.Name, c.Since.Local().Format(time.TimeOnly)) + text
	}
	if !l.Expires.IsZero() {
		text = "until " + l.Expires.Local().Format("01-02 15:04") + "; " + text
	}
	return text
}

var keys = []struct{ key, does string }{
	{"↑ ↓ k j", "move; PgUp, PgDn, Home, End too"},
	{"← h", "fold, or go to the supervisor above"},
	{"→ l", "unfold"},
	{"space", "fold or unfold"},
	{"enter", "open the supervisor: its limits, who set them, top keys, events"},
	{"/", "filter: words of a path, state:full, state:problem, unlimited"},
	{"u", "only what is unlimited, and all again"},
	{"s", "sort: problems first, most refused, most children, as declared, by name"},
	{"L", "change a limit of the supervisor"},
	{"e", "events of the supervisor and below; a shows those of all"},
	{"p", "pause, and go on"},
	{"?", "this help"},
	{"esc", "back; end the filter"},
	{"q ctrl+c", "quit"},
}

var states = []struct {
	status wire.Status
	means  string
}{
	{wire.StatusStuck, "children have outlived the time that their stop gave them"},
	{wire.StatusDown, "the supervisor does not run"},
	{wire.StatusRefusing, "starts were refused in the last minute"},
	{wire.StatusAbove, "the limit was lowered below what runs, which goes on"},
	{wire.StatusFull, "no slot is free"},
	{wire.StatusRestarting, "children fail and are run again"},
	{wire.StatusNear, "four fifths or more are used"},
	{wire.StatusUnlimited, "nothing bounds it"},
}

func (s *State) helpPage() (page []string) {
	for _, k := range keys {
		page = append(page, cell("  "+k.key, 14, bold)+cell(k.does, s.width-14, none))
	}
	page = append(page, "", cell("States, the worst that is true. Refused and restarts are those of the last minute.", s.width, bold))
	for _, st := range states {
		page = append(page, cell("  "+st.status.Shape()+" "+string(st.status), 17, classes[st.status.Class()])+cell(st.means, s.width-17, none))
	}
	return page
}
