package beam

import "github.com/headcount-go/headcount/audit/internal/erlang"

// An erlScope is where the names of an expression are read: a clause, or the body of a macro.
type erlScope struct {
	mod    *erlModule
	fn     *erlFunction
	clause *erlang.Clause
	args   map[string]erlTerm
	outer  *erlScope // of a macro's body: where the macro stands
	depth  int
}

// An erlTerm is an expression with the scope that it stands in. Its zero value is what is not known.
type erlTerm struct {
	node erlang.Node
	in   *erlScope
}

// target is what a call is for: "supervisor:start_child", "spawn"; "" where it is not known.
func (s *erlScope) target(c *erlang.Call) string {
	fun := s.atom(c.Fun)
	if fun == "" || c.Module == nil {
		return fun
	}
	if m := s.atom(c.Module); m == "erlang" {
		return fun
	} else if m != "" {
		return m + ":" + fun
	}
	return ""
}

// atom is the name of the atom that n stands for; "" for all else.
func (s *erlScope) atom(n erlang.Node) string {
	if a, ok := n.(*erlang.Atom); ok { // most are written as such
		return a.Name
	}
	if a, ok := (erlTerm{n, s}).follow().node.(*erlang.Atom); ok {
		return a.Name
	}
	return ""
}

// follow leads from variables, macros and calls of known functions to what they stand for, and leaves all other terms
// alone. It returns the zero term where something is not known.
func (t erlTerm) follow() erlTerm {
	for range maxDepth {
		if t.node == nil || t.in.depth > maxDepth || t.in.mod.p.fuel <= 0 {
			return erlTerm{}
		}
		t.in.mod.p.fuel--
		next, ok := t.step()
		if !ok {
			return t
		}
		t = next
	}
	return erlTerm{}
}

// step goes one step; false where t stands for itself.
func (t erlTerm) step() (erlTerm, bool) {
	s := t.in
	switch n := t.node.(type) {
	case *erlang.Var:
		return s.variable(n), true
	case *erlang.Macro:
		return s.macro(n), true
	case *erlang.Op:
		if n.Op == "=" {
			return erlTerm{n.Right, s}, true
		}
	case *erlang.Block:
		if n.Keyword == "begin" && len(n.Body) > 0 {
			return erlTerm{n.Body[len(n.Body)-1], s}, true
		}
	case *erlang.Call:
		if body, in := s.returned(n); body != nil {
			return erlTerm{body, in}, true
		}
	}
	return t, false
}

func (s *erlScope) macro(n *erlang.Macro) erlTerm {
	switch n.Name {
	case "MODULE":
		return erlTerm{&erlang.Atom{Pos: n.Pos, Name: s.mod.name}, s}
	case "FUNCTION_NAME":
		if s.fn != nil {
			return erlTerm{&erlang.Atom{Pos: n.Pos, Name: s.fn.Name}, s}
		}
	}
	d := s.mod.define(n.Name, 0)
	if d == nil || d.Body == nil || s.depth >= maxDepth {
		return erlTerm{}
	}
	in := &erlScope{mod: s.mod, fn: s.fn, outer: s, depth: s.depth + 1, args: map[string]erlTerm{}}
	if n.Called && !d.Called {
		return erlTerm{&erlang.Call{Pos: n.Pos, Fun: &erlang.Macro{Pos: n.Pos, Name: n.Name}, Args: n.Args}, s}
	}
	for i, p := range d.Params {
		if i < len(n.Args) {
			in.args[p] = erlTerm{n.Args[i], s}
		}
	}
	return erlTerm{d.Body, in}
}

// variable is what a variable is bound to. One that is bound at two places, as in the branches of a case, is not known.
func (s *erlScope) variable(v *erlang.Var) erlTerm {
	if t, ok := s.args[v.Name]; ok {
		return t
	}
	if s.outer != nil {
		return erlTerm{v, s.outer}
	}
	if s.clause == nil {
		return erlTerm{}
	}
	found := s.mod.p.bindings(s.clause)[v.Name]
	if len(found) != 1 {
		return erlTerm{}
	}
	if b := found[0]; b.element >= 0 {
		return erlTerm{b.value, s}.element(b.element)
	}
	return erlTerm{found[0].value, s}
}

// An erlBinding is Name = Value, or one element of {Name, ...} = Value.
type erlBinding struct {
	value   erlang.Node
	element int // -1 for the whole
}

// bindings are those of a clause, read once.
func (p *erlProgram) bindings(c *erlang.Clause) map[string][]erlBinding {
	if known, ok := p.bound[c]; ok {
		return known
	}
	found := map[string][]erlBinding{}
	bind := func(n erlang.Node, b erlBinding) {
		if v, ok := n.(*erlang.Var); ok {
			found[v.Name] = append(found[v.Name], b)
		}
	}
	erlang.WalkClause(c, func(n erlang.Node) bool {
		if o, ok := n.(*erlang.Op); ok && o.Op == "=" {
			bind(o.Left, erlBinding{o.Right, -1})
			if t, ok := o.Left.(*erlang.Tuple); ok {
				for i, e := range t.Elems {
					bind(e, erlBinding{o.Right, i})
				}
			}
		}
		return true
	})
	p.bound[c] = found
	return found
}

func (t erlTerm) element(i int) erlTerm {
	t = t.follow()
	if tuple, ok := t.node.(*erlang.Tuple); ok && i < len(tuple.Elems) {
		return erlTerm{tuple.Elems[i], t.in}
	}
	return erlTerm{}
}

// called is the function of the program that a call is for, or all clauses of a message handler; nil where it is none.
func (s *erlScope) called(c *erlang.Call) []*erlFunction {
	name := s.atom(c.Fun)
	if name == "" {
		return nil
	}
	mod := s.mod
	if c.Module != nil {
		if mod = s.mod.p.modules[s.atom(c.Module)]; mod == nil {
			return nil
		}
	}
	return mod.function(name, len(c.Args))
}

// returned follows a call of a function that has one clause to its last expression.
func (s *erlScope) returned(c *erlang.Call) (erlang.Node, *erlScope) {
	all := s.called(c)
	if len(all) != 1 || len(all[0].Clauses) != 1 || len(all[0].Clauses[0].Body) == 0 || s.depth >= maxDepth {
		return nil, nil
	}
	f, clause := all[0], all[0].Clauses[0]
	in := &erlScope{mod: f.mod, fn: f, clause: clause, args: map[string]erlTerm{}, depth: s.depth + 1}
	for i, p := range clause.Params {
		if v, ok := p.(*erlang.Var); ok {
			in.args[v.Name] = erlTerm{c.Args[i], s}
		}
	}
	return clause.Body[len(clause.Body)-1], in
}

// number is the whole number that t stands for.
func (t erlTerm) number() (int64, bool) {
	t = t.follow()
	switch n := t.node.(type) {
	case *erlang.Int:
		return n.Value, n.Known
	case *erlang.Op:
		if n.Left == nil || t.in.depth > maxDepth {
			return 0, false
		}
		left, ok := erlTerm{n.Left, t.in}.number()
		right, too := erlTerm{n.Right, t.in}.number()
		if !ok || !too {
			return 0, false
		}
		switch n.Op {
		case "*":
			return product(left, right), true
		case "+":
			return left + right, true
		}
	}
	return 0, false
}

// option finds a key in a map or a list of options. It is known to be absent only where all keys are known.
func (t erlTerm) option(key string) (value erlTerm, found, known bool) {
	t = t.follow()
	switch n := t.node.(type) {
	case *erlang.Map:
		for _, f := range n.Fields {
			if t.in.atom(f.Key) == key {
				return erlTerm{f.Value, t.in}, true, true
			}
		}
		if n.Base != nil {
			return erlTerm{n.Base, t.in}.option(key)
		}
		return erlTerm{}, false, true
	case *erlang.List:
		known = true
		for _, e := range n.Elems {
			o := erlTerm{e, t.in}.follow()
			tuple, ok := o.node.(*erlang.Tuple)
			_, isAtom := o.node.(*erlang.Atom)
			switch {
			case ok && len(tuple.Elems) == 2 && o.in.atom(tuple.Elems[0]) == key:
				return erlTerm{tuple.Elems[1], o.in}, true, true
			case !ok && !isAtom:
				known = false
			}
		}
		if n.Tail != nil {
			value, found, tailKnown := erlTerm{n.Tail, t.in}.option(key)
			return value, found, known && tailKnown
		}
		return erlTerm{}, false, known
	case *erlang.Op:
		if n.Op == "++" {
			left, found, known := erlTerm{n.Left, t.in}.option(key)
			if found {
				return left, true, true
			}
			right, found, too := erlTerm{n.Right, t.in}.option(key)
			return right, found, known && too
		}
	}
	return erlTerm{}, false, false
}
