package beam

import (
	"maps"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// A supervisor is one place in the source that makes a supervisor.
type supervisor struct {
	kind    kind
	in      *scope
	at      elixir.Pos
	options options
	module  string // that implements it, where it is one with use and init/1
	flags   bool   // its options are the flags that OTP reads itself
	name    string
	parts   *parts // of the PartitionSupervisor around it
	limit   report.Limit
	// from is the code that makes it; nil where that isn't found.
	from elixir.Node
}

// An inventory finds all supervisors of a program.
type inventory struct {
	p    *program
	all  []*supervisor
	seen map[elixir.Node]bool
	// started holds how each module of the program is started: the arguments of its start_link.
	started map[string][]callSite
	// partitioned holds the modules that a PartitionSupervisor starts.
	partitioned map[string]*parts
	// What is asked again and again.
	initArguments map[*module]term
	registered    map[string]string
	ofChildren    map[*clause]bool
}

// A callSite is a call of something: what it is given, and where that stands.
type callSite struct {
	args []elixir.Node
	in   *scope
	to   []*clause // the function; nil where a module is started
}

const fuel = 5_000 // steps to find the values of one supervisor

func newInventory(p *program) *inventory {
	return &inventory{
		p: p, seen: map[elixir.Node]bool{}, started: map[string][]callSite{}, partitioned: map[string]*parts{},
		initArguments: map[*module]term{}, registered: map[string]string{}, ofChildren: map[*clause]bool{},
	}
}

// find fills the inventory.
func (inv *inventory) find() {
	inv.eachScope(func(s *scope, n elixir.Node) { inv.collectStarts(s, n) })
	clear(inv.initArguments) // they are known by how modules are started
	inv.eachScope(func(s *scope, n elixir.Node) { inv.partitions(s, n) })
	inv.eachScope(func(s *scope, n elixir.Node) { inv.collect(s, n) })
	inv.withoutInit()
	for _, sup := range inv.all {
		inv.p.fuel = fuel
		sup.finish(inv)
	}
}

// eachScope calls f for each body of code: those of functions, and what stands outside.
func (inv *inventory) eachScope(f func(*scope, elixir.Node)) {
	for _, m := range inv.p.order {
		if m.inConfig() {
			continue
		}
		outside := &scope{p: inv.p, mod: m}
		for _, n := range m.top {
			if c, ok := n.(*elixir.Call); ok && holdsDefinitions[c.Name] && m.name != "" {
				continue
			}
			f(outside, n)
		}
		for _, name := range slices.Sorted(maps.Keys(m.attrs)) {
			if aboutCode[name] {
				continue
			}
			for _, v := range m.attrs[name] {
				f(outside, v)
			}
		}
		for _, c := range m.clauses {
			f(inv.scopeOf(c), c.code)
		}
	}
}

// aboutCode are the attributes that speak of code and are none.
var aboutCode = map[string]bool{
	"spec": true, "type": true, "typep": true, "opaque": true, "callback": true, "macrocallback": true, "doc": true,
	"moduledoc": true, "typedoc": true, "impl": true, "behaviour": true, "dialyzer": true, "optional_callbacks": true,
}

func (m *module) inConfig() bool { return isConfig(m.src.path) }

// scopeOf is the scope of a clause, with the parameters bound of a start_link that is called in one way only, and of the
// init that it leads to.
func (inv *inventory) scopeOf(c *clause) *scope {
	inv.p.fuel = fuel
	switch {
	case c.name == "start_link" || c.name == "child_spec":
		if starts := inv.started[c.mod.name]; len(starts) == 1 && c.takes(len(starts[0].args)) {
			return inv.p.enter(c, starts[0].args, starts[0].in)
		}
	case c.name == "init" && len(c.params) == 1:
		if arg := inv.initArgument(c.mod); arg.node != nil {
			return inv.p.enter(c, []elixir.Node{arg.node}, arg.in)
		}
	}
	return &scope{p: inv.p, mod: c.mod, fn: c} // not even defaults: callers that aren't seen may give anything
}

// initArgument is what a module's start_link gives to its init: the second argument of Kind.start_link(__MODULE__, arg).
func (inv *inventory) initArgument(m *module) term {
	arg, ok := inv.initArguments[m]
	if ok {
		return arg
	}
	for _, c := range m.clauses {
		if !strings.HasPrefix(c.name, "start") {
			continue
		}
		s := inv.scopeOf(c)
		eachCall(c.code, func(call *elixir.Call) {
			_, ok := kinds[strings.TrimSuffix(s.target(call), ".start_link")]
			if ok && len(call.Args) >= 2 && s.moduleName(call.Args[0]) == m.name {
				arg = term{call.Args[1], s}
			}
		})
	}
	inv.initArguments[m] = arg
	return arg
}

// collectStarts notes how modules are started: {Module, arg}, {Module, :start_link, args} and Module.start_link(args).
func (inv *inventory) collectStarts(s *scope, n elixir.Node) {
	add := func(module string, args []elixir.Node) {
		if inv.p.modules[module] != nil {
			inv.started[module] = append(inv.started[module], callSite{args: args, in: s})
		}
	}
	elixir.Walk(n, func(n elixir.Node) bool {
		switch n := n.(type) {
		case *elixir.Tuple:
			if m, args, ok := s.startTuple(n); ok {
				add(m, args)
				return len(n.Elems) == 2
			}
		case *elixir.Call:
			if module, ok := strings.CutSuffix(s.target(n), ".start_link"); ok && module != s.mod.name {
				add(module, n.Args)
			}
		case *elixir.List:
			if n.Unbraced {
				break
			}
			for _, e := range n.Elems {
				if a, ok := e.(*elixir.Alias); ok {
					add(s.moduleName(a), []elixir.Node{&elixir.List{Pos: a.Pos}})
				}
			}
		}
		return true
	})
}

// startTuple reads {Module, arg} and {Module, :start_link, args}.
func (s *scope) startTuple(t *elixir.Tuple) (module string, args []elixir.Node, ok bool) {
	if len(t.Elems) < 2 || !isModule(t.Elems[0]) {
		return "", nil, false
	}
	module = s.moduleName(t.Elems[0])
	switch len(t.Elems) {
	case 2:
		return module, t.Elems[1:], module != ""
	case 3:
		f, isAtom := t.Elems[1].(*elixir.Atom)
		l, isList := t.Elems[2].(*elixir.List)
		if isAtom && isList && f.Name == "start_link" {
			return module, l.Elems, module != ""
		}
	}
	return "", nil, false
}

// isModule reports whether n is written as a module: an alias, __MODULE__, or an atom such as :supervisor.
func isModule(n elixir.Node) bool {
	switch n := n.(type) {
	case *elixir.Alias:
		return true
	case *elixir.Ident:
		return n.Name == "__MODULE__"
	case *elixir.Atom:
		return n.Name == "supervisor"
	}
	return false
}
