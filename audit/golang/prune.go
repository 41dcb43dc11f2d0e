package golang

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/packages"
)

// A pruner takes out of the syntax of a package what the type checker could not make sense of: the statements, the values
// of variables, and all that uses what is declared there. The rest can be followed as if it was all.
type pruner struct {
	info   *types.Info
	broken []token.Pos
	gone   map[types.Object]bool // declared in what was taken out
}

// prune changes the syntax trees of pkg, and returns its types without the variables whose values were taken out.
func prune(pkg *packages.Package) *types.Info {
	p := &pruner{info: pkg.TypesInfo, gone: map[types.Object]bool{}}
	for _, e := range pkg.TypeErrors {
		p.broken = append(p.broken, e.Pos)
	}
	slices.Sort(p.broken)
	info := *pkg.TypesInfo
	info.InitOrder = slices.DeleteFunc(slices.Clone(info.InitOrder), func(init *types.Initializer) bool { return !p.sound(init.Rhs) })
	for _, f := range pkg.Syntax {
		f.Decls = slices.DeleteFunc(f.Decls, p.declaration)
	}
	return &info
}

// declaration prunes d and reports whether nothing can be made of it.
func (p *pruner) declaration(d ast.Decl) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if obj, ok := p.info.Defs[d.Name]; !ok || obj == nil {
			return d.Name.Name != "_" && d.Name.Name != "init"
		}
		if d.Body != nil {
			d.Body.List = p.statements(d.Body.List)
		}
	case *ast.GenDecl:
		if d.Tok == token.VAR {
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && slices.ContainsFunc(v.Values, func(e ast.Expr) bool { return !p.sound(e) }) {
					v.Values = nil // the variable stays, with whatever type was made out
				}
			}
		}
	case *ast.BadDecl:
		return true
	}
	return false
}

func (p *pruner) statements(list []ast.Stmt) []ast.Stmt {
	var kept []ast.Stmt
	for _, s := range list {
		if !p.sound(s) {
			p.within(s)
			if !p.sound(s) {
				p.remember(s)
				continue
			}
		}
		kept = append(kept, s)
	}
	return kept
}

// within prunes the statements inside of s.
func (p *pruner) within(s ast.Stmt) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			n.List = p.statements(n.List)
			return false
		case *ast.CaseClause:
			n.Body = p.statements(n.Body)
			return false
		case *ast.CommClause:
			n.Body = p.statements(n.Body)
			return false
		}
		return true
	})
}

func (p *pruner) remember(s ast.Stmt) {
	ast.Inspect(s, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := p.info.Defs[id]; obj != nil {
				p.gone[obj] = true
			}
		}
		return true
	})
}

func (p *pruner) sound(n ast.Node) bool {
	sound := true
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil || !sound {
			return false
		}
		if e, ok := n.(ast.Expr); ok {
			sound = p.expression(e)
		} else {
			switch n.(type) {
			case *ast.BadStmt, *ast.BadDecl:
				sound = false
			case *ast.BlockStmt: // an error may be told at its end, where a return is missing
			default:
				_, found := slices.BinarySearch(p.broken, n.Pos())
				sound = !found
			}
		}
		return sound
	})
	return sound
}

func (p *pruner) expression(e ast.Expr) bool {
	if _, found := slices.BinarySearch(p.broken, e.Pos()); found {
		return false
	}
	switch e := e.(type) {
	case *ast.BadExpr:
		return false
	case *ast.SelectorExpr: // of a package that is not there nothing is recorded
		if p.info.Uses[e.Sel] == nil {
			return false
		}
	case *ast.Ident:
		if e.Name == "_" {
			return true
		}
		switch obj := p.info.ObjectOf(e).(type) {
		case *types.Var, *types.Const, *types.TypeName, *types.Func:
			if p.gone[obj] || invalid(obj.Type()) {
				return false
			}
		}
	}
	tv, ok := p.info.Types[e]
	return !ok || !invalid(tv.Type)
}

func invalid(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Kind() == types.Invalid
}
