package analyzers

import (
	"go/ast"
	"go/types"
	"maps"
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

// A newServer is where a server is made, and the variable or field that it goes into; nil if that is not known.
type newServer struct {
	at      inspector.Cursor
	literal *ast.CompositeLit
	holder  types.Object
}

// servers finds the servers of the package that serve. One that never does, or is made for a field of somebody else's type
// (which means a configuration of it, as in x/net/http2), is left out.
func (u *unit) servers() []server {
	made := u.newServers()
	if len(made) == 0 {
		return nil
	}
	use := u.serverUse(made)
	var serving []server
	for _, m := range made {
		s := server{at: m.at, literal: m.literal, set: fieldsSet(m, use)}
		s.passed = m.holder != nil && use.passed[m.holder] || u.open(m.holder) || u.leavesPackage(m.at)
		calls := use.served[m.holder]
		if m.holder == nil || use.shared[m.holder] {
			calls = append(slices.Clone(calls), use.served[nil]...)
		}
		if len(calls) == 0 && !s.passed {
			continue
		}
		s.Criticality = report.External
		if u.servesOnlyLocal(s, calls) {
			s.Criticality = report.Internal
		}
		serving = append(serving, s)
	}
	return serving
}

// newServers finds each http.Server of the package: made by a literal or by new, or the zero value of a variable or a field.
func (u *unit) newServers() []newServer {
	var made []newServer
	isServer := func(e ast.Expr) bool { return named(u.TypesInfo.TypeOf(e), "net/http", "Server") }
	for c := range u.root.Preorder((*ast.CompositeLit)(nil), (*ast.CallExpr)(nil), (*ast.ValueSpec)(nil), (*ast.StructType)(nil)) {
		switch n := c.Node().(type) {
		case *ast.CompositeLit:
			if holder, ours := u.holder(c); isServer(n) && ours {
				made = append(made, newServer{c, n, holder})
			}
		case *ast.CallExpr:
			id, ok := n.Fun.(*ast.Ident)
			if !ok || u.TypesInfo.Uses[id] != types.Universe.Lookup("new") || !isServer(n.Args[0]) {
				continue
			}
			if holder, ours := u.holder(c); ours {
				made = append(made, newServer{c, nil, holder})
			}
		case *ast.ValueSpec:
			if len(n.Values) == 0 && n.Type != nil && isServer(n.Type) {
				for _, name := range n.Names {
					made = append(made, newServer{c, nil, u.TypesInfo.ObjectOf(name)})
				}
			}
		case *ast.StructType:
			st, ok := u.TypesInfo.TypeOf(n).(*types.Struct)
			if !ok {
				continue
			}
			for _, f := range n.Fields.List {
				if !isServer(f.Type) {
					continue
				}
				field := fieldOf(st, f)
				if at, found := c.FindNode(f); found && field != nil && len(u.given()[field]) == 0 {
					made = append(made, newServer{at, nil, field})
				}
			}
		}
	}
	return made
}

// fieldsSet are the fields of a server that are set: in its literal, by its variable, or by something that may be the same.
func fieldsSet(m newServer, use serverUse) map[string]ast.Expr {
	set := map[string]ast.Expr{}
	if m.literal != nil {
		for _, e := range m.literal.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok {
					set[key.Name] = kv.Value
				}
			}
		}
	}
	maps.Copy(set, use.set[m.holder])
	maps.Copy(set, use.set[nil])
	return set
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

func (u *unit) serverUse(made []newServer) serverUse {
	holders := map[types.Object]bool{}
	for _, m := range made {
		holders[m.holder] = true
	}
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
