package analyzers

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// values are the expressions that each variable and field of the package is given somewhere in it. Of a call with several
// results it is the call.
type values map[types.Object][]ast.Expr

// given collects what variables and fields are given, by declaration, assignment or composite literal.
func (u *unit) given() values {
	if u.values != nil {
		return u.values
	}
	u.values = values{}
	add := func(to ast.Expr, value ast.Expr) {
		if obj := u.object(to); obj != nil {
			u.values[obj] = append(u.values[obj], value)
		}
	}
	for c := range u.root.Preorder((*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil), (*ast.CompositeLit)(nil)) {
		switch n := c.Node().(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				add(to, n.Rhs[min(i, len(n.Rhs)-1)])
			}
		case *ast.ValueSpec:
			for i, to := range n.Names {
				if len(n.Values) > 0 {
					add(to, n.Values[min(i, len(n.Values)-1)])
				}
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.Ident); ok {
						add(key, kv.Value)
					}
				}
			}
		}
	}
	return u.values
}

// origin follows an expression to the one value that its variable is given, if it is given one only.
func (u *unit) origin(e ast.Expr) ast.Expr {
	for range 8 {
		obj := u.object(e)
		if obj == nil {
			return e
		}
		given := u.given()[obj]
		if len(given) != 1 {
			return e
		}
		e = ast.Unparen(given[0])
	}
	return e
}

// escapes says whether a variable is used other than by its methods and fields: it may then be known by another name.
func (u *unit) escapes(obj types.Object) bool {
	for c := range u.root.Preorder((*ast.Ident)(nil)) {
		if u.TypesInfo.Uses[c.Node().(*ast.Ident)] != obj {
			continue
		}
		switch c.ParentEdgeKind() {
		case edge.SelectorExpr_X, edge.AssignStmt_Lhs:
		case edge.SelectorExpr_Sel:
			// x.obj, where obj is a field: what is done with the whole of it decides.
			switch c.Parent().ParentEdgeKind() {
			case edge.SelectorExpr_X, edge.AssignStmt_Lhs:
			default:
				return true
			}
		case edge.KeyValueExpr_Key:
		case edge.AssignStmt_Rhs:
			if !thrownAway(c) {
				return true
			}
		case edge.BinaryExpr_X, edge.BinaryExpr_Y: // compared with nil
		default:
			return true
		}
	}
	return false
}

// thrownAway says whether a value of an assignment goes to the blank identifier.
func thrownAway(c inspector.Cursor) bool {
	assign := c.Parent().Node().(*ast.AssignStmt)
	_, i := c.ParentEdge()
	if len(assign.Lhs) != len(assign.Rhs) {
		return false
	}
	to, ok := assign.Lhs[i].(*ast.Ident)
	return ok && to.Name == "_"
}
