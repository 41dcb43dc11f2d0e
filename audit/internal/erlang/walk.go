package erlang

import "iter"

// Walk calls f for n and, where f says true, for all that is inside n, in the order of the source.
func Walk(n Node, f func(Node) bool) {
	if n == nil || !f(n) {
		return
	}
	for child := range children(n) {
		Walk(child, f)
	}
}

// WalkClause walks the patterns, guards and body of a clause.
func WalkClause(c *Clause, f func(Node) bool) {
	for _, part := range [][]Node{c.Params, c.Guard, c.Body} {
		for _, n := range part {
			Walk(n, f)
		}
	}
}

// Calls calls f for every call in a function.
func (fn *Function) Calls(f func(*Call)) {
	for _, c := range fn.Clauses {
		WalkClause(c, func(n Node) bool {
			if call, ok := n.(*Call); ok {
				f(call)
			}
			return true
		})
	}
}

func children(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		each := func(nodes ...Node) bool {
			for _, n := range nodes {
				if n != nil && !yield(n) {
					return false
				}
			}
			return true
		}
		fields := func(fields []Field) bool {
			for _, f := range fields {
				if !each(f.Key, f.Value) {
					return false
				}
			}
			return true
		}
		clauses := func(clauses []*Clause) bool {
			for _, c := range clauses {
				if !each(c.Params...) || !each(c.Guard...) || !each(c.Body...) {
					return false
				}
			}
			return true
		}
		switch n := n.(type) {
		case *Tuple:
			each(n.Elems...)
		case *List:
			_ = each(n.Elems...) && each(n.Tail)
		case *Map:
			_ = each(n.Base) && fields(n.Fields)
		case *Record:
			_ = each(n.Base, n.Name) && fields(n.Fields)
		case *RecordField:
			each(n.Base, n.Name, n.Field)
		case *Binary:
			each(n.Elems...)
		case *Call:
			_ = each(n.Module, n.Fun) && each(n.Args...)
		case *Fun:
			clauses(n.Clauses)
		case *FunRef:
			each(n.Module, n.Name, n.Arity)
		case *Op:
			each(n.Left, n.Right)
		case *Block:
			_ = each(n.Subject...) && each(n.Body...) && clauses(n.Clauses) && each(n.Timeout) && each(n.After...)
		case *Comprehension:
			_ = each(n.Yield...) && each(n.From...)
		case *Macro:
			each(n.Args...)
		}
	}
}
