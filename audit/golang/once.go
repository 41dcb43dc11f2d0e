package golang

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// runsOnce knows go once.Do(f).
func runsOnce(s start) bool {
	m := calleeOf(s.instr.Common())
	return m.pkg == "sync" && m.typ == "Once"
}

// initial reports whether a start is in a function that runs once, when the program begins.
func (p *program) initial(s start) bool {
	fn := s.fn
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn.Name() == "init" && len(p.around(s.instr)) == 0
}

// onceOnly reports whether a start is behind a mark that is set with it: a flag, a field that was nil, a swap.
func (p *program) onceOnly(s start) bool {
	for _, b := range s.fn.Blocks {
		cond, ok := last(b).(*ssa.If)
		if !ok || !parts(cond, s.instr) {
			continue
		}
		if p.marks(cond.Cond, s, 4) {
			return true
		}
	}
	return false
}

func (p *program) marks(v ssa.Value, s start, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op == token.NOT {
			return p.marks(v.X, s, depth-1)
		}
		if v.Op == token.MUL {
			return p.setsHere(v.X, s)
		}
	case *ssa.BinOp:
		if v.Op == token.EQL || v.Op == token.NEQ {
			return p.marks(v.X, s, depth-1) || p.marks(v.Y, s, depth-1)
		}
	case *ssa.Phi:
		for _, e := range v.Edges {
			if p.marks(e, s, depth-1) {
				return true
			}
		}
	case *ssa.Call:
		m := calleeOf(v.Common())
		return m.pkg == "sync/atomic" && (strings.HasPrefix(m.name, "CompareAndSwap") || strings.HasPrefix(m.name, "Swap"))
	}
	return false
}

// setsHere reports whether the function of the start also stores in what addr leads to.
func (p *program) setsHere(addr ssa.Value, s start) bool {
	at := p.index.place(addr)
	switch at.(type) {
	case *types.Var, *ssa.Global:
	default:
		return false
	}
	for _, b := range s.fn.Blocks {
		for _, i := range b.Instrs {
			if st, ok := i.(*ssa.Store); ok && p.index.place(st.Addr) == at && (b.Dominates(s.instr.Block()) || s.instr.Block().Dominates(b)) {
				return true
			}
		}
	}
	return false
}
