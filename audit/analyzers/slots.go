package analyzers

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/ast/inspector"
)

// How channels and functions are named that give slots.
var (
	tokens    = regexp.MustCompile(`(?i)sem|token|slot|limit|ticket|permit|avail|free|worker`)
	acquiring = regexp.MustCompile(`^(Try)?(Acquire|acquire)|^(Take|Grab|Obtain)(Slot|Token)`)
)

// acquires says whether on the way from the head of the loop to the node a slot is taken that limits how many there can be: a
// channel used as a semaphore, or an Acquire.
func (u *unit) acquires(loop, at inspector.Cursor) bool {
	for c := range at.Enclosing() {
		if c == loop {
			return false
		}
		if _, stmt := c.Node().(ast.Stmt); !stmt {
			continue
		}
		for prev, ok := c.PrevSibling(); ok; prev, ok = prev.PrevSibling() {
			if u.takes(prev) {
				return true
			}
		}
		// if err := sem.Acquire(ctx, 1); err != nil { ... } else, and if sem.TryAcquire(1) { here }
		if s, ok := c.Node().(*ast.IfStmt); ok && (u.acquireIn(s.Cond) || s.Init != nil && u.acquireIn(s.Init)) {
			return true
		}
		// case sem <- token: here
		if s, ok := c.Node().(*ast.CommClause); ok && s.Comm != nil && u.token(s.Comm) {
			return true
		}
	}
	return false
}

// takes says whether a statement cannot be passed without taking a slot.
func (u *unit) takes(c inspector.Cursor) bool {
	switch s := c.Node().(type) {
	case *ast.SendStmt, *ast.ExprStmt, *ast.AssignStmt:
		return u.token(s) || u.acquireIn(s)
	case *ast.IfStmt:
		return s.Init != nil && u.acquireIn(s.Init) || u.acquireIn(s.Cond)
	case *ast.SelectStmt:
		taken := false
		for _, clause := range s.Body.List {
			comm := clause.(*ast.CommClause)
			switch {
			case comm.Comm != nil && u.token(comm.Comm):
				taken = true
			case !ends(comm.Body):
				return false
			}
		}
		return taken
	}
	return false
}

// token says whether a statement takes a slot of a channel used as a semaphore: it sends what carries nothing to a channel with
// room, or receives such from one that is named for that. Most other channels of empty structs are signals.
func (u *unit) token(s ast.Node) bool {
	var channel ast.Expr
	switch s := s.(type) {
	case *ast.SendStmt:
		channel = s.Chan
		if made, ok := u.origin(channel).(*ast.CallExpr); ok && len(made.Args) == 1 {
			return false // made without room
		}
	case *ast.ExprStmt:
		x, ok := ast.Unparen(s.X).(*ast.UnaryExpr)
		if !ok || x.Op != token.ARROW {
			return false
		}
		channel = x.X
		if obj := u.object(channel); obj == nil || !tokens.MatchString(obj.Name()) {
			return false
		}
	default:
		return false
	}
	ch, ok := u.TypesInfo.TypeOf(channel).Underlying().(*types.Chan)
	if !ok {
		return false
	}
	switch e := ch.Elem().Underlying().(type) {
	case *types.Struct:
		return e.NumFields() == 0
	case *types.Basic:
		return e.Kind() == types.Bool || e.Kind() == types.Int
	}
	return false
}

func (u *unit) acquireIn(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if fn, ok := u.callee(call); ok && acquiring.MatchString(fn.Name()) {
				found = true
			}
		}
		return !found
	})
	return found
}

// ends says whether a list of statements leaves the round.
func ends(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE || s.Tok == token.BREAK || s.Tok == token.GOTO
	}
	return false
}
