package golang

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// admits reports whether a condition lets instr be reached only while a count is below something: the length of a map or
// list that is kept, or a number that is counted up, against a number that is not zero or one. It may be asked only where
// a limit is set at all: if max > 0 && len(conns) >= max.
func (p *program) admits(cond *ssa.If, instr ssa.Instruction) bool {
	if !p.compares(cond.Cond, 3) {
		return false
	}
	b, to := cond.Block(), instr.Block()
	top := b
	for !top.Dominates(to) {
		above := top.Idom()
		if above == nil {
			return false
		}
		asks, ok := last(above).(*ssa.If)
		if !ok {
			return false
		}
		past := asks.Block().Succs[0]
		if past == top {
			past = asks.Block().Succs[1]
		}
		if past != b.Succs[0] && past != b.Succs[1] {
			return false
		}
		top = above
	}
	return leads(b.Succs[0], to, top) != leads(b.Succs[1], to, top)
}

func (p *program) compares(v ssa.Value, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.UnOp:
		return v.Op == token.NOT && p.compares(v.X, depth-1)
	case *ssa.Phi: // a && b
		for _, e := range v.Edges {
			if p.compares(e, depth-1) {
				return true
			}
		}
	case *ssa.BinOp:
		switch v.Op {
		case token.LSS, token.LEQ, token.GTR, token.GEQ:
			return p.counted(v.X, 3) && p.most(v.Y) || p.counted(v.Y, 3) && p.most(v.X)
		}
	}
	return false
}

// switchedOff reports whether a condition leads to instr only where there is no semaphore, because none is configured:
// if s.sem == nil { go serve(c) } else { s.sem <- struct{}{}; ... }
func (p *program) switchedOff(cond *ssa.If, instr ssa.Instruction) bool {
	eq, ok := cond.Cond.(*ssa.BinOp)
	if !ok || eq.Op != token.EQL && eq.Op != token.NEQ || !parts(cond, instr) {
		return false
	}
	if c, ok := eq.Y.(*ssa.Const); !ok || !c.IsNil() {
		return false
	}
	without := cond.Block().Succs[0]
	if eq.Op == token.NEQ {
		without = cond.Block().Succs[1]
	}
	if !leads(without, instr.Block(), cond.Block()) {
		return false
	}
	_, isChan := eq.X.Type().Underlying().(*types.Chan)
	return isChan && slices.ContainsFunc(p.index.sends[p.index.place(eq.X)], func(s sending) bool { return s.fn == instr.Parent() })
}

// most reports whether v can be a limit.
func (p *program) most(v ssa.Value) bool {
	if c, ok := v.(*ssa.Const); ok {
		return c.Value != nil && c.Value.Kind() == constant.Int && constant.Compare(c.Value, token.GTR, constant.MakeInt64(1))
	}
	return p.originOf(v).from != outside
}

// counted reports whether v is a count of what there is: that of a field or a global.
func (p *program) counted(v ssa.Value, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.Convert:
		return p.counted(v.X, depth)
	case *ssa.BinOp:
		return (v.Op == token.ADD || v.Op == token.SUB) && p.counted(v.X, depth-1)
	case *ssa.UnOp:
		if v.Op != token.MUL {
			return false
		}
		switch x := v.X.(type) {
		case *ssa.FieldAddr:
			return countName(fieldName(x))
		case *ssa.Global:
			return countName(x.Name())
		}
	case *ssa.Call:
		c := v.Common()
		if b, ok := c.Value.(*ssa.Builtin); ok {
			return b.Name() == "len" && p.keptList(c.Args[0])
		}
		m := calleeOf(c)
		switch {
		case m.pkg == "sync/atomic":
			return strings.HasPrefix(m.name, "Add") || strings.HasPrefix(m.name, "Load")
		case m.name == "NumGoroutine", countName(m.name):
			return true
		}
		if callee := c.StaticCallee(); callee != nil && len(callee.Blocks) == 1 {
			if ret, ok := last(callee.Blocks[0]).(*ssa.Return); ok && len(ret.Results) == 1 {
				return p.counted(ret.Results[0], depth-1)
			}
		}
	}
	return false
}

// keptList is a map, list or channel that outlives the call.
func (p *program) keptList(v ssa.Value) bool {
	if _, ok := v.Type().Underlying().(*types.Basic); ok {
		return false
	}
	if sl, ok := v.Type().Underlying().(*types.Slice); ok {
		if b, ok := sl.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte {
			return false
		}
	}
	if u, ok := v.(*ssa.UnOp); ok && u.Op == token.MUL {
		switch u.X.(type) {
		case *ssa.FieldAddr, *ssa.Global, *ssa.FreeVar:
			return p.originOf(v).from != outside
		}
	}
	if l, ok := v.(*ssa.Lookup); ok {
		return p.keptList(l.X)
	}
	return false
}

func fieldName(x *ssa.FieldAddr) string {
	if v, ok := fieldOf(x.X.Type(), x.Field).(*types.Var); ok {
		return v.Name()
	}
	return ""
}

var countWords = []string{"count", "num", "active", "running", "inflight", "current", "used", "pending", "open", "total", "conns", "clients", "sessions", "workers"}

func countName(name string) bool {
	name = strings.ToLower(name)
	if name == "n" {
		return true
	}
	for _, w := range countWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}
