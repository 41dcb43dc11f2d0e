package top

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/headcount-go/headcount/internal/plain"
)

// Colours are the terminal's own, so that they suit its background. Each has a word or a shape beside it.
var (
	bold     = lipgloss.NewStyle().Bold(true)
	faint    = lipgloss.NewStyle().Faint(true)
	reversed = lipgloss.NewStyle().Reverse(true)
	none     = lipgloss.NewStyle()
	classes  = map[string]lipgloss.Style{
		"bad":  lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true),
		"warn": lipgloss.NewStyle().Foreground(lipgloss.Yellow),
		"good": lipgloss.NewStyle().Foreground(lipgloss.Green),
	}
)

// cell is text from anywhere as it stands on the screen: escaped, and as wide as its place.
func cell(text string, width int, style lipgloss.Style) string {
	width = max(0, width)
	text = ansi.Truncate(plain.Shown(text), width, "…")
	return style.Render(text + strings.Repeat(" ", width-lipgloss.Width(text)))
}

// right is a cell with its text set to the right.
func right(text string, width int, style lipgloss.Style) string {
	text = ansi.Truncate(plain.Shown(text), max(0, width), "…")
	return cell(strings.Repeat(" ", max(0, width-lipgloss.Width(text)))+text, width, style)
}

// number is a count with its thousands apart.
func number[N int | int64 | uint64](n N) string { return plain.Number(int64(n)) }

// wrapped is text from anywhere in as many lines as it needs, the later ones set in.
func wrapped(text string, width int, style lipgloss.Style) (lines []string) {
	const in = "  "
	width = max(width, 20)
	for part := range strings.SplitSeq(ansi.Wrap(plain.Shown(text), width-len(in), ""), "\n") {
		if lines != nil {
			part = in + part
		}
		lines = append(lines, cell(part, width, style))
	}
	return lines
}

// headLines and footLines are around what a view shows.
const (
	headLines = 3
	footLines = 2
)

// room is how many lines a view has.
func (s *State) room() int { return max(1, s.height-headLines-footLines) }

// View is the screen.
func (s State) View() string {
	lines := append([]string{s.headline(), s.strip()}, s.body()...)
	for len(lines) < s.height-footLines {
		lines = append(lines, "")
	}
	lines = append(lines[:max(0, min(len(lines), s.height-footLines))], s.footer(), cell(s.help(), s.width, faint))
	return strings.Join(lines, "\n")
}

// headline names the program, and tells in words how the connection is.
func (s *State) headline() string {
	name := plain.Shown(s.tree.Root)
	if !s.tree.Since.IsZero() {
		name += ", up " + plain.Age(s.tree.Time.Sub(s.tree.Since))
	}
	state, style := "connected", classes["good"]
	switch {
	case s.lost != "":
		state, style = "NOT CONNECTED", classes["bad"]
	case s.paused:
		state, style = "PAUSED at "+s.tree.Time.Local().Format(time.TimeOnly), classes["warn"]
	}
	if !s.tree.Changes {
		state += ", read-only"
	}
	width := max(0, s.width-lipgloss.Width(state)-lipgloss.Width(name)-2)
	return cell(name, min(s.width-lipgloss.Width(state)-2, lipgloss.Width(name)), bold) + right(s.address, width, faint) + "  " + style.Render(state)
}

// strip is the numbers of the whole tree; refused and restarted are of the last minute.
func (s *State) strip() string {
	t := &s.tree.Totals
	text := fmt.Sprintf("children %s of %s  refused %s  restarts %s  waiting %s  stuck %s  goroutines %s",
		number(t.Children), t.Limit, number(t.RefusedMinute), number(t.RestartsMinute),
		number(t.Waiting), number(t.Stuck), number(t.Goroutines))
	return cell(text, s.width, none)
}

// body is the lines of what is shown, with its heading.
func (s *State) body() []string {
	switch s.view {
	case treeView, filterView:
		return s.treeBody()
	case dialogView:
		return append([]string{cell("Change a limit of "+s.dialog.path, s.width, bold)}, s.dialogBody()...)
	}
	page := s.page()
	title := map[view]string{detailView: s.selected, eventView: s.eventTitle(), helpView: "Keys"}[s.view]
	from := max(0, min(s.scroll, len(page)-s.room()))
	shown := page[from:min(len(page), from+s.room())]
	if more := len(page) - from - len(shown); more > 0 {
		title += fmt.Sprintf("  (%d more below)", more)
	}
	return append([]string{cell(title, s.width, bold)}, shown...)
}

// footer is what is being typed, what has just been done, or what is wrong.
func (s *State) footer() string {
	switch {
	case s.view == filterView:
		return cell("filter: ", 8, bold) + s.inputView(s.width-8)
	case s.lost != "":
		return cell(s.lost, s.width, classes["bad"])
	case s.notice != "":
		return cell(s.notice, s.width, bold)
	case s.filter != "":
		return cell("filter: "+s.filter+"  (esc ends it)", s.width, bold)
	}
	return ""
}

// inputView is the text field; enter lets nothing in that does not print.
func (s *State) inputView(width int) string {
	in := s.input
	in.SetWidth(max(1, width-1))
	return in.View()
}

func (s *State) help() string {
	switch s.view {
	case filterView:
		return "words of a path, state:full, state:problem, unlimited    enter keep  esc end"
	case detailView:
		return "↑↓ scroll  L change limit  e events  p pause  ? help  esc back"
	case eventView:
		return "↑↓ scroll  a all or of this supervisor  p pause  esc back"
	case helpView:
		return "↑↓ scroll  esc back"
	case dialogView:
		return s.dialog.help()
	}
	return "↑↓ move  ←→ fold  ↵ open  / filter  s sort  L limit  e events  ? help  q quit"
}
