package golang

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// index knows, for the whole program, where closures are made and what is put into fields, variables and channels.
type index struct {
	graph    *graph
	closures map[*ssa.Function]*ssa.MakeClosure
	stores   map[place][]ssa.Value
	sends    map[place][]sending
	receives map[place][]*ssa.Function
	calls    map[place][]ssa.CallInstruction // methods called on what is in a place
}

// A place is where a value is kept: a field of any value of a struct type (*types.Var), a variable (*ssa.Global,
// *ssa.Alloc), or where it is made (*ssa.MakeChan). Two values from one place are taken to be the same.
type place any

type sending struct {
	fn    *ssa.Function
	instr ssa.Instruction
	value ssa.Value
}

func newIndex(p *program, g *graph) *index {
	x := &index{
		graph:    g,
		closures: map[*ssa.Function]*ssa.MakeClosure{},
		stores:   map[place][]ssa.Value{},
		sends:    map[place][]sending{},
		receives: map[place][]*ssa.Function{},
		calls:    map[place][]ssa.CallInstruction{},
	}
	for _, fn := range p.funcs {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				if mc, ok := instr.(*ssa.MakeClosure); ok {
					x.closures[mc.Fn.(*ssa.Function)] = mc
				}
			}
		}
	}
	for _, fn := range p.funcs {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				x.add(fn, instr)
			}
		}
	}
	return x
}

func (x *index) add(fn *ssa.Function, instr ssa.Instruction) {
	switch i := instr.(type) {
	case *ssa.Store:
		at := x.place(i.Addr)
		x.stores[at] = append(x.stores[at], i.Val)
	case *ssa.Send:
		at := x.place(i.Chan)
		x.sends[at] = append(x.sends[at], sending{fn, i, i.X})
	case *ssa.Select:
		for _, s := range i.States {
			at := x.place(s.Chan)
			if s.Dir == types.SendOnly {
				x.sends[at] = append(x.sends[at], sending{fn, i, s.Send})
			} else {
				x.receives[at] = append(x.receives[at], fn)
			}
		}
	case *ssa.UnOp:
		if i.Op == token.ARROW {
			at := x.place(i.X)
			x.receives[at] = append(x.receives[at], fn)
		}
	case ssa.CallInstruction:
		c := i.Common()
		if c.IsInvoke() {
			return
		}
		if callee := c.StaticCallee(); callee != nil && callee.Signature.Recv() != nil && len(c.Args) > 0 {
			at := x.place(c.Args[0])
			x.calls[at] = append(x.calls[at], i)
		}
	}
}

// place finds where v is kept, or where its address leads.
func (x *index) place(v ssa.Value) place { return x.placeIn(v, 12) }

func (x *index) placeIn(v ssa.Value, depth int) place {
	if depth == 0 {
		return v
	}
	again := func(v ssa.Value) place { return x.placeIn(v, depth-1) }
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op == token.MUL {
			return again(v.X)
		}
	case *ssa.FieldAddr:
		return fieldOf(v.X.Type(), v.Field)
	case *ssa.Field:
		return fieldOf(v.X.Type(), v.Field)
	case *ssa.ChangeType:
		return again(v.X)
	case *ssa.ChangeInterface:
		return again(v.X)
	case *ssa.MakeInterface:
		return again(v.X)
	case *ssa.FreeVar:
		if mc := x.closures[v.Parent()]; mc != nil {
			for i, fv := range v.Parent().FreeVars {
				if fv == v {
					return again(mc.Bindings[i])
				}
			}
		}
	case *ssa.Parameter:
		// One caller, or all that start it agree.
		if arg := x.onlyArgument(v); arg != nil {
			return again(arg)
		}
	case *ssa.MakeChan, *ssa.Call, *ssa.Alloc:
		// What is made and put somewhere is known by that place, so that both ways to it agree.
		for _, ref := range *v.Referrers() {
			if st, ok := ref.(*ssa.Store); ok && st.Val == v {
				if _, ok := st.Addr.(*ssa.IndexAddr); !ok {
					return again(st.Addr)
				}
			}
		}
	case *ssa.Extract:
		for _, ref := range *v.Referrers() {
			if st, ok := ref.(*ssa.Store); ok && st.Val == v {
				return again(st.Addr)
			}
		}
	case *ssa.Phi:
		if len(v.Edges) > 0 {
			if _, ok := v.Edges[0].(*ssa.Phi); !ok {
				return again(v.Edges[0])
			}
		}
	}
	return v
}

func (x *index) onlyArgument(v *ssa.Parameter) ssa.Value {
	edges := x.graph.in[v.Parent()]
	if len(edges) != 1 {
		return nil
	}
	return argumentOf(edges[0], v)
}

// argumentOf returns what is given for a parameter at a call, nil where it cannot be told.
func argumentOf(e *edge, v *ssa.Parameter) ssa.Value {
	n := -1
	for i, prm := range v.Parent().Params {
		if prm == v {
			n = i
		}
	}
	c := e.site.Common()
	if e.kind == handed || n < 0 || c.StaticCallee() != nil && c.StaticCallee() != e.to {
		return nil
	}
	if c.IsInvoke() {
		if n == 0 {
			return c.Value
		}
		n--
	}
	if n >= len(c.Args) {
		return nil
	}
	return c.Args[n]
}

func fieldOf(t types.Type, i int) place {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if st, ok := t.Underlying().(*types.Struct); ok && i < st.NumFields() {
		return st.Field(i).Origin()
	}
	return nil
}
