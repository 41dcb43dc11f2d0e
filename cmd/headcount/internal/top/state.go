package top

import (
	"errors"
	"fmt"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

// A State is all that headcount top knows. It is a value: Update gives a new one and leaves the old one as it was.
type State struct {
	address, by   string
	width, height int

	tree   *wire.Snapshot // as it is shown
	latest *wire.Snapshot // as it was last told; another one while paused
	lost   string         // what is wrong with the connection, in words; "" while there is one
	paused bool

	view     view
	selected string          // path of the supervisor that the cursor is on
	folded   map[string]bool // never changed, only replaced
	order    order
	filter   string
	input    textinput.Model // of the filter, or of the dialog
	scroll   int             // first line shown of a view that is not the tree
	everyone bool            // show the events of the whole tree

	detail  looked
	looking bool // a look is under way
	dialog  dialog
	notice  string // what came of the last key, until the next one
}

// A view is what the screen shows.
type view int

const (
	treeView   view = iota
	filterView      // the tree, while its filter is typed
	detailView
	eventView
	helpView
	dialogView
)

// Effects are what a State wants done. What comes of it is a message.
type effect any

type (
	quit       struct{}
	suspend    struct{}
	look       struct{ path string }
	askPreview struct{ change wire.LimitChange }
	makeChange struct{ change wire.LimitChange }
)

// looked is what came of a look.
type looked struct {
	path string
	node *wire.Detail
	keys *wire.TopKeys // of a keyed supervisor
	err  error
}

type previewed struct {
	change  wire.LimitChange
	preview *wire.Preview
	err     error
}

type changed struct {
	change wire.LimitChange
	entry  *wire.Entry
	err    error
}

// New is the State before anything is known.
func New(address, by string) State {
	return State{address: address, by: by, width: 80, height: 24, tree: &wire.Snapshot{}, latest: &wire.Snapshot{}, lost: "not connected yet"}
}

// Update gives the State after a message, and what it wants done; nil is nothing.
func (s State) Update(msg tea.Msg) (State, effect) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case client.Update:
		return s.told(msg)
	case looked:
		return s.saw(msg), nil
	case previewed:
		return s.previewed(msg), nil
	case changed:
		return s.changed(msg), nil
	case tea.KeyPressMsg:
		return s.key(msg)
	case tea.PasteMsg:
		if s.typing() {
			s.enter(msg)
		}
	}
	return s, nil
}

// told takes what the program has told.
func (s State) told(u client.Update) (State, effect) {
	switch {
	case u.Err != nil:
		err := u.Err
		if unreached := (*client.ConnectError)(nil); errors.As(err, &unreached) {
			err = unreached.Err // the address is on the screen
		}
		s.lost = fmt.Sprintf("connection lost, next attempt in %s: %v", plain.Age(u.Retry+time.Second), err)
		return s, nil
	case u.Snapshot != nil:
		s.latest = u.Snapshot
	default:
		s.latest = s.latest.After(u.Delta)
	}
	s.lost = ""
	if !s.paused {
		s.show()
	}
	if s.view == detailView && !s.paused && !s.looking {
		return s.look(s.selected)
	}
	return s, nil
}

// show takes the latest tree for the one on the screen.
func (s *State) show() {
	before := s.lines()
	s.tree = s.latest
	s.hold(before)
}

// hold keeps the cursor on its supervisor, or where that was.
func (s *State) hold(before []line) {
	lines := s.lines()
	if at(lines, s.selected) >= 0 || len(lines) == 0 {
		return
	}
	i := max(0, at(before, s.selected))
	s.selected = lines[min(i, len(lines)-1)].row.Path
}

func (s State) look(path string) (State, effect) {
	s.looking = true
	return s, look{path}
}

func (s State) saw(l looked) State {
	s.looking = false
	if l.path != s.selected {
		return s // the cursor has gone on meanwhile
	}
	s.detail = l
	if s.view == dialogView {
		s.dialog = s.dialog.saw(l)
	}
	return s
}

// typing reports whether keys are text.
func (s State) typing() bool {
	return s.view == filterView || s.view == dialogView && s.dialog.typing()
}

// newInput is an empty line to type in.
func newInput(text string) textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.CharLimit = 500
	in.SetValue(text)
	in.Focus()
	return in
}
