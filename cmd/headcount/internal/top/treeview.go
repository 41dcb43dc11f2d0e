package top

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

const (
	statusWidth = 15 // of the longest, ▲ above limit, with a space around
	meterWidth  = 6
	leastName   = 18
	mostIndent  = 12
	wide        = 110 // from this width on a refusal has its reason
)

var titles = []string{"CHILDREN", "REFUSED", "RESTARTS", "WAIT", "STUCK"}

// treeBody is the tree around the cursor, under its titles.
func (s *State) treeBody() []string {
	lines := s.lines()
	cursor := max(0, at(lines, s.selected))
	from := max(0, min(cursor-s.room()/2, len(lines)-s.room()))
	shown := lines[from:min(len(lines), from+s.room())]

	numbers := [][]string{titles}
	for _, l := range shown {
		numbers = append(numbers, s.numbers(l.row))
	}
	widths, name := fit(numbers, s.width-statusWidth-meterWidth-1)
	put := func(texts []string, style lipgloss.Style) (columns string) {
		for i, width := range widths {
			columns += right(texts[i], width, style)
		}
		return columns
	}
	body := []string{cell("SUPERVISOR", name, faint) + cell(" STATE", statusWidth+meterWidth+1, faint) + put(titles, faint)}
	for i, l := range shown {
		style, status := none, classes[l.row.Status.Class()]
		if from+i == cursor {
			style, status = reversed, status.Reverse(true)
		}
		body = append(body, cell(s.nameOf(l, name), name, style)+cell(" "+l.row.Status.Shape()+" "+string(l.row.Status), statusWidth, status)+
			cell(meter(l.row.Use()), meterWidth+1, style)+put(numbers[i+1], style))
	}
	if len(lines) == 0 {
		body = append(body, cell("No supervisor matches the filter.", s.width, none))
	}
	return body
}

// numbers are those of a supervisor, in the order of the titles.
func (s *State) numbers(r *wire.Row) []string {
	use, refused := r.Use(), number(r.RefusedMinute)
	if s.width >= wide && len(r.RefusedBy) > 0 {
		refused += " " + r.RefusedBy[0].Reason
	}
	return []string{number(use.Count) + " of " + use.Limit.String(), refused, number(r.RestartsMinute), number(r.Waiting), number(r.Stuck)}
}

// fit gives the widths of the columns that the name leaves room for, from the left, and that of the name. A column is as
// wide as what is in it, and two more.
func fit(rows [][]string, room int) (widths []int, name int) {
	for i := range rows[0] {
		width := 0
		for _, r := range rows {
			width = max(width, lipgloss.Width(plain.Shown(r[i]))+2)
		}
		if room-width < leastName {
			break
		}
		widths, room = append(widths, width), room-width
	}
	return widths, room
}

// nameOf is the name of a supervisor in its place, or the end of its path where the places are not shown.
func (s *State) nameOf(l line, width int) string {
	if s.filter != "" {
		path := plain.Shown(l.row.Path)
		if over := lipgloss.Width(path) - width; over > 0 {
			path = ansi.TruncateLeft(path, over+1, "…")
		}
		return path
	}
	mark := "  "
	switch {
	case l.folded && l.below > 0:
		mark = "+ "
	case l.below > 0:
		mark = "- "
	}
	name := strings.Repeat("  ", min(l.depth, mostIndent)) + mark + l.row.Name
	if l.folded && l.below > 0 {
		name += fmt.Sprintf(" (%d)", l.below)
	}
	return name
}

// meter is how full a limit is.
func meter(u wire.Use) string {
	if !u.Bounded() {
		return ""
	}
	full := (u.Fill()*meterWidth + 50) / 100
	if u.Count > 0 {
		full = max(full, 1)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", meterWidth-full)
}
