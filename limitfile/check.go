package limitfile

import (
	"cmp"
	"slices"
	"time"

	"github.com/headcount-go/headcount"
)

// A Planned is a limit that a file would set.
type Planned struct {
	Path, Limit string
	From, To    int // of the setting; [headcount.Unlimited] is any number
	Line        int // of the entry
}

// Check tries a file against a tree, as [headcount.Node.Tree] describes it, and changes nothing. It gives the limits that
// the file has an entry for, in the order of their paths, also those that stay as they are; expired entries are left
// out. What is wrong with the file is an [*Error].
func Check(file string, tree headcount.TreeNode) ([]Planned, error) {
	r := &report{file: file}
	data, err := read(file)
	if err != nil {
		r.add(at{}, "cannot be read: %v", err)
		return nil, r.orNil()
	}
	entries := parse(data, r)
	targets := resolve(entries, placesIn(tree), r, true)
	if err := r.orNil(); err != nil {
		return nil, err
	}
	now := time.Now()
	planned := make([]Planned, 0, len(targets))
	for _, t := range targets {
		if !t.entry.expired(now) {
			planned = append(planned, Planned{t.path, t.limit.name, t.limit.value, t.entry.value, t.entry.where.line})
		}
	}
	slices.SortFunc(planned, func(a, b Planned) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Limit, b.Limit)) })
	return planned, nil
}
