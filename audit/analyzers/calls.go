package analyzers

import (
	"go/ast"
	"go/constant"
	"go/types"
	"iter"
	"slices"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// calls gives every call of the package with the function that it names.
func (u *unit) calls(within inspector.Cursor) iter.Seq2[inspector.Cursor, *types.Func] {
	return func(yield func(inspector.Cursor, *types.Func) bool) {
		for c := range within.Preorder((*ast.CallExpr)(nil)) {
			if fn, ok := u.callee(c.Node().(*ast.CallExpr)); ok && !yield(c, fn) {
				return
			}
		}
	}
}

// callee is the function or method that a call names.
func (u *unit) callee(call *ast.CallExpr) (*types.Func, bool) {
	fn, ok := typeutil.Callee(u.TypesInfo, call).(*types.Func)
	if !ok {
		return nil, false
	}
	return fn.Origin(), true
}

// isFunc says whether fn is a function of one of these names at the top of the package.
func isFunc(fn *types.Func, pkg string, names ...string) bool {
	return fn.Pkg() != nil && fn.Pkg().Path() == pkg && fn.Signature().Recv() == nil && slices.Contains(names, fn.Name())
}

// isMethod says whether fn is a method of one of these names on pkg's typ, or on a pointer to it.
func isMethod(fn *types.Func, pkg, typ string, names ...string) bool {
	recv := fn.Signature().Recv()
	return recv != nil && slices.Contains(names, fn.Name()) && isType(recv.Type(), pkg, typ)
}

// isType says whether t, or what t points to, is the named type. Type arguments do not matter.
func isType(t types.Type, pkg, name string) bool {
	if t == nil {
		return false
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, ok := t.(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == pkg
}

// intValue is the value of an expression that is a constant integer, cut to the range of int64.
func (u *unit) intValue(e ast.Expr) (int64, bool) {
	v := u.TypesInfo.Types[e].Value
	if v == nil {
		return 0, false
	}
	v = constant.ToInt(v)
	if v.Kind() != constant.Int {
		return 0, false
	}
	n, exact := constant.Int64Val(v)
	if !exact {
		if constant.Sign(v) < 0 {
			return -1 << 63, true
		}
		return 1<<63 - 1, true
	}
	return n, true
}

// stringValue is the value of an expression that is a constant string.
func (u *unit) stringValue(e ast.Expr) (string, bool) {
	v := u.TypesInfo.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// object is the variable or field that an expression denotes: x, x.f, *x, &x, (x). It is nil for anything else, and an
// element of a slice or map is what it is an element of.
func (u *unit) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return u.TypesInfo.ObjectOf(e)
	case *ast.SelectorExpr:
		return u.TypesInfo.ObjectOf(e.Sel)
	case *ast.StarExpr:
		return u.object(e.X)
	case *ast.UnaryExpr:
		return u.object(e.X)
	case *ast.IndexExpr:
		return u.object(e.X)
	}
	return nil
}

// receiverOf is what a method is called on.
func receiverOf(call *ast.CallExpr) ast.Expr {
	if s, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		return s.X
	}
	return nil
}

// callAround is the call that a node is, or is in.
func callAround(at inspector.Cursor) inspector.Cursor {
	for c := range at.Enclosing((*ast.CallExpr)(nil)) {
		return c
	}
	return at
}

// isFuncOption says whether t is a function, as options are, or something that holds one.
func isFuncOption(t types.Type) bool {
	_, ok := t.Underlying().(*types.Signature)
	return ok
}
