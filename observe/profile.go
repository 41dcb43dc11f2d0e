package observe

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/headcount-go/headcount"
)

// A profiledNode tells of goroutines.
type profiledNode interface {
	Goroutines(ctx context.Context) (headcount.GoroutineCount, error)
	Stack(ctx context.Context, path string, id uint64) (headcount.StackReport, error)
}

type goroutines struct {
	Time       time.Time        `json:"time" doc:"of the profile; an answer may be from an earlier request"`
	Total      int              `json:"total" doc:"of the process"`
	Supervised int              `json:"supervised" doc:"of the children below the path"`
	Strays     int              `json:"strays" doc:"nobody's children, wherever in the process"`
	Inherited  int              `json:"inherited" doc:"of these, those that children below the path have started by a bare go statement"`
	Elsewhere  int              `json:"elsewhere" doc:"of other supervisors, and headcount's own"`
	Paths      []pathGoroutines `json:"paths" doc:"the hundred with most, the first with most"`
	PathsTotal int              `json:"paths_total"`
}

type pathGoroutines struct {
	Path       string `json:"path"`
	Goroutines int    `json:"goroutines"`
	Strays     int    `json:"strays"`
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
	v := goroutines{
		Time: g.Time, Total: g.Total, Supervised: g.Supervised, Strays: g.Strays, Inherited: g.Inherited, Elsewhere: g.Elsewhere,
		Paths: []pathGoroutines{}, PathsTotal: g.PathsTotal,
	}
	for _, p := range g.Paths {
		v.Paths = append(v.Paths, pathGoroutines(p))
	}
	return v, nil
}

type stackView struct {
	Time     time.Time    `json:"time" doc:"of the profile; an answer may be from an earlier request"`
	Path     string       `json:"path"`
	ID       uint64       `json:"id,string"`
	Exact    bool         `json:"exact" doc:"the goroutines are the child's own; otherwise they are those of its supervisor's children, its own among them"`
	Total    int          `json:"total"`
	Stacks   []stackCount `json:"stacks" doc:"the hundred most frequent ones"`
	Distinct int          `json:"distinct"`
}

type stackCount struct {
	Count int    `json:"count"`
	Stray bool   `json:"stray" doc:"started by a bare go statement"`
	Text  string `json:"text"`
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
	v := stackView{Time: s.Time, Path: s.Path, ID: s.ID, Exact: s.Exact, Total: s.Total, Stacks: []stackCount{}, Distinct: s.Distinct}
	for _, s := range s.Stacks {
		v.Stacks = append(v.Stacks, stackCount(s))
	}
	return v, nil
}

func unread(err error) *problem {
	return &problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the profile cannot be read: " + cutText(err.Error(), maxWhy)}
}
