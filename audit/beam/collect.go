package beam

import (
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// collect finds the supervisors that are made in n.
func (inv *inventory) collect(s *scope, n elixir.Node) {
	inv.p.fuel = fuel
	elixir.Walk(n, func(n elixir.Node) bool {
		switch n := n.(type) {
		case *elixir.Tuple:
			inv.tuple(s, n)
		case *elixir.List:
			inv.bare(s, n)
		case *elixir.Call:
			inv.call(s, n, n)
			if n.Name == "alias" || n.Name == "import" {
				return false
			}
		case *elixir.Binop:
			if c := piped(n); c != nil {
				inv.call(s, c, n.Right)
			}
		case *elixir.Map:
			inv.flagsMap(s, n)
		}
		return true
	})
}

// tuple finds {Kind, options} and {Kind, :start_link, [arguments]}, the latter of child specs and of old worker specs.
func (inv *inventory) tuple(s *scope, t *elixir.Tuple) {
	if inv.seen[t] {
		return
	}
	if module, args, ok := s.startTuple(t); ok {
		if k, ok := kinds[module]; ok && k.name != ":supervisor" {
			inv.seen[t] = true
			if inv.byModule(s, args) {
				return
			}
			inv.add(s, k, t, t.Pos, args)
		}
		return
	}
	inv.flagsTuple(s, t)
}

// bare finds Kind alone in a list of children.
func (inv *inventory) bare(s *scope, l *elixir.List) {
	if l.Unbraced || s.fn == nil || !mayBeChildren(l) || !inv.makesChildren(s) {
		return
	}
	for _, e := range l.Elems {
		a, ok := e.(*elixir.Alias)
		if !ok || inv.seen[a] {
			continue
		}
		if k, ok := kinds[s.moduleName(a)]; ok && !k.isStatic() {
			inv.seen[a] = true
			inv.add(s, k, a, a.Pos, nil)
		}
	}
}

// makesChildren reports whether a function is about children of a supervisor: other functions may list modules too.
func (inv *inventory) makesChildren(s *scope) bool {
	found, ok := inv.ofChildren[s.fn]
	if ok {
		return found
	}
	found = strings.Contains(s.fn.name, "child")
	eachCall(s.fn.code, func(c *elixir.Call) {
		switch s.target(c) {
		case "Supervisor.start_link", "Supervisor.init", "supervise", ":supervisor.start_link":
			found = true
		}
	})
	inv.ofChildren[s.fn] = found
	return found
}

// mayBeChildren tells a list of children from other lists: it holds modules, tuples, maps and calls only.
func mayBeChildren(l *elixir.List) bool {
	for _, e := range l.Elems {
		switch e.(type) {
		case *elixir.Alias, *elixir.Tuple, *elixir.Map, *elixir.Call, *elixir.Ident, *elixir.Binop:
		default:
			return false
		}
	}
	return true
}

// call finds Kind.start_link, Kind.init, Kind.child_spec and supervisor(Kind, args).
func (inv *inventory) call(s *scope, c *elixir.Call, key elixir.Node) {
	if inv.seen[key] {
		return
	}
	if c.Target == nil {
		inv.oldSpec(s, c, key)
		return
	}
	module := s.moduleName(c.Target)
	k, ok := kinds[module]
	if !ok {
		return
	}
	switch c.Name {
	case "init":
		inv.seen[key] = true
		sup := inv.add(s, k, key, c.Pos, c.Args)
		sup.module = s.mod.name
	case "start_link", "child_spec":
		inv.seen[key] = true
		// What Supervisor.child_spec is given is found by itself.
		if (c.Name == "child_spec" && k.name == "Supervisor") || inv.byModule(s, c.Args) {
			return
		}
		inv.add(s, k, key, c.Pos, c.Args)
	}
}

// byModule reports whether the arguments of start_link are those that start a module of the program: Module, arg, options.
// Its init tells the rest.
func (inv *inventory) byModule(s *scope, args []elixir.Node) bool {
	if len(args) < 2 {
		return false
	}
	m := inv.p.modules[s.moduleName(args[0])]
	return m != nil && len(m.byName["init"]) > 0
}

// oldSpec finds what Supervisor.Spec had: supervisor(Kind, args) and supervise(children, options).
func (inv *inventory) oldSpec(s *scope, c *elixir.Call, key elixir.Node) {
	switch {
	case c.Name == "supervisor" && len(c.Args) >= 2:
		k, ok := kinds[s.moduleName(c.Args[0])]
		args, isList := c.Args[1].(*elixir.List)
		if ok && isList {
			inv.seen[key] = true
			inv.add(s, k, key, c.Pos, args.Elems)
		}
	case c.Name == "supervise" && len(c.Args) == 2 && len(s.mod.functions("supervise", 2)) == 0:
		inv.seen[key] = true
		inv.add(s, kinds["Supervisor"], key, c.Pos, c.Args).module = s.mod.name
	}
}

// add takes a supervisor in. The last of args holds its options.
func (inv *inventory) add(s *scope, k kind, from elixir.Node, at elixir.Pos, args []elixir.Node) *supervisor {
	sup := &supervisor{kind: k, in: s, at: at, from: from, options: options{values: map[string]term{}}}
	alone := len(args) == 1 && k.name == "Supervisor" // the children; Supervisor.init has options beside them
	if len(args) > 0 && !alone {
		sup.options = term{last(args), s}.options()
	}
	if len(args) > 1 && isModule(args[0]) {
		sup.options.open = true // the init of a module that isn't here decides
	}
	inv.all = append(inv.all, sup)
	return sup
}

// flagsMap finds the flags that an init/1 of OTP returns: %{strategy: :simple_one_for_one, intensity: 3, period: 5}.
func (inv *inventory) flagsMap(s *scope, m *elixir.Map) {
	if s.fn == nil || s.fn.name != "init" || m.Struct != nil || inv.seen[m] {
		return
	}
	o := term{m, s}.options()
	strategy, ok := o.get("strategy")
	if !ok || !strategies[strategy.scalar().text] {
		return
	}
	inv.seen[m] = true
	sup := inv.add(s, kinds[":supervisor"], m, m.Pos, nil)
	sup.module, sup.flags = s.mod.name, true
	sup.options = o
	if s.mod.usesModule("DynamicSupervisor") {
		sup.kind = kinds["DynamicSupervisor"]
	}
}

// flagsTuple finds the same as a tuple: {:simple_one_for_one, 3, 5}.
func (inv *inventory) flagsTuple(s *scope, t *elixir.Tuple) {
	if s.fn == nil || s.fn.name != "init" || len(t.Elems) != 3 {
		return
	}
	a, ok := t.Elems[0].(*elixir.Atom)
	if !ok || !strategies[a.Name] {
		return
	}
	inv.seen[t] = true
	sup := inv.add(s, kinds[":supervisor"], t, t.Pos, nil)
	sup.module, sup.flags = s.mod.name, true
	sup.options.values = map[string]term{
		"strategy": {a, s}, "intensity": {t.Elems[1], s}, "period": {t.Elems[2], s},
	}
}

var strategies = map[string]bool{
	"one_for_one": true, "one_for_all": true, "rest_for_one": true, "simple_one_for_one": true,
}

func (m *module) usesModule(name string) bool {
	for _, u := range m.uses {
		if u.module == name {
			return true
		}
	}
	return false
}

// withoutInit adds the modules that use a kind and whose init says nothing that can be read.
func (inv *inventory) withoutInit() {
	known := map[string]bool{}
	for _, sup := range inv.all {
		known[sup.module] = true
	}
	for _, m := range inv.p.order {
		for _, u := range m.uses {
			k, ok := kinds[u.module]
			if !ok || known[m.name] || m.name == "" || k.isStatic() || len(m.byName["init"]) == 0 {
				continue
			}
			sup := inv.add(&scope{p: inv.p, mod: m}, k, nil, u.at, nil)
			sup.module, sup.options = m.name, notKnown()
		}
	}
}

// childSpec reads a child as it stands in a list of children: the module and the arguments of its start.
func (s *scope) childSpec(n elixir.Node) (module string, args []elixir.Node) {
	switch n := n.(type) {
	case *elixir.Alias:
		return s.moduleName(n), nil
	case *elixir.Tuple:
		module, args, _ := s.startTuple(n)
		return module, args
	case *elixir.Map:
		for _, e := range n.Elems {
			if p, ok := e.(*elixir.Pair); ok && keyName(term{p.Key, s}) == "start" {
				if t, ok := p.Value.(*elixir.Tuple); ok {
					return s.childSpec(t)
				}
			}
		}
	case *elixir.Call:
		t := s.target(n)
		if t == "Supervisor.child_spec" && len(n.Args) > 0 {
			return s.childSpec(n.Args[0])
		}
		if module, ok := strings.CutSuffix(t, ".child_spec"); ok {
			return module, n.Args
		}
	}
	return "", nil
}
