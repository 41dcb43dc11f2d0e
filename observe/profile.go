package observe

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

// A profiledNode tells of goroutines.
type profiledNode interface {
	Goroutines(ctx context.Context) (headcount.GoroutineCount, error)
	Stack(ctx context.Context, path string, id uint64) (headcount.StackReport, error)
}

func (h *Handler) goroutines(c *call) (any, *problem) {
	n, p := h.find(cmp.Or(c.URL.Query().Get("path"), h.root.Path()))
	if p != nil {
		return nil, p
	}
	profiled, ok := n.(profiledNode)
	if !ok {
		return nil, notFound("the supervisor cannot tell")
	}
	g, err := profiled.Goroutines(c.Context())
	if err != nil {
		return nil, unread(err)
	}
	v := wire.Goroutines{
		Time: g.Time, Total: g.Total, Supervised: g.Supervised, Strays: g.Strays, Inherited: g.Inherited, Elsewhere: g.Elsewhere,
		Paths: []wire.PathGoroutines{}, PathsTotal: g.PathsTotal,
	}
	for _, p := range g.Paths {
		v.Paths = append(v.Paths, wire.PathGoroutines(p))
	}
	return v, nil
}

func (h *Handler) stack(c *call) (any, *problem) {
	id, p := c.id("id")
	if p != nil {
		return nil, p
	}
	profiled, ok := h.root.(profiledNode)
	if !ok {
		return nil, notFound("the supervisor cannot tell")
	}
	s, err := profiled.Stack(c.Context(), c.URL.Query().Get("path"), id)
	if errors.Is(err, headcount.ErrNotFound) {
		return nil, notFound("there is no such child, or it has ended")
	}
	if err != nil {
		return nil, unread(err)
	}
	v := wire.Stack{Time: s.Time, Path: s.Path, ID: s.ID, Exact: s.Exact, Total: s.Total, Stacks: []wire.StackCount{}, Distinct: s.Distinct}
	for _, s := range s.Stacks {
		v.Stacks = append(v.Stacks, wire.StackCount(s))
	}
	return v, nil
}

func unread(err error) *problem {
	return &problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the profile cannot be read: " + plain.Cut(err.Error(), maxWhy)}
}
