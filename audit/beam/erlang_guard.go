package beam

import (
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/erlang"
)

// guarded reports whether a function asks how many there are before it goes on; asked once for each function.
func (f *erlFunction) guarded() bool {
	name := f.symbol()
	known, ok := f.mod.p.guards[name]
	if !ok {
		known = f.asksHowMany()
		f.mod.p.guards[name] = known
	}
	return known
}

// asksHowMany reports whether a function asks how many there are before it goes on: it counts the children of a supervisor, or
// compares something with what is called a limit.
func (f *erlFunction) asksHowMany() bool {
	found := false
	var clauses []*erlang.Clause
	for _, part := range f.mod.function(f.Name, f.Arity) { // the clause that refuses stands beside the one that starts
		clauses = append(clauses, part.Clauses...)
	}
	for _, clause := range clauses {
		s := &erlScope{mod: f.mod, fn: f, clause: clause}
		erlang.WalkClause(clause, func(n erlang.Node) bool {
			switch n := n.(type) {
			case *erlang.Call:
				f.mod.p.fuel = erlFuel
				t := s.target(n)
				found = found || t == "supervisor:count_children" || t == "supervisor:which_children"
			case *erlang.Op:
				switch n.Op {
				case "<", ">", "=<", ">=":
					found = found || isLimit(n.Left) || isLimit(n.Right)
				}
			}
			return !found
		})
	}
	return found
}

// isLimit reports whether an operand is called a limit or a count of what there is.
func isLimit(n erlang.Node) bool {
	found := false
	erlang.Walk(n, func(n erlang.Node) bool {
		name := ""
		switch n := n.(type) {
		case *erlang.Atom:
			name = n.Name
		case *erlang.Var:
			name = n.Name
		case *erlang.Macro:
			name = n.Name
		}
		name = strings.ToLower(name)
		contains := func(word string) bool { return strings.Contains(name, word) }
		found = found || slices.ContainsFunc([]string{"max", "limit", "quota", "capacity"}, contains) &&
			!slices.ContainsFunc([]string{"msg", "message", "byte", "time", "retr", "heap", "packet", "frame"}, contains)
		return !found
	})
	return found
}

// checked reports whether a function, or each of its callers in the program, is guarded.
func (g *erlGraph) checked(f *erlFunction) bool {
	known, ok := g.checks[f]
	if !ok {
		callers := g.callers[f]
		known = f.guarded() || len(callers) > 0 && !slices.ContainsFunc(callers, func(c *erlFunction) bool { return !c.guarded() })
		g.checks[f] = known
	}
	return known
}
