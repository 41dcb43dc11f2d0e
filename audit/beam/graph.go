package beam

import "github.com/headcount-go/headcount/audit/internal/elixir"

// A graph says which clauses a clause runs, directly or by a message.
type graph struct {
	p *program
	// calls are shared slices, so that generated code with thousands of clauses that call each other stays small.
	calls map[*clause][][]*clause
	// starts are the calls that start a child of some supervisor.
	starts []startCall
	// counts are the clauses that ask a supervisor how many children it has.
	counts map[*clause]bool
	// sites are all calls of functions of the program, with what they give them.
	sites []callSite
}

// each gives what a clause calls, for one walk: a shared slice is passed once.
func (g *graph) each() func(from *clause, visit func(*clause)) {
	done := map[**clause]bool{} // by the first element
	return func(from *clause, visit func(*clause)) {
		for _, function := range g.calls[from] {
			if done[&function[0]] {
				continue
			}
			done[&function[0]] = true
			for _, next := range function {
				visit(next)
			}
		}
	}
}

func (p *program) graph() *graph {
	g := &graph{p: p, calls: map[*clause][][]*clause{}, counts: map[*clause]bool{}}
	for _, m := range p.order {
		for _, c := range m.clauses {
			g.addClause(c)
		}
	}
	g.startsByCallers()
	return g
}

func (g *graph) addClause(c *clause) {
	g.p.fuel = fuel
	s := g.p.enter(c, nil, nil)
	g.walk(s, c.code)
	if c.name == "init" {
		g.link(c, c.mod.functions("handle_continue", 2))
	}
}

func (g *graph) walk(s *scope, n elixir.Node) {
	elixir.Walk(n, func(n elixir.Node) bool {
		switch n := n.(type) {
		case *elixir.Unary:
			if captured := s.captured(n); captured != nil {
				g.link(s.fn, captured)
				return false
			}
		case *elixir.Ident:
			if f := s.mod.functions(n.Name, 0); f != nil && !s.isVariable(n.Name) {
				g.link(s.fn, f)
			}
		case *elixir.Binop:
			if c := piped(n); c != nil {
				g.call(s, c)
				g.walk(s, n.Left)
				if r, ok := n.Right.(*elixir.Call); ok {
					g.inside(s, r)
				}
				return false
			}
		case *elixir.Call:
			g.call(s, n)
		case *elixir.Tuple:
			g.byName(s, n.Elems)
		}
		return true
	})
}

// inside walks what a call holds without taking it as a call itself.
func (g *graph) inside(s *scope, c *elixir.Call) {
	for _, a := range c.Args {
		g.walk(s, a)
	}
	for _, section := range c.Sections {
		if section.Body != nil {
			g.walk(s, section.Body)
		}
		for _, clause := range section.Clauses {
			g.walk(s, clause)
		}
	}
}

func (g *graph) link(from *clause, to []*clause) {
	if len(to) > 0 {
		g.calls[from] = append(g.calls[from], to)
	}
}

// run links clauses that are called with arguments.
func (g *graph) run(s *scope, to []*clause, args []elixir.Node) {
	if len(to) > 0 {
		g.link(s.fn, to)
		g.sites = append(g.sites, callSite{args, s, to})
	}
}

// captured returns the functions of &name/1 and &Module.name/1; nil for other uses of &.
func (s *scope) captured(u *elixir.Unary) []*clause {
	b, ok := u.X.(*elixir.Binop)
	if !ok || u.Op != "&" || b.Op != "/" {
		return nil
	}
	n, ok := b.Right.(*elixir.Number)
	if !ok {
		return nil
	}
	arity, _ := n.Int()
	switch f := b.Left.(type) {
	case *elixir.Ident:
		return s.mod.functions(f.Name, int(arity))
	case *elixir.Call:
		if f.Target != nil {
			return s.p.lookup(s.moduleName(f.Target), f.Name, int(arity))
		}
	}
	return nil
}

func (p *program) lookup(module, name string, arity int) []*clause {
	if m := p.modules[module]; m != nil {
		return m.functions(name, arity)
	}
	return nil
}

// call links what one call runs.
func (g *graph) call(s *scope, c *elixir.Call) {
	g.byName(s, c.Args)
	module := ""
	if c.Target == nil {
		if found := s.mod.functions(c.Name, len(c.Args)); found != nil {
			g.run(s, matching(found, c.Args), c.Args)
			return
		}
		for _, i := range s.mod.imports {
			g.run(s, g.p.lookup(i, c.Name, len(c.Args)), c.Args)
			g.start(s, c, i)
		}
		if c.Name != "send" {
			return
		}
	} else {
		module = s.targetModule(c.Target)
	}
	if module != "" {
		g.run(s, matching(g.p.lookup(module, c.Name, len(c.Args)), c.Args), c.Args)
	}
	g.message(s, c, module)
	g.start(s, c, module)
	if c.Name == "new" && len(c.Args) > 0 { // MyWorker.new(args) is on its way to Oban.insert
		if m := g.p.modules[module]; m != nil && g.p.roles(m)[worker] {
			g.link(s.fn, m.functions("perform", 1))
		}
	}
}

// targetModule is the module before the dot, also where a variable, an attribute or a function gives it.
func (s *scope) targetModule(n elixir.Node) string {
	if m := s.moduleName(n); m != "" {
		return m
	}
	t := term{n, s}.follow()
	if t.node == nil || !isModule(t.node) {
		return ""
	}
	return t.in.moduleName(t.node)
}

// byName links Module, :function, [arguments] wherever they stand in a row: apply, spawn, Task.start, child specs.
func (g *graph) byName(s *scope, row []elixir.Node) {
	for i := 0; i+2 < len(row); i++ {
		name, ok := row[i+1].(*elixir.Atom)
		args, isList := row[i+2].(*elixir.List)
		if ok && isList && isModule(row[i]) {
			g.link(s.fn, g.p.lookup(s.moduleName(row[i]), name.Name, len(args.Elems)))
		}
	}
}

// message links the handler of a message that is sent: GenServer.call(Module, message) runs Module.handle_call. Where the
// receiver is not known it is taken for the module's own server, as client functions have it.
func (g *graph) message(s *scope, c *elixir.Call, module string) {
	handler, arity := "", 0
	switch {
	case module == "GenServer" && c.Name == "call":
		handler, arity = "handle_call", 3
	case module == "GenServer" && c.Name == "cast":
		handler, arity = "handle_cast", 2
	case c.Target == nil && c.Name == "send", module == "Process" && (c.Name == "send" || c.Name == "send_after"):
		handler, arity = "handle_info", 2
	case c.Name == "start_link" || c.Name == "start":
		if len(c.Args) > 1 && isModule(c.Args[0]) && g.p.modules[module] == nil {
			g.link(s.fn, g.p.lookup(s.moduleName(c.Args[0]), "init", 1))
		}
		return
	default:
		return
	}
	if len(c.Args) < 2 {
		return
	}
	receiver := s.mod
	if name := s.targetModule(c.Args[0]); name != "" {
		receiver = g.p.modules[name]
	}
	if receiver != nil {
		g.link(s.fn, matching(receiver.functions(handler, arity), c.Args[1:2]))
	}
}

// fewClauses bounds what matching sorts out for one call.
const fewClauses = 64

// matching keeps the clauses whose parameters may match the arguments, as far as both are literal. Of a function with very
// many clauses it keeps all.
func matching(clauses []*clause, args []elixir.Node) []*clause {
	if len(clauses) > fewClauses {
		return clauses
	}
	var found []*clause
	for _, c := range clauses {
		if mayMatch(c, args) {
			found = append(found, c)
		}
	}
	return found
}

func mayMatch(c *clause, args []elixir.Node) bool {
	for i, a := range args {
		if i >= len(c.params) {
			return true
		}
		want, given := tag(c.params[i]), tag(a)
		if want != "" && given != "" && want != given {
			return false
		}
	}
	return true
}

// tag is the literal by which clauses tell messages apart: an atom, or the atom that a tuple begins with.
func tag(n elixir.Node) string {
	switch n := n.(type) {
	case *elixir.Atom:
		return ":" + n.Name
	case *elixir.String:
		if len(n.Parts) == 0 {
			return n.Text
		}
	case *elixir.Tuple:
		if len(n.Elems) > 0 {
			if a, ok := n.Elems[0].(*elixir.Atom); ok {
				return "{" + a.Name
			}
		}
	case *elixir.Binop:
		if n.Op == "=" {
			if t := tag(n.Left); t != "" {
				return t
			}
			return tag(n.Right)
		}
	}
	return ""
}
