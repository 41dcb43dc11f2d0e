package beam

import (
	"path"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/erlang"
	"github.com/headcount-go/headcount/audit/report"
)

// An erlProgram is all modules of a code base by name, and its headers by the last part of their path.
type erlProgram struct {
	modules map[string]*erlModule
	order   []*erlModule
	headers map[string][]*erlModule
	// registered leads from the name of a process to the module that it runs.
	registered map[string]*erlModule
	bound      map[*erlang.Clause]map[string][]erlBinding
	guards     map[string]bool // what guarded has found, by symbol
	// fuel is how many steps may still be taken to find a value: the code under review may go in circles.
	fuel int
}

// An erlModule is one file: a module, or a header, which has no name.
type erlModule struct {
	p          *erlProgram
	name       string
	path       string
	text       []string
	behaviours []string
	includes   []string
	defines    map[string]*erlang.Define
	functions  []*erlFunction
	byName     map[string][]*erlFunction // name/arity
	byTag      map[string]map[string][]*erlFunction
	route      *report.Step    // that leads to it, if one does
	toItself   map[string]bool // the tags of the messages that it sends to itself; nil before they are asked for
}

// An erlFunction is a function, or one clause of a message handler: a message runs one of them, and who sends it decides who
// reaches what it does.
type erlFunction struct {
	*erlang.Function
	mod *erlModule
}

func (f *erlFunction) symbol() string { return f.mod.name + ":" + f.Name + "/" + itoa(f.Arity) }

func (f *erlFunction) step() report.Step {
	return report.Step{Name: f.symbol(), Position: f.mod.position(f.Pos)}
}

func (m *erlModule) position(at erlang.Pos) report.Position {
	return report.Position{File: m.path, Line: at.Line, Column: at.Column}
}

// function returns a function, or all clauses of a message handler.
func (m *erlModule) function(name string, arity int) []*erlFunction {
	return m.byName[name+"/"+itoa(arity)]
}

func (m *erlModule) has(name string, arity int) bool { return len(m.function(name, arity)) > 0 }

// addFunction takes in a function, message handlers clause by clause.
func (m *erlModule) addFunction(fn *erlang.Function) {
	key := fn.Name + "/" + itoa(fn.Arity)
	add := func(fn *erlang.Function) {
		f := &erlFunction{fn, m}
		m.functions = append(m.functions, f)
		m.byName[key] = append(m.byName[key], f)
	}
	if !erlHandlers[key] {
		add(fn)
		return
	}
	for _, c := range fn.Clauses {
		add(&erlang.Function{Pos: c.Pos, Name: fn.Name, Arity: fn.Arity, Clauses: []*erlang.Clause{c}, EndLine: fn.EndLine})
	}
}

var erlHandlers = map[string]bool{
	"handle_call/3": true, "handle_cast/2": true, "handle_info/2": true, "handle_event/2": true, "handle_event/4": true,
	"websocket_handle/2": true, "websocket_handle/3": true, "websocket_info/2": true, "websocket_info/3": true, "info/3": true,
}

// is reports whether a module implements one of the behaviours.
func (m *erlModule) is(behaviours ...string) bool {
	return slices.ContainsFunc(behaviours, func(b string) bool { return slices.Contains(m.behaviours, b) })
}

func (p *erlProgram) add(name string, text []string, file *erlang.File) {
	m := &erlModule{p: p, path: name, text: text, defines: map[string]*erlang.Define{}, byName: map[string][]*erlFunction{}, byTag: map[string]map[string][]*erlFunction{}}
	for _, d := range file.Defines {
		if known := m.defines[d.Name]; known != nil {
			d = &erlang.Define{Pos: d.Pos, Name: d.Name} // defined in two ways: which one holds is not known
		}
		m.defines[d.Name] = d
	}
	for _, a := range file.Attributes {
		m.attribute(a)
	}
	for _, fn := range file.Functions {
		m.addFunction(fn)
	}
	if path.Ext(name) == ".hrl" {
		base := path.Base(name)
		p.headers[base] = append(p.headers[base], m)
		return
	}
	if m.name == "" {
		m.name = strings.TrimSuffix(path.Base(name), ".erl")
	}
	p.modules[m.name] = m
	p.order = append(p.order, m)
}

func (m *erlModule) attribute(a *erlang.Attribute) {
	if len(a.Args) == 0 {
		return
	}
	switch arg := a.Args[0].(type) {
	case *erlang.Atom:
		switch a.Name {
		case "module":
			m.name = arg.Name
		case "behaviour", "behavior":
			m.behaviours = append(m.behaviours, arg.Name)
		}
	case *erlang.String:
		if a.Name == "include" || a.Name == "include_lib" {
			m.includes = append(m.includes, path.Base(arg.Text))
		}
	}
}

// define finds a macro in the module itself, and in the headers that it includes.
func (m *erlModule) define(name string, depth int) *erlang.Define {
	if d := m.defines[name]; d != nil {
		return d
	}
	if depth > 4 {
		return nil
	}
	for _, base := range m.includes {
		if h := m.header(base); h != nil {
			if d := h.define(name, depth+1); d != nil {
				return d
			}
		}
	}
	return nil
}

// header finds an included file: of those of its name the one that lies nearest.
func (m *erlModule) header(base string) *erlModule {
	var best *erlModule
	shared := -1
	for _, h := range m.p.headers[base] {
		if n := sharedPrefix(h.path, m.path); n > shared && h != m {
			best, shared = h, n
		}
	}
	return best
}

func sharedPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// erlFuel is how many steps the name of what is called may take. Every call of a program is asked for it.
const erlFuel = 500

// eachCall calls f for all calls of a program, with the scope that each stands in.
func (p *erlProgram) eachCall(f func(s *erlScope, c *erlang.Call)) {
	for _, m := range p.order {
		for _, fn := range m.functions {
			fn.eachCall(f)
		}
	}
}

func (f *erlFunction) eachCall(visit func(s *erlScope, c *erlang.Call)) {
	for _, clause := range f.Clauses {
		s := &erlScope{mod: f.mod, fn: f, clause: clause}
		erlang.WalkClause(clause, func(n erlang.Node) bool {
			if c, ok := n.(*erlang.Call); ok {
				f.mod.p.fuel = erlFuel
				visit(s, c)
			}
			return true
		})
	}
}

// names finds which module runs under which registered name.
func (p *erlProgram) names() {
	p.registered = map[string]*erlModule{}
	p.eachCall(func(s *erlScope, c *erlang.Call) {
		switch target := s.target(c); target {
		case "gen_server:start_link", "gen_server:start", "gen_statem:start_link", "gen_statem:start", "supervisor:start_link", "gen_event:start_link":
			if len(c.Args) < 3 {
				return
			}
			if m := p.modules[s.atom(c.Args[1])]; m != nil {
				if name := s.registeredName(c.Args[0]); name != "" {
					p.registered[name] = m
				}
			}
		}
	})
}

// registeredName reads {local, Name} and {global, Name}.
func (s *erlScope) registeredName(n erlang.Node) string {
	t := erlTerm{n, s}.follow()
	tuple, ok := t.node.(*erlang.Tuple)
	if !ok || len(tuple.Elems) < 2 {
		return ""
	}
	return t.in.atom(tuple.Elems[1])
}

// process is the module of a process that n names: by its registered name, or by the module's own.
func (s *erlScope) process(n erlang.Node) *erlModule {
	name := s.atom(n)
	if m := s.mod.p.registered[name]; m != nil {
		return m
	}
	return s.mod.p.modules[name]
}
