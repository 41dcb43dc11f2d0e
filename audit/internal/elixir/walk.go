package elixir

// Walk calls f for n and, where f reports true, for all that is inside n, in the order of the source: arguments, elements,
// what is interpolated, and the blocks and clauses of sections. A nil node is not visited.
func Walk(n Node, f func(Node) bool) {
	if isNil(n) || !f(n) {
		return
	}
	switch n := n.(type) {
	case *Block:
		walkAll(n.Exprs, f)
	case *Alias:
		Walk(n.Base, f)
	case *Atom:
		walkAll(n.Parts, f)
	case *String:
		walkAll(n.Parts, f)
	case *Sigil:
		walkAll(n.Parts, f)
	case *List:
		walkAll(n.Elems, f)
	case *Pair:
		Walk(n.Key, f)
		Walk(n.Value, f)
	case *Tuple:
		walkAll(n.Elems, f)
	case *Map:
		Walk(n.Struct, f)
		Walk(n.Update, f)
		walkAll(n.Elems, f)
	case *Binary:
		walkAll(n.Elems, f)
	case *Call:
		Walk(n.Target, f)
		walkAll(n.Args, f)
		for _, s := range n.Sections {
			Walk(s.Body, f)
			walkClauses(s.Clauses, f)
		}
	case *Unary:
		Walk(n.X, f)
	case *Binop:
		Walk(n.Left, f)
		Walk(n.Right, f)
	case *Access:
		Walk(n.X, f)
		Walk(n.Key, f)
	case *Fn:
		walkClauses(n.Clauses, f)
	case *Clause:
		walkAll(n.Args, f)
		Walk(n.Guard, f)
		Walk(n.Body, f)
	}
}

func walkAll(nodes []Node, f func(Node) bool) {
	for _, n := range nodes {
		Walk(n, f)
	}
}

func walkClauses(clauses []*Clause, f func(Node) bool) {
	for _, c := range clauses {
		Walk(c, f)
	}
}

// isNil also finds the nil block of a section that has clauses: an interface that holds a nil pointer is not nil itself.
func isNil(n Node) bool {
	if n == nil {
		return true
	}
	b, ok := n.(*Block)
	return ok && b == nil
}
