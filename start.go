package headcount

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"time"
)

// A start is what the options of a Go, Do or Async say.
type start struct {
	class    Class
	roomy    bool
	special  bool // there is more than a class
	restart  Restart
	lifetime time.Duration
	name     string
	values   context.Context
}

// plainStart reports whether readStart finds nothing wrong if there are no options. It is short enough to be inlined.
func (d *dynamic) plainStart(ctx context.Context, fn func(context.Context) error) bool {
	return ctx != nil && fn != nil && d.queue.sup != nil && ctx.Err() == nil
}

// readStart checks the arguments of a start. It refuses nothing that a limit would.
func (d *dynamic) readStart(s *start, ctx context.Context, fn func(context.Context) error, opts []StartOption) error {
	switch {
	case d.queue.sup == nil:
		return errZeroSupervisor
	case ctx == nil:
		return d.badStart("ctx", nil, "is nil")
	case fn == nil:
		return d.badStart("fn", nil, "is nil")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	s.restart = Temporary
	for i := range opts {
		o := &opts[i]
		switch o.kind {
		case optionClass:
			s.class = Class(o.n)
			if len(d.opts.shares) > 0 && int(s.class) >= len(d.opts.shares) {
				return d.badStart("InClass", int(s.class), fmt.Sprintf("is no class: there are %d", len(d.opts.shares)))
			}
			continue
		case optionRoomy:
			s.roomy = true
			continue
		case optionRestart:
			if s.restart = Restart(o.n); s.restart > Temporary {
				return d.badStart("WithRestart", s.restart, "is not a restart type")
			}
		case optionName:
			s.name = o.value.(string)
			if p := nameProblem(s.name); p != "" {
				return d.badStart("Named", s.name, p)
			}
		case optionValues:
			s.values, _ = o.value.(context.Context)
			if s.values == nil {
				return d.badStart("WithValues", nil, "is nil")
			}
		case optionLifetime:
			if s.lifetime = time.Duration(o.n); s.lifetime <= 0 {
				return d.badStart("WithLifetime", s.lifetime, "is not above zero")
			}
		default:
			return d.badStart("StartOption", o.kind, "is not an option: use the functions that make one")
		}
		s.special = true
	}
	return nil
}

// errZeroSupervisor is what a supervisor says that no constructor has made.
var errZeroSupervisor error = &ConfigError{Path: "(none)", Field: "supervisor", Value: "zero value", Problem: "cannot be used: make it by its constructor"}

// readDo is readStart for a child that runs once.
func (d *dynamic) readDo(s *start, ctx context.Context, fn func(context.Context) error, opts []StartOption) error {
	if err := d.readStart(s, ctx, fn, opts); err != nil {
		return err
	}
	if s.restart != Temporary {
		return d.badStart("WithRestart", s.restart, "is not for Do, which runs once")
	}
	return nil
}

func (d *dynamic) badStart(field string, value any, problem string) error {
	return &ConfigError{Path: d.Path(), Field: field, Value: value, Problem: problem}
}

// extra gives a child what is special about it.
func (s *start) extra() *extra {
	return &extra{values: withoutCancel(s.values), spec: s.spec()}
}

func (s *start) spec() *ChildSpec {
	if !s.special {
		return &plainSpec
	}
	return &ChildSpec{Name: s.name, Restart: s.restart, MaxLifetime: s.lifetime, Class: s.class}
}

// withoutCancel takes values from ctx and nothing else, not even the cause of its end.
func withoutCancel(ctx context.Context) context.Context {
	if ctx == nil {
		return nil
	}
	return context.WithoutCancel(ctx)
}

// onCaller makes the child of a Do.
func (s *start) onCaller(ctx context.Context, h home, fn func(context.Context) error) *Child {
	both := &struct {
		Child
		extra
	}{}
	c := &both.Child
	c.home, c.run, c.first.child = h, fn, c
	both.extra.caller, both.extra.values = ctx, ctx
	if s.values != nil {
		both.extra.values = withoutCancel(s.values)
	}
	both.extra.spec = s.spec()
	c.giveExtra(&both.extra)
	c.flags.Or(flagDo)
	return c
}

// do runs the child on the caller's goroutine.
func (c *Child) do(ctx context.Context) error {
	c.label()
	returned := false
	defer func() {
		if !returned { // runtime.Goexit
			c.afterRun(exit{exitGoexit, ErrGoexit})
			c.finish()
		}
	}()
	c.afterRun(c.invoke())
	returned = true
	c.finish()
	pprof.SetGoroutineLabels(ctx)
	return c.result()
}

// readSpec checks the arguments of a StartChild.
func (d *dynamic) readSpec(ctx context.Context, s Specifier) (ChildSpec, error) {
	if d.queue.sup == nil {
		return ChildSpec{}, errZeroSupervisor
	}
	spec, err := readSpec(ctx, &d.node, s)
	if err != nil {
		return spec, err
	}
	if len(d.opts.shares) > 0 && int(spec.Class) >= len(d.opts.shares) {
		return spec, d.badStart("ChildSpec.Class", int(spec.Class), fmt.Sprintf("is no class: there are %d", len(d.opts.shares)))
	}
	if spec.Significant {
		return spec, d.badStart("ChildSpec.Significant", true, "has no meaning under a dynamic supervisor: it never shuts down automatically")
	}
	return spec, nil
}

func readSpec(ctx context.Context, n *node, s Specifier) (ChildSpec, error) {
	if ctx == nil {
		return ChildSpec{}, &ConfigError{Path: n.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	if err := ctx.Err(); err != nil {
		return ChildSpec{}, err
	}
	if isNil(s) {
		return ChildSpec{}, &ConfigError{Path: n.Path(), Field: "child", Value: nil, Problem: "is nil"}
	}
	spec := s.ChildSpec()
	problems := spec.problems(n.Path(), n.kind == SupervisorKind)
	if spec.sup != nil {
		v := &validation{seen: make(map[*node]string), path: n.Path(), problems: problems}
		v.supervisor(spec, n)
		problems = v.problems
	}
	return spec, errors.Join(problems...)
}

// prepare gives a child its spec.
func (c *Child) prepare(spec ChildSpec) {
	x := &extra{spec: &spec, values: withoutCancel(spec.Values)}
	if spec.AwaitReady {
		x.ready = make(chan struct{})
		c.flags.Or(flagStarting)
	}
	c.giveExtra(x)
}

// shownName is the child's name, or its id if it has none.
func (c *Child) shownName() string {
	if x := c.extra.Load(); x != nil && x.spec.Name != "" {
		return x.spec.Name
	}
	return c.idName()
}

func (c *Child) restarts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.extra.Load(); x != nil {
		return x.restarts
	}
	return 0
}
