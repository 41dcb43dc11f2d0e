package headcount

import (
	"context"
	"fmt"
)

// A Query asks for a page of children, in the order of their rising ids.
type Query struct {
	After uint64               // go on behind this id; zero begins
	Limit int                  // at most so many; zero is 100, more than 10,000 is 10,000
	Match func(ChildInfo) bool // only these; nil is all. It is called under no lock
}

const (
	defaultPage = 100
	maxPage     = 10_000
	// scanPerPage bounds the children that one page looks at for a filter that matches few.
	scanPerPage = 20_000
)

// Children gives a page of the children, and the id to go on after; zero when there are no more. A child that is there
// throughout is met exactly once in a row of pages; starts and ends go on meanwhile. With Match a page may be short, or
// empty, though there are more: each looks at a bounded number of children.
func (d *dynamic) Children(q Query) (infos []ChildInfo, next uint64) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	next = q.After
	// A filter that matches few must not read the registry in small bites.
	bite := limit
	if q.Match != nil {
		bite = max(limit, 512)
	}
	for scanned := 0; scanned < scanPerPage; scanned += bite {
		children, after := d.registry.page(next, bite)
		for i, c := range children {
			info := c.Info()
			if q.Match != nil && !q.Match(info) {
				continue
			}
			infos = append(infos, info)
			if len(infos) == limit && i < len(children)-1 {
				return infos, c.id
			}
		}
		if next = after; next == 0 || len(infos) == limit {
			break
		}
	}
	return infos, next
}

// Lookup finds the child of this id.
func (d *dynamic) Lookup(id uint64) (*Child, bool) {
	c := d.registry.find(id)
	return c, c != nil
}

// Terminate stops the child of this id and waits for it, as [Child.Stop] does. Without such a child it returns
// [ErrNotFound].
func (d *dynamic) Terminate(ctx context.Context, id uint64) error {
	c := d.registry.find(id)
	if c == nil {
		return fmt.Errorf("%s: %w: id %d", d.Path(), ErrNotFound, id)
	}
	return c.Stop(ctx)
}
