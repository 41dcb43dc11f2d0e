package analyzers

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

// A server is one place of the package where an http.Server comes into being.
type server struct {
	at      inspector.Cursor
	literal *ast.CompositeLit   // nil for a zero value
	set     map[string]ast.Expr // its fields that are set, there or elsewhere in the package
	passed  bool                // to a function of another package, which may set what is missing
	report.Criticality
}

// has says whether a duration is set to something else than none.
func (s server) has(u *unit, field string) bool {
	e, ok := s.set[field]
	if !ok {
		return false
	}
	n, constant := u.intValue(e)
	return !constant || n > 0
}

// zero says whether a field is not set, or to zero: net/http takes another one instead then. A negative value is "none".
func (s server) zero(u *unit, field string) bool {
	e, ok := s.set[field]
	if !ok {
		return true
	}
	n, constant := u.intValue(e)
	return constant && n == 0
}

// readTimeout is net/http's rule: ReadHeaderTimeout, and ReadTimeout where that is zero.
func (s server) readTimeout(u *unit) bool {
	return s.has(u, "ReadHeaderTimeout") || s.zero(u, "ReadHeaderTimeout") && s.has(u, "ReadTimeout")
}

// idleTimeout is net/http's rule: IdleTimeout, and ReadTimeout where that is zero.
func (s server) idleTimeout(u *unit) bool {
	return s.has(u, "IdleTimeout") || s.zero(u, "IdleTimeout") && s.has(u, "ReadTimeout")
}

func (s server) confidence() report.Confidence {
	if s.passed {
		return report.Medium
	}
	return report.High
}

// serverUse is what a package does with its servers, by the variable or field that holds them; nil for what is not known.
type serverUse struct {
	set    map[types.Object]map[string]ast.Expr
	served map[types.Object][]*ast.CallExpr
	passed map[types.Object]bool
	shared map[types.Object]bool // may be known by another name too
}

// servers finds the servers of the package that serve. One that never does, or is made for a field of somebody else's type
// (which means a configuration of it, as in x/net/http2), is left out.
func (u *unit) servers() []server {
	type made struct {
		server
		holder types.Object
	}
	var all []made
	holders := map[types.Object]bool{}
	add := func(c inspector.Cursor, lit *ast.CompositeLit, holder types.Object) {
		holders[holder] = true
		all = append(all, made{server{at: c, literal: lit, set: map[string]ast.Expr{}}, holder})
	}
	for c := range u.root.Preorder((*ast.CompositeLit)(nil), (*ast.CallExpr)(nil), (*ast.ValueSpec)(nil), (*ast.StructType)(nil)) {
		switch n := c.Node().(type) {
		case *ast.CompositeLit:
			if named(u.TypesInfo.TypeOf(n), "net/http", "Server") {
				if holder, ours := u.holder(c); ours {
					add(c, n, holder)
				}
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && u.TypesInfo.Uses[id] == types.Universe.Lookup("new") && named(u.TypesInfo.TypeOf(n.Args[0]), "net/http", "Server") {
				if holder, ours := u.holder(c); ours {
					add(c, nil, holder)
				}
			}
		case *ast.ValueSpec:
			if len(n.Values) == 0 && n.Type != nil && named(u.TypesInfo.TypeOf(n.Type), "net/http", "Server") {
				for _, name := range n.Names {
					add(c, nil, u.TypesInfo.ObjectOf(name))
				}
			}
		case *ast.StructType:
			st, ok := u.TypesInfo.TypeOf(n).(*types.Struct)
			if !ok {
				continue
			}
			for _, f := range n.Fields.List {
				if !named(u.TypesInfo.TypeOf(f.Type), "net/http", "Server") {
					continue
				}
				field := fieldOf(st, f)
				if cf, found := c.FindNode(f); found && field != nil && len(u.given()[field]) == 0 {
					add(cf, nil, field)
				}
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	use := u.serverUse(holders)
	var serving []server
	for _, m := range all {
		for _, holder := range []types.Object{m.holder, nil} {
			for field, value := range use.set[holder] {
				m.set[field] = value
			}
		}
		if m.literal != nil {
			for _, e := range m.literal.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.Ident); ok && m.set[key.Name] == nil {
						m.set[key.Name] = kv.Value
					}
				}
			}
		}
		m.passed = m.holder != nil && use.passed[m.holder] || u.open(m.holder) || u.leavesPackage(m.at)
		calls := use.served[m.holder]
		if m.holder == nil || use.shared[m.holder] {
			calls = append(slices.Clone(calls), use.served[nil]...)
		}
		if len(calls) == 0 && !m.passed {
			continue
		}
		m.Criticality = report.External
		if u.servesOnlyLocal(m.server, calls) {
			m.Criticality = report.Internal
		}
		serving = append(serving, m.server)
	}
	return serving
}

// named says whether t itself, not what it points to, is the type.
func named(t types.Type, pkg, name string) bool {
	if t == nil {
		return false
	}
	_, pointer := types.Unalias(t).(*types.Pointer)
	return !pointer && isType(t, pkg, name)
}

// fieldOf is the variable of a field in the syntax.
func fieldOf(st *types.Struct, f *ast.Field) *types.Var {
	for v := range st.Fields() {
		if len(f.Names) == 1 && v.Pos() == f.Names[0].Pos() {
			return v
		}
		if len(f.Names) == 0 && f.Type.Pos() <= v.Pos() && v.Pos() < f.Type.End() {
			return v
		}
	}
	return nil
}

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

func (u *unit) serverUse(holders map[types.Object]bool) serverUse {
	use := serverUse{
		map[types.Object]map[string]ast.Expr{}, map[types.Object][]*ast.CallExpr{}, map[types.Object]bool{}, map[types.Object]bool{},
	}
	known := func(e ast.Expr) types.Object {
		if obj := u.object(e); holders[obj] {
			return obj
		}
		return nil
	}
	for c := range u.root.Preorder((*ast.AssignStmt)(nil), (*ast.CallExpr)(nil), (*ast.ReturnStmt)(nil), (*ast.Ident)(nil)) {
		switch n := c.Node().(type) {
		case *ast.Ident:
			if obj := u.TypesInfo.Uses[n]; holders[obj] && c.ParentEdgeKind() != edge.SelectorExpr_X {
				use.shared[obj] = true
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				sel, ok := to.(*ast.SelectorExpr)
				if !ok {
					continue
				}
				if field, ok := u.TypesInfo.ObjectOf(sel.Sel).(*types.Var); ok && field.IsField() && field.Pkg() != nil && field.Pkg().Path() == "net/http" {
					holder := known(sel.X)
					if use.set[holder] == nil {
						use.set[holder] = map[string]ast.Expr{}
					}
					use.set[holder][field.Name()] = n.Rhs[min(i, len(n.Rhs)-1)]
				}
			}
		case *ast.CallExpr:
			fn, ok := u.callee(n)
			if ok && isMethod(fn, "net/http", "Server", "Serve", "ServeTLS", "ListenAndServe", "ListenAndServeTLS") {
				if x := receiverOf(n); x != nil {
					holder := known(x)
					use.served[holder] = append(use.served[holder], n)
				}
			}
			for _, arg := range n.Args {
				if isType(u.TypesInfo.TypeOf(arg), "net/http", "Server") && u.foreign(n) {
					use.passed[known(arg)] = true
				}
			}
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				if isType(u.TypesInfo.TypeOf(r), "net/http", "Server") && u.exported(c) {
					use.passed[known(r)] = true
				}
			}
		}
	}
	return use
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

// servesOnlyLocal says whether a server is known to be reached from this machine alone.
func (u *unit) servesOnlyLocal(s server, calls []*ast.CallExpr) bool {
	local := false
	for _, call := range calls {
		fn, _ := u.callee(call)
		if servesListener[fn.Name()] {
			local = len(call.Args) > 0 && u.onlyLocal(call.Args[0], true)
		} else {
			local = s.set["Addr"] != nil && u.onlyLocal(s.set["Addr"], false)
		}
		if !local {
			return false
		}
	}
	return local
}
