package top

import (
	"maps"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

// key takes a key that was pressed.
func (s State) key(k tea.KeyPressMsg) (State, effect) {
	s.notice = ""
	switch name := k.String(); {
	case name == "ctrl+c":
		return s, quit{}
	case name == "ctrl+z":
		return s, suspend{}
	case s.view == filterView:
		return s.filterKey(k), nil
	case s.view == dialogView:
		return s.dialogKey(k)
	case s.view == treeView:
		return s.treeKey(name)
	default:
		return s.readKey(name)
	}
}

// treeKey takes a key while the tree is shown.
func (s State) treeKey(name string) (State, effect) {
	switch name {
	case "up", "k":
		s.move(-1)
	case "down", "j":
		s.move(1)
	case "pgup", "ctrl+b":
		s.move(-s.room())
	case "pgdown", "ctrl+f":
		s.move(s.room())
	case "home", "g":
		s.move(-len(s.tree.Rows))
	case "end", "G":
		s.move(len(s.tree.Rows))
	case "left", "h":
		s.closeOrUp()
	case "right", "l":
		s.fold(s.selected, false)
	case "space":
		s.fold(s.selected, !s.folded[s.selected])
	case "s":
		s.order = (s.order + 1) % orders
		s.notice = "sorted: " + s.order.String()
	case "u":
		if s.filter == wire.UnlimitedWord {
			s.setFilter("")
		} else {
			s.setFilter(wire.UnlimitedWord)
		}
	case "/":
		s.view, s.input = filterView, newInput(s.filter)
	case "esc":
		s.setFilter("")
	case "q":
		return s, quit{}
	case "enter":
		if s.chosen() != nil {
			s.view, s.scroll, s.detail = detailView, 0, looked{}
			return s.look(s.selected)
		}
	default:
		return s.commonKey(name)
	}
	return s, nil
}

// commonKey takes a key that means the same in the tree and in what is read.
func (s State) commonKey(name string) (State, effect) {
	switch name {
	case "p":
		s.paused = !s.paused
		if !s.paused {
			s.show()
		}
	case "e":
		s.view, s.scroll = eventView, 0
	case "?":
		s.view, s.scroll = helpView, 0
	case "L":
		return s.openDialog()
	}
	return s, nil
}

// readKey takes a key while something is read: a supervisor, the events, the help.
func (s State) readKey(name string) (State, effect) {
	switch name {
	case "q", "esc", "left", "h":
		s.view = treeView
	case "up", "k":
		s.scroll--
	case "down", "j":
		s.scroll++
	case "pgup", "ctrl+b":
		s.scroll -= s.room()
	case "pgdown", "ctrl+f", "space":
		s.scroll += s.room()
	case "home", "g":
		s.scroll = 0
	case "a":
		s.everyone = !s.everyone
	default:
		if name == "e" && s.view == eventView || name == "?" && s.view == helpView {
			s.view = treeView
			return s, nil
		}
		return s.commonKey(name)
	}
	s.scroll = max(0, min(s.scroll, len(s.page())-s.room()))
	return s, nil
}

func (s State) filterKey(k tea.KeyPressMsg) State {
	switch k.String() {
	case "enter", "up", "down":
		s.view = treeView
	case "esc":
		s.view = treeView
		s.setFilter("")
	default:
		s.enter(k)
	}
	return s
}

// enter puts what is typed or pasted into the text field, but for what does not print.
func (s *State) enter(msg tea.Msg) {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		if !plain.Is(m.Text) {
			return
		}
	case tea.PasteMsg:
		m.Content = strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r):
				return ' '
			case !unicode.IsPrint(r):
				return -1
			}
			return r
		}, m.Content)
		msg = m
	}
	s.input, _ = s.input.Update(msg)
	if s.view == filterView {
		s.setFilter(s.input.Value())
	}
	s.dialog.wrong = ""
}

func (s *State) setFilter(text string) {
	before := s.lines()
	s.filter = text
	s.hold(before)
}

// move moves the cursor by n lines.
func (s *State) move(n int) {
	lines := s.lines()
	if len(lines) > 0 {
		i := at(lines, s.selected) + n
		s.selected = lines[max(0, min(i, len(lines)-1))].row.Path
	}
}

func (s *State) fold(path string, folded bool) {
	m := maps.Clone(s.folded)
	if m == nil {
		m = map[string]bool{}
	}
	delete(m, path)
	if folded {
		m[path] = true
	}
	before := s.lines()
	s.folded = m
	s.hold(before)
}

// closeOrUp folds what is open, and goes to the supervisor above from what is not.
func (s *State) closeOrUp() {
	lines := s.lines()
	i := at(lines, s.selected)
	switch {
	case i < 0:
	case lines[i].below > 0 && !lines[i].folded:
		s.fold(s.selected, true)
	case at(lines, lines[i].row.Parent) >= 0:
		s.selected = lines[i].row.Parent
	}
}
