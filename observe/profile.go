package observe

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

func (h *Handler) goroutines(c *call) (any, *problem) {
	n, p := h.find(cmp.Or(c.URL.Query().Get("path"), h.root.Path()))
	if p != nil {
		return nil, p
	}
	g, err := n.Goroutines(c.Context())
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

// The time of a profile that is asked for, in seconds.
const (
	defaultProfile = 2
	longestProfile = int(headcount.MaxCPUProfile / time.Second)
)

func (h *Handler) cpu(c *call) (any, *problem) {
	n, p := h.find(cmp.Or(c.URL.Query().Get("path"), h.root.Path()))
	if p != nil {
		return nil, p
	}
	seconds, p := c.number("seconds", 1, longestProfile, defaultProfile)
	if p != nil {
		return nil, p
	}
	t, err := n.CPU(c.Context(), time.Duration(seconds)*time.Second)
	if errors.Is(err, headcount.ErrProfileRunning) {
		return nil, &problem{Status: http.StatusConflict, Code: "profile-running", Detail: "another CPU profile of the process is being made, and there can be one at a time; ask again when it is over"}
	}
	if err != nil {
		return nil, unread(err)
	}
	v := wire.CPUTimes{
		Time: t.Time, For: t.For.Seconds(), Total: t.Total.Seconds(), Supervised: t.Supervised.Seconds(), Elsewhere: t.Elsewhere.Seconds(),
		Outside: t.Outside.Seconds(), Paths: []wire.PathCPU{}, PathsTotal: t.PathsTotal,
	}
	for _, p := range t.Paths {
		v.Paths = append(v.Paths, wire.PathCPU{Path: p.Path, CPU: p.CPU.Seconds()})
	}
	return v, nil
}

func (h *Handler) stack(c *call) (any, *problem) {
	id, p := c.id("id")
	if p != nil {
		return nil, p
	}
	s, err := h.root.Stack(c.Context(), c.URL.Query().Get("path"), id)
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
