package golang

import (
	"go/token"
	"iter"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// A loop is a natural loop: the blocks from which its head is reached again without leaving it.
type loop struct {
	fn     *ssa.Function
	head   *ssa.BasicBlock
	blocks map[*ssa.BasicBlock]bool
	// body is the function whose body the loop is, of a loop over a function (range seq); then head and blocks are those of
	// the call that loops.
	body *ssa.Function
	over ssa.Value // the function that is ranged over
}

// loopsOf returns the loops of a function, outer ones after the inner ones.
func (p *program) loopsOf(fn *ssa.Function) []*loop {
	if ls, ok := p.loops[fn]; ok {
		return ls
	}
	byHead := map[*ssa.BasicBlock]*loop{}
	var found []*loop
	for _, b := range fn.Blocks {
		for _, h := range b.Succs {
			if !h.Dominates(b) {
				continue
			}
			l := byHead[h]
			if l == nil {
				l = &loop{fn: fn, head: h, blocks: map[*ssa.BasicBlock]bool{h: true}}
				byHead[h] = l
				found = append(found, l)
			}
			l.grow(b)
		}
	}
	slices.SortStableFunc(found, func(a, b *loop) int { return len(a.blocks) - len(b.blocks) })
	p.loops[fn] = found
	return found
}

func (l *loop) grow(b *ssa.BasicBlock) {
	if l.blocks[b] {
		return
	}
	l.blocks[b] = true
	for _, pred := range b.Preds {
		l.grow(pred)
	}
}

// inOrder goes through the blocks in the order of the source, so that of two things that are alike the first is found.
func (l *loop) inOrder() iter.Seq[*ssa.BasicBlock] {
	return func(yield func(*ssa.BasicBlock) bool) {
		for _, b := range l.fn.Blocks {
			if l.blocks[b] && !yield(b) {
				return
			}
		}
	}
}

// around returns the loops that instr is in, the innermost first, through the bodies of loops over functions.
func (p *program) around(instr ssa.Instruction) []*loop {
	var found []*loop
	for {
		fn, b := instr.Parent(), instr.Block()
		for _, l := range p.loopsOf(fn) {
			if l.blocks[b] {
				found = append(found, l)
			}
		}
		if fn.Synthetic != "range-over-func yield" {
			return found
		}
		mc := p.index.closures[fn]
		if mc == nil {
			return found
		}
		call := callOf(mc)
		if call == nil {
			return found
		}
		found = append(found, &loop{fn: call.Parent(), head: call.Block(), blocks: map[*ssa.BasicBlock]bool{call.Block(): true}, body: fn, over: call.Call.Value})
		instr = call
	}
}

// callOf returns the call that a closure is an argument of.
func callOf(v ssa.Value) *ssa.Call {
	for _, ref := range *v.Referrers() {
		switch ref := ref.(type) {
		case *ssa.Call:
			return ref
		case *ssa.ChangeType:
			if c := callOf(ref); c != nil {
				return c
			}
		}
	}
	return nil
}

// bounds returns the values that say how many rounds a loop takes: what is ranged over, what a counter is compared with.
// There is none where only what happens in the loop ends it.
func (l *loop) bounds() (values []ssa.Value, ranged bool) {
	if l.body != nil {
		return []ssa.Value{l.over}, true
	}
	for b := range l.inOrder() {
		cond, ok := last(b).(*ssa.If)
		if !ok || l.blocks[b.Succs[0]] && l.blocks[b.Succs[1]] {
			continue
		}
		if b != l.head && !b.Dominates(l.head) && !l.counts(b) {
			continue
		}
		switch c := cond.Cond.(type) {
		case *ssa.BinOp:
			if c.Op == token.EQL || c.Op == token.NEQ {
				if !l.counter(c.X) && !l.counter(c.Y) {
					continue
				}
			}
			switch {
			case l.counter(c.X):
				values = append(values, c.Y)
			case l.counter(c.Y):
				values = append(values, c.X)
			}
		case *ssa.Extract:
			switch t := c.Tuple.(type) {
			case *ssa.Next:
				if r, ok := t.Iter.(*ssa.Range); ok {
					return []ssa.Value{r.X}, true
				}
			case *ssa.UnOp:
				if t.Op == token.ARROW && b == l.head {
					return []ssa.Value{t.X}, true
				}
			}
		}
	}
	return values, false
}

// counts reports whether leaving the loop at b is its condition, as it is where the head only computes it.
func (l *loop) counts(b *ssa.BasicBlock) bool {
	return len(b.Preds) == 1 && b.Preds[0] == l.head && len(l.head.Succs) == 1
}

// counter reports whether v is counted up or down in the loop.
func (l *loop) counter(v ssa.Value) bool {
	for range 3 {
		switch x := v.(type) {
		case *ssa.Phi:
			if !l.blocks[x.Block()] {
				return false
			}
			for _, e := range x.Edges {
				if op, ok := e.(*ssa.BinOp); ok && (op.Op == token.ADD || op.Op == token.SUB) && (op.X == x || op.Y == x) {
					return true
				}
			}
			return false
		case *ssa.BinOp:
			if x.Op != token.ADD && x.Op != token.SUB {
				return false
			}
			v = x.X
		case *ssa.UnOp:
			if x.Op != token.MUL {
				return false
			}
			switch a := x.X.(type) {
			case *ssa.Alloc:
				return l.incremented(a)
			case *ssa.Phi: // a variable of its own for each round, which a closure keeps
				for _, e := range a.Edges {
					if a, ok := e.(*ssa.Alloc); ok && l.incremented(a) {
						return true
					}
				}
			}
			return false
		case *ssa.Convert:
			v = x.X
		default:
			return false
		}
	}
	return false
}

func (l *loop) incremented(a *ssa.Alloc) bool {
	for _, ref := range *a.Referrers() {
		if st, ok := ref.(*ssa.Store); ok && st.Addr == a && l.blocks[st.Block()] {
			if op, ok := st.Val.(*ssa.BinOp); ok && (op.Op == token.ADD || op.Op == token.SUB) {
				return true
			}
		}
	}
	return false
}
