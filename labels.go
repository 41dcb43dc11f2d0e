package headcount

import (
	"context"
	"runtime/pprof"
)

// label gives the child's goroutine the labels under which profiles show it.
func (c *Child) label() { pprof.SetGoroutineLabels(c.labels()) }

// labels is a context with nothing but the child's profile labels.
func (c *Child) labels() context.Context {
	if x := c.extra.Load(); x != nil && x.spec.Traceable {
		return x.traceable(c)
	}
	return c.home.supervisor().place.Load().labels
}

// traceable makes the labels of a child that has its own, once.
func (x *extra) traceable(c *Child) context.Context {
	c.mu.Lock()
	made := x.labels
	c.mu.Unlock()
	if made != nil {
		return made
	}
	shared := c.home.supervisor().place.Load().labels
	made = pprof.WithLabels(shared, pprof.Labels(labelChild, c.Path()+"#"+c.idName()))
	c.mu.Lock()
	defer c.mu.Unlock()
	if x.labels == nil {
		x.labels = made
	}
	return x.labels
}

// The labels of a child's goroutines in profiles.
const (
	labelSupervisor = "headcount"       // the path of its supervisor
	labelChild      = "headcount_child" // path#id, for a Traceable child
)
