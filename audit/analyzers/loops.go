package analyzers

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/ast/inspector"
)

// rounds says who decides how often a loop goes round.
type rounds int

const (
	fixed   rounds = iota // the program: a constant, an array, a number of workers
	items                 // as often as there are items in a collection
	endless               // for each message that comes: for {}, and range over a channel
)

// workers is how numbers are named that are limits themselves.
var workers = regexp.MustCompile(`(?i)worker|concurren|parallel|thread|procs?$|cpu|shard|replica|partition|pool|fanout|routine|retr(y|ies)|attempt`)

// roundsOf judges the loop.
func (u *unit) roundsOf(loop ast.Node) rounds {
	switch l := loop.(type) {
	case *ast.RangeStmt:
		return u.roundsOver(l.X)
	case *ast.ForStmt:
		if l.Cond == nil {
			return endless
		}
		if l.Post == nil && l.Init == nil {
			return endless // for ctx.Err() == nil, for rows.Next()
		}
		cond, ok := l.Cond.(*ast.BinaryExpr)
		if !ok {
			return items
		}
		if cond.Op == token.LAND || cond.Op == token.LOR {
			return items
		}
		for _, side := range []ast.Expr{cond.X, cond.Y} {
			if u.chosen(side) {
				return fixed
			}
		}
		return items
	}
	return items
}

func (u *unit) roundsOver(x ast.Expr) rounds {
	t := u.TypesInfo.TypeOf(x)
	if t == nil {
		return items
	}
	switch t := t.Underlying().(type) {
	case *types.Chan:
		return endless
	case *types.Array:
		return fixed
	case *types.Pointer:
		if _, array := t.Elem().Underlying().(*types.Array); array {
			return fixed
		}
	case *types.Basic:
		if u.chosen(x) {
			return fixed
		}
	}
	if _, literal := u.origin(x).(*ast.CompositeLit); literal && !u.grows(x) {
		return fixed
	}
	return items
}

// grows says whether something is appended to a slice, or put into a map, after it was made from a literal.
func (u *unit) grows(x ast.Expr) bool {
	obj := u.object(x)
	if obj == nil {
		return false
	}
	if lit, ok := u.origin(x).(*ast.CompositeLit); ok && len(lit.Elts) == 0 {
		return true // why else would it be empty
	}
	return len(u.given()[obj]) > 1
}

// chosen says whether a number is one that the program chooses: a constant other than 0 and 1, the number of processors, or
// one that is named as a number of workers.
func (u *unit) chosen(e ast.Expr) bool {
	e = ast.Unparen(e)
	if n, ok := u.intValue(e); ok {
		return n > 1
	}
	switch e := e.(type) {
	case *ast.Ident:
		return workers.MatchString(e.Name) || u.origin(e) != ast.Expr(e) && u.chosenBy(u.origin(e))
	case *ast.SelectorExpr:
		return workers.MatchString(e.Sel.Name)
	default:
		return u.chosenBy(e)
	}
}

func (u *unit) chosenBy(e ast.Expr) bool {
	if n, ok := u.intValue(e); ok {
		return n > 1
	}
	switch e := e.(type) {
	case *ast.CallExpr:
		if fn, ok := u.callee(e); ok {
			if isFunc(fn, "runtime", "NumCPU", "GOMAXPROCS") || workers.MatchString(fn.Name()) {
				return true
			}
		}
		if id, ok := e.Fun.(*ast.Ident); ok && (id.Name == "min" || u.TypesInfo.Types[e.Fun].IsType()) {
			for _, arg := range e.Args {
				if u.chosen(arg) {
					return true
				}
			}
		}
		if u.TypesInfo.Types[e.Fun].IsType() && len(e.Args) == 1 {
			return u.chosen(e.Args[0])
		}
	case *ast.BinaryExpr:
		return u.chosen(e.X) || u.chosen(e.Y)
	case *ast.StarExpr:
		return u.chosen(e.X)
	}
	return false
}

// loopAround is the loop that repeats a node most: the worst of those around it, within its function, in whose rounds
// the declaration of obj is not repeated too. obj may be nil.
func (u *unit) loopAround(at inspector.Cursor, obj types.Object) (loop inspector.Cursor, worst rounds, found bool) {
	for c := range at.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		switch n := c.Node().(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return loop, worst, found
		default:
			if obj != nil && n.Pos() <= obj.Pos() && obj.Pos() < n.End() {
				return loop, worst, found
			}
			if once(n, at.Node()) {
				continue
			}
			if r := u.roundsOf(n); r != fixed && !leaves(c, at) && (!found || r > worst) && !u.acquires(c, at) {
				loop, worst, found = c, r, true
			}
		}
	}
	return loop, worst, found
}

// once says whether a node is in the head of a loop, where it is evaluated once.
func once(loop, n ast.Node) bool {
	var head ast.Node
	switch l := loop.(type) {
	case *ast.RangeStmt:
		head = l.X
	case *ast.ForStmt:
		if l.Init != nil {
			head = l.Init
		}
	}
	return head != nil && head.Pos() <= n.Pos() && n.End() <= head.End()
}

// leaves says whether the loop is left right after the node, so that it is done once: by return or break in the same list of
// statements.
func leaves(loop, at inspector.Cursor) bool {
	for c := range at.Enclosing() {
		if c == loop {
			return false
		}
		if _, stmt := c.Node().(ast.Stmt); !stmt {
			continue
		}
		for next, ok := c.NextSibling(); ok; next, ok = next.NextSibling() {
			switch s := next.Node().(type) {
			case *ast.ReturnStmt:
				return true
			case *ast.BranchStmt:
				if s.Tok == token.BREAK {
					return true
				}
			}
		}
	}
	return false
}
