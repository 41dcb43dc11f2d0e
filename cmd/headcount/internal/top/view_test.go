package top

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

func updateOf(tree *wire.Snapshot) client.Update { return client.Update{Snapshot: tree} }

// hostile is text that takes over a terminal: colours, a title, C1 controls, a turned direction, a new line.
const hostile = "\x1b[2J\x1b]0;title\a\u009b31m\u202etxt\r\nnew\x00line\u200b"

// poison puts hostile text behind each string in v.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(v.String() + hostile)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().String() != "time.Time" {
				poison(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	}
}

// everyView leads a screen through all that can be shown.
func everyView(c *screen, check func(where string)) {
	look := func(where string) { c.t.Helper(); check(where) }
	path := c.s.selected
	limits := []wire.Limit{{Name: "max_children", InForce: 4, Value: 5, Source: "page", By: "ann", Why: "why", Caps: []wire.Cap{{Name: "memory", Value: 4}}}}
	node := &wire.Detail{Row: c.s.tree.Rows[0], Limits: limits, MaxBytes: 5}
	node.Row.RefusedBy = []wire.ReasonCount{{Reason: "rate", Count: 1}}
	preview := &wire.Preview{From: 4, To: 2, Effects: []string{"an effect"}}
	keys := &wire.TopKeys{Keys: []wire.KeyCount{{Key: "bob", Count: 1}}}
	entry := &wire.Entry{Path: path, Limit: "max_children"}
	for _, v := range []any{node, preview, keys, entry} {
		poison(reflect.ValueOf(v))
	}
	failure := errors.New("it failed " + hostile)

	look("tree")
	c.press("/").types("o").gets(tea.PasteMsg{Content: hostile})
	look("filter typed")
	c.press("enter")
	look("filter")
	c.press("esc", "e")
	look("events")
	c.press("esc", "?")
	look("help")
	c.press("esc", "enter")
	look("detail, asking")
	c.gets(looked{path: c.s.selected, node: node, keys: keys})
	look("detail")
	c.gets(looked{path: c.s.selected, err: failure})
	look("detail, failed")
	c.press("esc", "L")
	look("dialog, asking")
	c.gets(looked{path: c.s.selected, node: node})
	look("dialog, choosing")
	c.press("enter").gets(tea.PasteMsg{Content: hostile}).press("enter")
	look("dialog, wrong")
	for range len(hostile) {
		c.press("backspace")
	}
	c.types("2").press("enter").gets(tea.PasteMsg{Content: hostile})
	look("dialog, reason")
	c.press("enter", "enter")
	look("dialog, asking for the preview")
	c.gets(previewed{c.asked(), preview, nil})
	look("dialog, confirming")
	c.press("y").gets(changed{c.made(), entry, nil})
	look("changed")
	c.gets(changed{wire.LimitChange{}, nil, failure})
	look("not changed")
	c.gets(client.Update{Err: failure})
	look("lost")
}

func (c *screen) made() wire.LimitChange {
	e, ok := c.effects[len(c.effects)-1].(makeChange)
	if !ok {
		c.t.Fatalf("it wants %#v, not a change", c.effects)
	}
	return e.change
}

func TestNothingFromOutsideReachesTheTerminalUnescaped(t *testing.T) {
	tree := shop()
	poison(reflect.ValueOf(tree))
	for i := range tree.Rows { // so that they are still in their places
		tree.Rows[i].Parent = ""
	}
	c := watching(t).gets(updateOf(tree))
	everyView(c, func(where string) {
		t.Helper()
		text := c.text() // without the sequences of colours
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%s: %q is on the screen:\n%q", where, r, text)
			}
		}
		raw := c.s.View()
		for _, bad := range []string{"\x1b[2J", "\x1b]", "\u009b", "\u202e"} {
			if strings.Contains(raw, bad) {
				t.Fatalf("%s: %q is on the screen:\n%q", where, bad, raw)
			}
		}
	})
}

func TestTheScreenFitsAnyTerminal(t *testing.T) {
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 200, Height: 60}, {Width: 40, Height: 10}, {Width: 20, Height: 6}, {Width: 1, Height: 1}, {}} {
		tree := shop()
		tree.Rows[3].Name, tree.Rows[3].Path, tree.Rows[3].Children, tree.Rows[3].Limit = "東京"+strings.Repeat("x", 120), "shop/東京", 500_000_000, 536_870_910
		c := watching(t).gets(size, updateOf(tree))
		everyView(c, func(where string) {
			t.Helper()
			lines := strings.Split(c.s.View(), "\n")
			if len(lines) > max(size.Height, footLines) {
				t.Errorf("%v, %s: %d lines", size, where, len(lines))
			}
			for _, l := range lines {
				if size.Width >= 40 && ansi.StringWidth(l) > size.Width {
					t.Errorf("%v, %s: a line is %d wide: %q", size, where, ansi.StringWidth(l), ansi.Strip(l))
				}
			}
		})
	}
}

func TestAtEightyColumnsAllThatCountsIsThere(t *testing.T) {
	c := watching(t).shows("SUPERVISOR", "STATE", "CHILDREN", "REFUSED", "RESTARTS", "q quit")
	tree := shop()
	tree.Rows[3].Children, tree.Rows[3].Limit = 100_000, 100_000
	c.gets(updateOf(tree)).shows("100,000 of 100,000", "jobs", "◆ full")
}

func TestTheCursorStaysOnTheScreenOfALongTree(t *testing.T) {
	tree := shop()
	for i := range 60 {
		r := tree.Rows[2]
		r.Name = "n" + strings.Repeat("i", i)
		r.Path, r.Parent, r.Index = "shop/"+r.Name, "shop", 10+i
		tree.Rows = append(tree.Rows, r)
	}
	c := watching(t).gets(updateOf(tree))
	for range 70 {
		c.press("down")
		lines := c.s.lines()
		name := lines[at(lines, c.s.selected)].row.Name
		c.shows(" " + name[:min(len(name), 5)])
		if !strings.Contains(c.s.View(), "\x1b[7m") {
			t.Fatalf("no cursor is on the screen:\n%s", c.text())
		}
	}
}

// Whatever keys come, in whatever state of the connection, there is a screen.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("jjLk\x00\x01\x02/q"))
	f.Add([]byte("L\x05\x00\x00\x07y"))
	names := []string{"enter", "up", "down", "left", "right", "esc", "home", "end", "pgup", "pgdown", "space", "backspace", "ctrl+z"}
	f.Fuzz(func(t *testing.T, keys []byte) {
		s := New("http://127.0.0.1:7070", "bob")
		for i, k := range keys[:min(len(keys), 200)] {
			var e effect
			switch {
			case int(k) < len(names):
				s, e = s.Update(keyOf(names[k]))
			case k == 0x10:
				s, _ = s.Update(updateOf(shop()))
			case k == 0x11:
				s, _ = s.Update(client.Update{Delta: &wire.Delta{Gone: []string{s.selected}}})
			case k == 0x12:
				s, _ = s.Update(client.Update{Err: errors.New("lost")})
			case k == 0x13:
				s, _ = s.Update(tea.WindowSizeMsg{Width: i, Height: i})
			case k >= ' ' && k < 0x7f:
				s, e = s.Update(tea.KeyPressMsg{Code: rune(k), Text: string(rune(k))})
			}
			switch e := e.(type) {
			case look:
				s, _ = s.Update(looked{path: e.path, node: &wire.Detail{Limits: []wire.Limit{{Name: "max_children"}}}})
			case askPreview:
				s, _ = s.Update(previewed{e.change, &wire.Preview{}, nil})
			case makeChange:
				s, _ = s.Update(changed{e.change, &wire.Entry{}, nil})
			}
			s.View()
			if lines := s.lines(); len(lines) > 0 && at(lines, s.selected) < 0 {
				t.Fatalf("the cursor is on %q, which is not there", s.selected)
			}
		}
	})
}

// BenchmarkUpdate is what a second costs: a delta with a tenth of 2,000 supervisors, and the screen after it.
func BenchmarkUpdate(b *testing.B) {
	tree := shop()
	for i := range 2000 {
		r := tree.Rows[2]
		r.Name = fmt.Sprint("n", i)
		r.Path, r.Parent, r.Index = "shop/"+r.Name, "shop", 10+i
		tree.Rows = append(tree.Rows, r)
	}
	s, _ := New("http://127.0.0.1:7070", "bob").Update(updateOf(tree))
	delta := client.Update{Delta: &wire.Delta{Time: noon, Rows: tree.Rows[100:300]}}
	for b.Loop() {
		s, _ = s.Update(delta)
		_ = s.View()
	}
}

func TestALongPathIsCutAtItsBeginning(t *testing.T) {
	tree := shop()
	tree.Rows[2].Path = "shop/" + strings.Repeat("x", 60) + "/the-end"
	watching(t).gets(updateOf(tree)).press("/").types("the-end").shows("…", "x/the-end ")
}

func TestAWideTerminalHasTheReasonsOfRefusals(t *testing.T) {
	tree := shop()
	tree.Rows[3].RefusedMinute, tree.Rows[3].RefusedBy = 12, []wire.ReasonCount{{Reason: "max_children", Count: 12}}
	watching(t).gets(updateOf(tree)).shows(" 12 ").hides("12 max_children").gets(tea.WindowSizeMsg{Width: 120, Height: 30}).shows("12 max_children")
}
