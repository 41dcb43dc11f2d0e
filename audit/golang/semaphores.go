package golang

import (
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// semaphore reports whether a send takes a place: the channel has a buffer, and what is sent says nothing or is taken out
// again by what is started.
func (p *program) semaphore(ch ssa.Value, instr ssa.Instruction) bool {
	if !p.buffered(ch) {
		return false
	}
	elem := ch.Type().Underlying().(*types.Chan).Elem()
	return saysNothing(elem) || p.usedBy(p.index.receives[p.index.place(ch)], instr)
}

func saysNothing(elem types.Type) bool {
	switch t := elem.Underlying().(type) {
	case *types.Struct:
		return t.NumFields() == 0
	case *types.Basic:
		return t.Kind() == types.Bool
	}
	return false
}

// buffered is false only where the program shows that the channel is made without a buffer.
func (p *program) buffered(ch ssa.Value) bool {
	at := p.index.place(ch)
	made := p.index.stores[at]
	if mc, ok := at.(*ssa.MakeChan); ok {
		made = append(made[:len(made):len(made)], mc)
	}
	for _, v := range made {
		mc, ok := v.(*ssa.MakeChan)
		if !ok {
			return true
		}
		size, ok := mc.Size.(*ssa.Const)
		if !ok || size.Value == nil || constant.Sign(size.Value) > 0 {
			return true
		}
	}
	return len(made) == 0
}

// tokens reports whether a receive takes a token that what is started puts back.
func (p *program) tokens(ch ssa.Value, instr ssa.Instruction) bool {
	var back []*ssa.Function
	for _, s := range p.index.sends[p.index.place(ch)] {
		back = append(back, s.fn)
	}
	return p.usedBy(back, instr)
}

// usedBy reports whether one of fns is run by what is started at instr, or is a function that it calls.
func (p *program) usedBy(fns []*ssa.Function, instr ssa.Instruction) bool {
	started := p.startedAt(instr)
	for range 3 {
		for _, s := range started {
			for _, fn := range fns {
				if s == fn || fn.Parent() == s || s.Parent() != nil && fn == s {
					return true
				}
			}
		}
		var next []*ssa.Function
		for _, s := range started {
			for _, e := range p.graph.out[s] {
				if e.choices <= 2 {
					next = append(next, e.to)
				}
			}
		}
		started = next
	}
	return false
}

func (p *program) startedAt(instr ssa.Instruction) []*ssa.Function {
	var found []*ssa.Function
	for _, e := range p.graph.out[instr.Parent()] {
		if ssa.Instruction(e.site) == instr {
			found = append(found, e.to)
		}
	}
	return found
}

// selects reports whether instr is only reached by a case of a select that takes a place.
func (p *program) selects(sel *ssa.Select, instr ssa.Instruction) bool {
	for n, st := range sel.States {
		takes := st.Dir == types.SendOnly && p.semaphore(st.Chan, instr) ||
			st.Dir == types.RecvOnly && p.tokens(st.Chan, instr)
		if takes && chosen(sel, n, instr) {
			return true
		}
	}
	return false
}

func chosen(sel *ssa.Select, n int, instr ssa.Instruction) bool {
	if len(sel.States) == 1 && sel.Blocking {
		return before(sel, instr)
	}
	// No other case leads to instr, or only this one does.
	only := true
	for _, ref := range *sel.Referrers() {
		ex, ok := ref.(*ssa.Extract)
		if !ok || ex.Index != 0 {
			continue
		}
		for _, r := range *ex.Referrers() {
			eq, ok := r.(*ssa.BinOp)
			if !ok || eq.Op != token.EQL {
				continue
			}
			c, ok := eq.Y.(*ssa.Const)
			if !ok {
				continue
			}
			for _, r := range *eq.Referrers() {
				cond, ok := r.(*ssa.If)
				if !ok {
					continue
				}
				taken := leads(cond.Block().Succs[0], instr.Block(), sel.Block())
				if int(c.Int64()) == n {
					if cond.Block().Succs[0].Dominates(instr.Block()) {
						return true
					}
					if !taken {
						return false
					}
					// What is left after the last case is the default.
					if !sel.Blocking && leads(cond.Block().Succs[1], instr.Block(), sel.Block()) && lastCase(sel, n) {
						only = false
					}
				} else if taken {
					only = false
				}
			}
		}
	}
	if !sel.Blocking && !lastCase(sel, n) {
		return false
	}
	return only && before(sel, instr)
}

func lastCase(sel *ssa.Select, n int) bool { return n == len(sel.States)-1 }
