package golang

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// conditional results say whether the place was taken.
func conditional(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Bool
}

// decides reports whether instr is only reached by one outcome of v.
func decides(v ssa.Value, instr ssa.Instruction, depth int) bool {
	refs := v.Referrers()
	if refs == nil || depth == 0 {
		return false
	}
	for _, ref := range *refs {
		switch ref := ref.(type) {
		case *ssa.If:
			if parts(ref, instr) {
				return true
			}
		case *ssa.UnOp, *ssa.BinOp, *ssa.Phi, *ssa.Extract:
			if decides(ref.(ssa.Value), instr, depth-1) {
				return true
			}
		}
	}
	return false
}

// parts reports whether only one side of a condition leads to instr without passing the condition again.
func parts(cond *ssa.If, instr ssa.Instruction) bool {
	b, to := cond.Block(), instr.Block()
	if !b.Dominates(to) {
		return false
	}
	return leads(b.Succs[0], to, b) != leads(b.Succs[1], to, b)
}

// leads reports whether control can pass from a to b without passing through not.
func leads(a, b, not *ssa.BasicBlock) bool {
	seen := map[*ssa.BasicBlock]bool{not: true}
	var visit func(*ssa.BasicBlock) bool
	visit = func(x *ssa.BasicBlock) bool {
		if x == b {
			return true
		}
		if seen[x] {
			return false
		}
		seen[x] = true
		for _, s := range x.Succs {
			if visit(s) {
				return true
			}
		}
		return false
	}
	return visit(a)
}

func everyReturn(fn *ssa.Function, i ssa.Instruction) bool {
	for _, b := range fn.Blocks {
		if _, ok := last(b).(*ssa.Return); ok && !i.Block().Dominates(b) {
			return false
		}
	}
	return true
}

func last(b *ssa.BasicBlock) ssa.Instruction {
	if len(b.Instrs) == 0 {
		return nil
	}
	return b.Instrs[len(b.Instrs)-1]
}

// before reports whether a is executed on every path to b, in one round of the innermost loop around both.
func before(a, b ssa.Instruction) bool {
	if a.Parent() != b.Parent() {
		return false
	}
	if a.Block() != b.Block() {
		return a.Block().Dominates(b.Block())
	}
	for _, i := range a.Block().Instrs {
		switch i {
		case a:
			return true
		case b:
			return false
		}
	}
	return false
}

// reaches reports whether control can pass from a to b, through blocks that it may pass. Those of a and b themselves do not
// matter; nil may pass all.
func reaches(a, b *ssa.BasicBlock, may func(*ssa.BasicBlock) bool) bool {
	seen := map[*ssa.BasicBlock]bool{}
	var visit func(*ssa.BasicBlock) bool
	visit = func(x *ssa.BasicBlock) bool {
		for _, s := range x.Succs {
			if s == b {
				return true
			}
			if !seen[s] && (may == nil || may(s)) {
				seen[s] = true
				if visit(s) {
					return true
				}
			}
		}
		return false
	}
	return visit(a)
}
