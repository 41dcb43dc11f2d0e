package golang

import (
	"go/constant"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// checked reports whether v has been compared with a limit before block, so that a value above it does not come there.
func (p *program) checked(v ssa.Value, block *ssa.BasicBlock) bool {
	fn := block.Parent()
	for _, b := range fn.Blocks {
		cond, ok := last(b).(*ssa.If)
		if !ok || !b.Dominates(block) {
			continue
		}
		if b != block && leads(b.Succs[0], block, b) == leads(b.Succs[1], block, b) {
			continue
		}
		if p.comparesWith(cond.Cond, v, 3) {
			return true
		}
	}
	return false
}

func (p *program) comparesWith(cond, v ssa.Value, depth int) bool {
	if depth == 0 {
		return false
	}
	switch c := cond.(type) {
	case *ssa.UnOp:
		return c.Op == token.NOT && p.comparesWith(c.X, v, depth-1)
	case *ssa.Phi:
		for _, e := range c.Edges {
			if p.comparesWith(e, v, depth-1) {
				return true
			}
		}
	case *ssa.BinOp:
		switch c.Op {
		case token.LSS, token.LEQ, token.GTR, token.GEQ:
			return sizeOf(c.X, v) && p.limitOf(c.Y) || sizeOf(c.Y, v) && p.limitOf(c.X)
		}
	}
	return false
}

func (p *program) limitOf(v ssa.Value) bool {
	if c, ok := v.(*ssa.Const); ok {
		return c.Value != nil && c.Value.Kind() == constant.Int && constant.Compare(c.Value, token.GTR, constant.MakeInt64(1))
	}
	return !countsUp(v) && p.originOf(v).from != outside
}

// countsUp knows the counter of a loop, which is compared with its bound but is no limit to it.
func countsUp(v ssa.Value) bool {
	added := func(v ssa.Value) bool {
		op, ok := v.(*ssa.BinOp)
		return ok && op.Op == token.ADD
	}
	switch v := v.(type) {
	case *ssa.Phi:
		return slices.ContainsFunc(v.Edges, added)
	case *ssa.BinOp:
		return added(v)
	case *ssa.Convert:
		return countsUp(v.X)
	case *ssa.UnOp:
		if v.Op != token.MUL {
			return false
		}
		switch x := v.X.(type) {
		case *ssa.Alloc:
			return slices.ContainsFunc(*x.Referrers(), func(ref ssa.Instruction) bool {
				st, ok := ref.(*ssa.Store)
				return ok && added(st.Val)
			})
		case *ssa.Phi: // one variable a round
			return true
		}
	}
	return false
}

// sizeOf reports whether a is v, or the length of it.
func sizeOf(a, v ssa.Value) bool {
	if same(a, v, 6) {
		return true
	}
	if call, ok := a.(*ssa.Call); ok {
		if b, ok := call.Call.Value.(*ssa.Builtin); ok && b.Name() == "len" {
			return same(call.Call.Args[0], v, 6)
		}
	}
	if c, ok := a.(*ssa.Convert); ok {
		return sizeOf(c.X, v)
	}
	return false
}

// same reports whether two values are computed alike from the same variables, such as two reads of req.Items.
func same(a, b ssa.Value, depth int) bool {
	if a == b {
		return true
	}
	if depth == 0 {
		return false
	}
	switch a := a.(type) {
	case *ssa.UnOp:
		b, ok := b.(*ssa.UnOp)
		return ok && a.Op == b.Op && a.Op == token.MUL && same(a.X, b.X, depth-1)
	case *ssa.FieldAddr:
		b, ok := b.(*ssa.FieldAddr)
		return ok && a.Field == b.Field && same(a.X, b.X, depth-1)
	case *ssa.Field:
		b, ok := b.(*ssa.Field)
		return ok && a.Field == b.Field && same(a.X, b.X, depth-1)
	case *ssa.Convert:
		b, ok := b.(*ssa.Convert)
		return ok && same(a.X, b.X, depth-1)
	case *ssa.Call:
		b, ok := b.(*ssa.Call)
		if !ok || len(a.Call.Args) != len(b.Call.Args) || a.Call.Method != b.Call.Method {
			return false
		}
		f, builtin := a.Call.Value.(*ssa.Builtin)
		if g, ok := b.Call.Value.(*ssa.Builtin); ok != builtin || ok && f.Name() != g.Name() || !ok && a.Call.Value != b.Call.Value {
			return false
		}
		for i := range a.Call.Args {
			if !same(a.Call.Args[i], b.Call.Args[i], depth-1) {
				return false
			}
		}
		// Only what reads: the length of something, a getter of a message.
		return builtin || strings.HasPrefix(calleeOf(&a.Call).name, "Get")
	}
	return false
}
