package top

import (
	"cmp"
	"slices"

	"github.com/headcount-go/headcount/observe/wire"
)

// An order is what comes first among supervisors with the same one above.
type order int

const (
	problemsFirst order = iota
	mostRefused
	mostChildren
	asDeclared
	byName
	orders
)

func (o order) String() string {
	return [...]string{"problems first", "most refused", "most children", "as declared", "by name"}[o]
}

// weight is what an order goes by; a supervisor has the greatest of those below it too, so that what is folded still tells.
func (o order) weight(r *wire.Row) int64 {
	switch o {
	case problemsFirst:
		return int64(r.Rank)
	case mostRefused:
		return int64(r.RefusedMinute)
	case mostChildren:
		return int64(r.Children)
	}
	return 0
}

// A line is a supervisor as the tree has it on the screen.
type line struct {
	row    *wire.Row
	depth  int
	below  int // supervisors below it
	folded bool
}

// lines are those of the tree, from the top: in their places, or with a filter the matching ones without places.
func (s *State) lines() []line {
	rows := s.tree.Rows
	if s.filter != "" {
		var found []line
		for i := range rows {
			if rows[i].Matches(s.filter) {
				found = append(found, line{row: &rows[i]})
			}
		}
		slices.SortStableFunc(found, func(a, b line) int { return s.compare(a.row, b.row, s.order.weight(a.row), s.order.weight(b.row)) })
		return found
	}
	weights := make(map[string]int64, len(rows))
	below := make(map[string][]*wire.Row, len(rows))
	count := make(map[string]int, len(rows))
	for i := len(rows) - 1; i >= 0; i-- { // each before those above it
		r := &rows[i]
		weights[r.Path] = max(weights[r.Path], s.order.weight(r))
		weights[r.Parent] = max(weights[r.Parent], weights[r.Path])
		below[r.Parent] = append(below[r.Parent], r)
		count[r.Parent] += 1 + count[r.Path]
	}
	lines := make([]line, 0, len(rows))
	var add func(parent string, depth int)
	add = func(parent string, depth int) {
		kids := below[parent]
		slices.SortFunc(kids, func(a, b *wire.Row) int { return s.compare(a, b, weights[a.Path], weights[b.Path]) })
		delete(below, parent) // what says that it is above itself is not followed twice
		for _, r := range kids {
			l := line{row: r, depth: depth, below: count[r.Path], folded: s.folded[r.Path]}
			lines = append(lines, l)
			if !l.folded {
				add(r.Path, depth+1)
			}
		}
	}
	add("", 0)
	return lines
}

func (s *State) compare(a, b *wire.Row, weightA, weightB int64) int {
	if s.order == byName {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Index, b.Index))
	}
	return cmp.Or(cmp.Compare(weightB, weightA), cmp.Compare(a.Index, b.Index))
}

// at is the place of a path among lines, or -1.
func at(lines []line, path string) int {
	return slices.IndexFunc(lines, func(l line) bool { return l.row.Path == path })
}

// chosen is the row that the cursor is on; nil without any.
func (s *State) chosen() *wire.Row {
	i := slices.IndexFunc(s.tree.Rows, func(r wire.Row) bool { return r.Path == s.selected })
	if i < 0 {
		return nil
	}
	return &s.tree.Rows[i]
}
