package beam

import (
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/erlang"
	"github.com/headcount-go/headcount/audit/report"
)

// An erlGraph says which functions a function calls, starts as processes, sends a request to, or hands on as a fun.
type erlGraph struct {
	calls   map[*erlFunction][]*erlFunction
	callers map[*erlFunction][]*erlFunction
	accepts map[*erlFunction]bool // those that accept connections
	checks  map[*erlFunction]bool // what checked has found
}

// each gives what a function calls.
func (g *erlGraph) each(from *erlFunction, visit func(*erlFunction)) {
	for _, next := range g.calls[from] {
		visit(next)
	}
}

func (p *erlProgram) graph() *erlGraph {
	g := &erlGraph{calls: map[*erlFunction][]*erlFunction{}, callers: map[*erlFunction][]*erlFunction{}, checks: map[*erlFunction]bool{}}
	for _, m := range p.order {
		for _, fn := range m.functions {
			known := map[*erlFunction]bool{}
			fn.eachEdge(func(all []*erlFunction) {
				for _, to := range all {
					if !known[to] {
						known[to] = true
						g.calls[fn] = append(g.calls[fn], to)
						g.callers[to] = append(g.callers[to], fn)
					}
				}
			})
		}
	}
	g.acceptors(p)
	return g
}

func (f *erlFunction) eachEdge(visit func([]*erlFunction)) {
	for _, clause := range f.Clauses {
		s := &erlScope{mod: f.mod, fn: f, clause: clause}
		erlang.WalkClause(clause, func(n erlang.Node) bool {
			f.mod.p.fuel = erlFuel
			switch n := n.(type) {
			case *erlang.Call:
				visit(s.called(n))
				s.indirect(n, visit)
			case *erlang.FunRef:
				if arity, ok := (erlTerm{n.Arity, s}).number(); ok && 0 <= arity && arity < 256 {
					visit(s.called(&erlang.Call{Module: n.Module, Fun: n.Name, Args: make([]erlang.Node, arity)}))
				}
			}
			return true
		})
	}
}

// indirect finds what a call leads to by way of its arguments: a module, a function and a list of arguments, the process
// that a request goes to, the init of what is started.
func (s *erlScope) indirect(c *erlang.Call, visit func([]*erlFunction)) {
	for i := 0; i+2 < len(c.Args); i++ {
		if l, ok := c.Args[i+2].(*erlang.List); ok && l.Tail == nil {
			visit(s.called(&erlang.Call{Module: c.Args[i], Fun: c.Args[i+1], Args: l.Elems}))
		}
	}
	visit(s.requests(c))
	if target := s.target(c); target == "supervisor:start_link" || strings.HasPrefix(target, "gen_") && strings.Contains(target, ":start") {
		for _, a := range c.Args {
			if m := s.mod.p.modules[s.atom(a)]; m != nil {
				visit(m.function("init", 1))
				return
			}
		}
	}
}

// requests leads from a call to the clauses of the process that it may be for.
func (s *erlScope) requests(c *erlang.Call) []*erlFunction {
	name, arity := "", 0
	switch s.target(c) {
	case "gen_server:call":
		name, arity = "handle_call", 3
	case "gen_server:cast":
		name, arity = "handle_cast", 2
	default:
		return nil
	}
	if len(c.Args) < 2 {
		return nil
	}
	m := s.process(c.Args[0])
	if m == nil {
		return nil
	}
	takers := m.takers(name, arity)
	sent := s.tag(c.Args[1])
	if sent == "" {
		return m.function(name, arity)
	}
	return append(slices.Clone(takers[sent]), takers[""]...)
}

// takers are the clauses of a message handler by the tag of the message that they take, "" for those that take any.
func (m *erlModule) takers(name string, arity int) map[string][]*erlFunction {
	key := name + "/" + itoa(arity)
	known, ok := m.byTag[key]
	if !ok {
		known = map[string][]*erlFunction{}
		for _, f := range m.function(name, arity) {
			tag := (&erlScope{mod: m, fn: f, clause: f.Clauses[0]}).tag(f.Clauses[0].Params[0])
			known[tag] = append(known[tag], f)
		}
		m.byTag[key] = known
	}
	return known
}

type erlCallback struct {
	name  string
	arity int
	who   report.Criticality
}

var erlCallbacks = map[string][]erlCallback{
	"cowboy_handler":      {{"init", 2, report.External}},
	"cowboy_http_handler": {{"init", 3, report.External}, {"handle", 2, report.External}},
	"cowboy_rest":         {{"init", 2, report.External}},
	"cowboy_loop":         {{"init", 2, report.External}, {"info", 3, report.Unbounded}},
	"cowboy_websocket": {
		{"init", 2, report.External}, {"websocket_init", 1, report.External}, {"websocket_handle", 2, report.External}, {"websocket_info", 2, report.Unbounded},
	},
	"cowboy_websocket_handler": {
		{"init", 3, report.External}, {"websocket_init", 3, report.External}, {"websocket_handle", 3, report.External}, {"websocket_info", 3, report.Unbounded},
	},
	"ranch_protocol":     {{"start_link", 3, report.External}, {"start_link", 4, report.External}},
	"elli_handler":       {{"handle", 2, report.External}},
	"ssh_server_channel": {{"handle_ssh_msg", 2, report.External}},
	"gen_server":         {{"handle_call", 3, report.Unbounded}, {"handle_cast", 2, report.Unbounded}, {"handle_info", 2, report.Unbounded}},
	"gen_event":          {{"handle_event", 2, report.Unbounded}, {"handle_info", 2, report.Unbounded}},
	"gen_statem":         {{"handle_event", 4, report.Unbounded}},
	"application":        {{"start", 2, report.Internal}},
}

// behavioursOf are those that a module names, and those that it has by its looks or by a route that leads to it: a handler
// needs no -behaviour.
func (m *erlModule) behavioursOf() []string {
	all := slices.Clone(m.behaviours)
	if m.route != nil && !m.is("cowboy_handler", "cowboy_rest", "cowboy_loop", "cowboy_websocket") {
		all = append(all, "cowboy_handler")
	}
	switch {
	case m.has("websocket_handle", 2) && !m.is("cowboy_websocket"):
		all = append(all, "cowboy_websocket")
	case m.has("websocket_handle", 3) && !m.is("cowboy_websocket_handler"):
		all = append(all, "cowboy_websocket_handler")
	}
	return all
}

// entries finds all entries of a program.
func (p *erlProgram) entries(g *erlGraph) []entry[*erlFunction] {
	var all []entry[*erlFunction]
	for _, m := range p.order {
		for _, b := range m.behavioursOf() {
			for _, cb := range erlCallbacks[b] {
				for _, fn := range m.function(cb.name, cb.arity) {
					who, steps := cb.who, []report.Step{fn.step()}
					if (&erlScope{mod: m, fn: fn, clause: fn.Clauses[0]}).fromNetwork() {
						who = report.External
					}
					if m.route != nil && cb.who == report.External {
						steps = append([]report.Step{*m.route}, steps...)
					}
					all = append(all, entry[*erlFunction]{at: fn, steps: steps, Criticality: who})
				}
			}
		}
		for _, fn := range m.functions {
			if g.accepts[fn] {
				all = append(all, entry[*erlFunction]{at: fn, steps: []report.Step{fn.step()}, Criticality: report.External})
			}
		}
	}
	return all
}

// routes finds the routes of Cowboy that lead to a module: {"/rooms/:id", room_handler, Opts}, with the constraints of the path
// before the handler or without. They stand in the module that compiles them, often in a function of their own.
func (p *erlProgram) routes() {
	compiles := map[*erlModule]bool{}
	p.eachCall(func(s *erlScope, c *erlang.Call) {
		compiles[s.mod] = compiles[s.mod] || s.target(c) == "cowboy_router:compile"
	})
	for _, m := range p.order {
		if !compiles[m] {
			continue
		}
		for _, fn := range m.functions {
			for _, clause := range fn.Clauses {
				s := &erlScope{mod: m, fn: fn, clause: clause}
				erlang.WalkClause(clause, func(n erlang.Node) bool {
					if t, ok := n.(*erlang.Tuple); ok && len(t.Elems) >= 3 {
						s.route(t)
					}
					return true
				})
			}
		}
	}
}

func (s *erlScope) route(t *erlang.Tuple) {
	where, ok := t.Elems[0].(*erlang.String)
	if !ok || !strings.HasPrefix(where.Text, "/") {
		return
	}
	s.mod.p.fuel = erlFuel
	if m := s.mod.p.modules[s.atom(t.Elems[len(t.Elems)-2])]; m != nil {
		m.route = &report.Step{Name: "route " + where.Text, Position: s.mod.position(t.Pos)}
	}
}

// acceptors finds the functions that accept connections, and those that have another one do it whose name says so.
func (g *erlGraph) acceptors(p *erlProgram) {
	g.accepts = map[*erlFunction]bool{}
	var queue []*erlFunction
	p.eachCall(func(s *erlScope, c *erlang.Call) {
		if erlAccepts[s.target(c)] && !g.accepts[s.fn] {
			g.accepts[s.fn] = true
			queue = append(queue, s.fn)
		}
	})
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		for _, c := range g.callers[f] {
			if !g.accepts[c] && (f.Name == "accept" || strings.Contains(f.Name, "accept") && !g.comesBack(f)) {
				g.accepts[c] = true
				queue = append(queue, c)
			}
		}
	}
}

var erlAccepts = map[string]bool{"gen_tcp:accept": true, "ssl:transport_accept": true, "socket:accept": true}
