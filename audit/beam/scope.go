package beam

import "github.com/headcount-go/headcount/audit/internal/elixir"

// A scope is where the names of an expression are read: a clause of a function with what is known of its parameters.
type scope struct {
	p     *program
	mod   *module
	fn    *clause // nil outside functions
	args  map[string]term
	depth int
}

// A term is an expression with the scope that it stands in. Its zero value is what is not known.
type term struct {
	node elixir.Node
	in   *scope
}

// maxDepth bounds how far a value is followed through variables, functions and configuration.
const maxDepth = 24

func (s *scope) aliases() map[string]string {
	if s.fn != nil {
		return s.fn.aliases
	}
	return s.mod.aliases
}

func (s *scope) moduleName(n elixir.Node) string { return s.mod.moduleName(n, s.aliases()) }

// target returns the full name of what a call is for: "DynamicSupervisor.start_link", ":ranch.child_spec"; only the
// function's name for a local call that no import can be meant by.
func (s *scope) target(c *elixir.Call) string {
	if c.Target == nil {
		return c.Name
	}
	if m := s.moduleName(c.Target); m != "" {
		return m + "." + c.Name
	}
	return ""
}

// follow leads from variables, attributes, calls of known functions and the like to what they stand for, and leaves all
// other terms alone. It returns the zero term where something is not known.
func (t term) follow() term {
	for range maxDepth {
		if t.node == nil || t.in.depth > maxDepth || t.in.p.fuel <= 0 {
			return term{}
		}
		t.in.p.fuel--
		next, ok := t.step()
		if !ok {
			return t
		}
		t = next
	}
	return term{}
}

// step goes one step; false where t stands for itself.
func (t term) step() (term, bool) {
	s := t.in
	switch n := t.node.(type) {
	case *elixir.Ident:
		if n.Name == "__MODULE__" {
			return t, false
		}
		if v, ok := s.variable(n); ok {
			return v, true
		}
		return s.returned(&elixir.Call{Pos: n.Pos, Name: n.Name})
	case *elixir.Unary:
		name, ok := attribute(n)
		if !ok {
			return t, false
		}
		values := s.mod.attrs[name]
		if len(values) != 1 {
			return term{}, true
		}
		return term{values[0], &scope{p: s.p, mod: s.mod, depth: s.depth + 1}}, true
	case *elixir.Block:
		if len(n.Exprs) == 0 {
			return term{}, true
		}
		return term{last(n.Exprs), s}, true
	case *elixir.Binop:
		switch n.Op {
		case "=":
			return term{n.Right, s}, true
		case "|>":
			if c := piped(n); c != nil {
				return term{c, s}, true
			}
		}
	case *elixir.Call:
		return s.called(n)
	case *elixir.Access:
		return s.lookup(n.X, n.Key, nil), true
	}
	return t, false
}

// called follows a call of a function of the program, or of one of the standard library that only reads.
func (s *scope) called(c *elixir.Call) (term, bool) {
	if v, ok := s.library(c); ok {
		return v, true
	}
	return s.returned(c)
}

// variable returns what a variable was last bound to before at; false for a name that is none.
func (s *scope) variable(id *elixir.Ident) (term, bool) {
	var found elixir.Node
	for _, b := range s.bindings()[id.Name] {
		if before(b.Pos, id.Pos) && !holds(b.Right, id) {
			found = b.Right
		}
	}
	if found != nil {
		return term{found, s}, true
	}
	if v, ok := s.args[id.Name]; ok {
		return v, true
	}
	if s.fn != nil && s.isParam(id.Name) {
		return term{}, true
	}
	return term{}, false
}

// bindings are the name = value of a clause, or of what stands outside of functions in a file, in the order of the source.
func (s *scope) bindings() map[string][]*elixir.Binop {
	if s.fn == nil {
		return s.mod.src.bindings()
	}
	if s.fn.bound == nil {
		s.fn.bound = bindingsIn(s.fn.code)
	}
	return s.fn.bound
}

func (src *source) bindings() map[string][]*elixir.Binop {
	if src.bound == nil {
		src.bound = bindingsIn(src.file.Body)
	}
	return src.bound
}

func bindingsIn(code elixir.Node) map[string][]*elixir.Binop {
	found := map[string][]*elixir.Binop{}
	elixir.Walk(code, func(n elixir.Node) bool {
		if b, ok := n.(*elixir.Binop); ok && b.Op == "=" {
			if v, ok := b.Left.(*elixir.Ident); ok {
				found[v.Name] = append(found[v.Name], b)
			}
		}
		return true
	})
	return found
}

// isVariable reports whether a name is bound in the clause: then it is no call of a function of that name.
func (s *scope) isVariable(name string) bool { return len(s.bindings()[name]) > 0 || s.isParam(name) }

// isParam reports whether a name is bound by the parameters, also deep in a pattern.
func (s *scope) isParam(name string) bool {
	found := false
	for _, p := range s.fn.params {
		elixir.Walk(p, func(n elixir.Node) bool {
			if id, ok := n.(*elixir.Ident); ok && id.Name == name {
				found = true
			}
			return !found
		})
	}
	return found
}

func before(a, b elixir.Pos) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// holds reports whether id is inside n: the x on the right of x = f(x) is not the new x.
func holds(n elixir.Node, id *elixir.Ident) bool {
	found := false
	elixir.Walk(n, func(n elixir.Node) bool {
		found = found || n == elixir.Node(id)
		return !found
	})
	return found
}

// returned follows a call of a function of the program that has one clause: its last expression with the parameters
// bound. A call of something else stands for itself.
func (s *scope) returned(c *elixir.Call) (term, bool) {
	self := term{c, s}
	mod := s.mod
	if c.Target != nil {
		if mod = s.p.modules[s.moduleName(c.Target)]; mod == nil {
			return self, false
		}
	}
	clauses := mod.functions(c.Name, len(c.Args))
	if len(clauses) != 1 || clauses[0].macro || s.depth > maxDepth {
		return self, false
	}
	f := clauses[0]
	if len(f.body.Exprs) == 0 {
		return self, false
	}
	return term{last(f.body.Exprs), s.p.enter(f, c.Args, s)}, true
}

// enter is the scope inside f when it is called with args that stand in from.
func (p *program) enter(f *clause, args []elixir.Node, from *scope) *scope {
	in := &scope{p: p, mod: f.mod, fn: f, args: map[string]term{}}
	if from != nil {
		in.depth = from.depth + 1
	}
	given := 0
	spare := len(args) - required(f)
	for _, param := range f.params {
		name, byDefault := paramName(param)
		switch {
		case byDefault != nil && spare <= 0:
			in.args[name] = term{byDefault, &scope{p: p, mod: f.mod, depth: in.depth + 1}}
			continue
		case byDefault != nil:
			spare--
		}
		if given < len(args) {
			if name != "" && args[given] != nil {
				in.args[name] = term{args[given], from}
			}
			given++
		}
	}
	return in
}

func required(f *clause) int {
	n := 0
	for _, p := range f.params {
		if !isDefault(p) {
			n++
		}
	}
	return n
}

// paramName returns the name that a parameter binds as a whole, and its default.
func paramName(n elixir.Node) (name string, byDefault elixir.Node) {
	switch n := n.(type) {
	case *elixir.Ident:
		return n.Name, nil
	case *elixir.Binop:
		switch n.Op {
		case `\\`:
			name, _ = paramName(n.Left)
			return name, n.Right
		case "=":
			if id, ok := n.Right.(*elixir.Ident); ok {
				return id.Name, nil
			}
			if id, ok := n.Left.(*elixir.Ident); ok {
				return id.Name, nil
			}
		}
	}
	return "", nil
}
