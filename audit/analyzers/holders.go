package analyzers

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// holder is the variable or field that a new value goes into; nil if that is not known. It says false where the value goes
// into a field of a type that is not the package's own.
func (u *unit) holder(c inspector.Cursor) (types.Object, bool) {
	value := c.Node()
	for p := range c.Enclosing() {
		switch n := p.Node().(type) {
		case *ast.UnaryExpr, *ast.ParenExpr, *ast.CompositeLit, *ast.CallExpr:
			if p.Node() == c.Node() {
				continue
			}
			if _, transparent := n.(*ast.CallExpr); transparent {
				return nil, true
			}
			if lit, ok := n.(*ast.CompositeLit); ok {
				// An element of a slice or a map, or a field given by place.
				return nil, u.ours(u.TypesInfo.TypeOf(lit))
			}
			value = n
		case *ast.AssignStmt:
			for i, rhs := range n.Rhs {
				if rhs == value && len(n.Lhs) == len(n.Rhs) {
					return u.object(n.Lhs[i]), true
				}
			}
			return nil, true
		case *ast.ValueSpec:
			for i, v := range n.Values {
				if v == value && len(n.Names) == len(n.Values) {
					return u.TypesInfo.ObjectOf(n.Names[i]), true
				}
			}
			return nil, true
		case *ast.KeyValueExpr:
			lit, ok := p.Parent().Node().(*ast.CompositeLit)
			if !ok {
				return nil, true
			}
			if key, ok := n.Key.(*ast.Ident); ok && n.Value == value {
				if field, ok := u.TypesInfo.ObjectOf(key).(*types.Var); ok && field.IsField() {
					return field, u.ours(u.TypesInfo.TypeOf(lit))
				}
			}
			return nil, true
		default:
			return nil, true
		}
	}
	return nil, true
}

// ours says whether a type is not of another package.
func (u *unit) ours(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	return !ok || n.Obj().Pkg() == u.Pkg
}

// foreign says whether a call goes to another package, which may do more to a server than it is known of x/net/http2.
func (u *unit) foreign(call *ast.CallExpr) bool {
	fn, ok := u.callee(call)
	return !ok || fn.Pkg() != u.Pkg && !isFunc(fn, "golang.org/x/net/http2", "ConfigureServer")
}

// leavesPackage says whether a value is given away where it is made: to another package, or to the callers of an exported
// function.
func (u *unit) leavesPackage(at inspector.Cursor) bool {
	for c := range at.Enclosing((*ast.UnaryExpr)(nil), (*ast.ParenExpr)(nil), (*ast.CallExpr)(nil), (*ast.CompositeLit)(nil)) {
		switch c.ParentEdgeKind() {
		case edge.CallExpr_Args:
			return u.foreign(c.Parent().Node().(*ast.CallExpr))
		case edge.ReturnStmt_Results:
			return u.exported(c)
		case edge.UnaryExpr_X, edge.ParenExpr_X:
		default:
			return false
		}
	}
	return false
}

// open says whether a variable or field can be reached from other packages.
func (u *unit) open(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && v.Exported() && u.Pkg.Name() != "main" && (v.IsField() || v.Parent() == u.Pkg.Scope())
}

// exported says whether the function around a node can be called from another package.
func (u *unit) exported(at inspector.Cursor) bool {
	for c := range at.Enclosing((*ast.FuncDecl)(nil)) {
		return u.Pkg.Name() != "main" && c.Node().(*ast.FuncDecl).Name.IsExported()
	}
	return false
}
