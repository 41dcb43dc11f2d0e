package golang

import (
	"go/token"
	"go/types"
	"slices"
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
	return p.changesState(s)
}

// changesState reports whether a start is only reached by ways on which a state is changed after it was compared with a
// constant, both perhaps by methods: switch c.state() { case idle: c.setState(busy); ...; default: return }
func (p *program) changesState(s start) bool {
	to := s.instr.Block()
	for _, b := range s.fn.Blocks {
		cond, ok := last(b).(*ssa.If)
		if !ok || b == to || !b.Dominates(to) {
			continue
		}
		eq, ok := cond.Cond.(*ssa.BinOp)
		if !ok || eq.Op != token.EQL {
			continue
		}
		if _, ok := eq.Y.(*ssa.Const); !ok {
			continue
		}
		state := p.readBy(eq.X)
		if state == nil {
			continue
		}
		changed := map[*ssa.BasicBlock]bool{}
		for _, w := range s.fn.Blocks {
			if w != b && w != to && slices.ContainsFunc(w.Instrs, func(i ssa.Instruction) bool { return p.writes(i, state) }) {
				changed[w] = true
			}
		}
		if len(changed) > 0 && !reaches(b, to, func(x *ssa.BasicBlock) bool { return !changed[x] }) {
			return true
		}
	}
	return false
}

// readBy returns the field that a value is read from, also by a method that does nothing else.
func (p *program) readBy(v ssa.Value) place {
	for range 4 {
		switch x := v.(type) {
		case *ssa.Convert:
			v = x.X
		case *ssa.ChangeType:
			v = x.X
		case *ssa.TypeAssert:
			v = x.X
		case *ssa.UnOp:
			at, _ := p.index.place(x).(*types.Var)
			if at == nil {
				return nil
			}
			return at
		case *ssa.Call:
			callee := x.Call.StaticCallee()
			if callee != nil && calleeOf(&x.Call).pkg == "sync/atomic" && len(x.Call.Args) > 0 {
				if at, ok := p.index.place(x.Call.Args[0]).(*types.Var); ok {
					return at
				}
				return nil
			}
			if callee == nil || len(callee.Blocks) != 1 {
				return nil
			}
			ret, ok := last(callee.Blocks[0]).(*ssa.Return)
			if !ok || len(ret.Results) != 1 {
				return nil
			}
			v = ret.Results[0]
		default:
			return nil
		}
	}
	return nil
}

// writes reports whether executing i stores in a field, also by a method that does.
func (p *program) writes(i ssa.Instruction, field place) bool {
	switch i := i.(type) {
	case *ssa.Store:
		return p.index.place(i.Addr) == field
	case *ssa.Call:
		m := calleeOf(&i.Call)
		if m.pkg == "sync/atomic" && strings.HasPrefix(m.name, "Store") && len(i.Call.Args) > 0 {
			return p.index.place(i.Call.Args[0]) == field
		}
		callee := i.Call.StaticCallee()
		if callee == nil || len(callee.Blocks) != 1 {
			return false
		}
		return slices.ContainsFunc(callee.Blocks[0].Instrs, func(k ssa.Instruction) bool {
			if _, further := k.(*ssa.Call); further && calleeOf(k.(*ssa.Call).Common()).pkg != "sync/atomic" {
				return false
			}
			return p.writes(k, field)
		})
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
