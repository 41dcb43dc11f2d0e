package golang

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// throughWrappers puts in the place of a start that only runs what its function was given, as in
//
//	func (s *Server) background(f func()) { s.wg.Add(1); go func() { defer s.wg.Done(); f() }() }
//
// the calls of that function, and of a function that only passes on what it was given, the calls of that.
func (p *program) throughWrappers(starts []start, seen map[token.Pos]bool) []start {
	var found []start
	for len(starts) > 0 {
		s := starts[0]
		starts = starts[1:]
		callers := p.graph.in[s.fn]
		prm := p.runsParameter(s)
		if prm == nil || len(callers) == 0 || len(p.around(s.instr)) > 0 {
			if p.askedFor(packageOf(s.fn)) {
				found = append(found, s)
			}
			continue
		}
		if p.limited(s.instr, nil) {
			continue
		}
		for _, e := range callers {
			if e.kind != called || seen[e.site.Pos()] {
				continue
			}
			seen[e.site.Pos()] = true
			w := start{fn: e.from, instr: e.site, how: nameOf(s.fn), wrapped: true}
			if w.runs = argumentOf(e, prm); w.runs != nil {
				w.targets = functionsIn(w.runs)
			}
			starts = append(starts, w)
		}
	}
	return found
}

// runsParameter returns the parameter that is a function and is what the goroutine runs.
func (p *program) runsParameter(s start) *ssa.Parameter {
	isFunc := func(v ssa.Value) *ssa.Parameter {
		prm := p.parameterOf(v)
		if prm == nil || prm.Parent() != s.fn {
			return nil
		}
		if !isTask(prm.Type()) {
			return nil
		}
		return prm
	}
	switch {
	case s.wrapped && s.runs != nil:
		if prm := isFunc(s.runs); prm != nil {
			return prm
		}
	case s.how == "go":
		if prm := isFunc(s.instr.Common().Value); prm != nil {
			return prm
		}
	}
	for _, t := range s.targets {
		if t.Parent() != s.fn {
			continue
		}
		for _, b := range t.Blocks {
			for _, i := range b.Instrs {
				if call, ok := i.(*ssa.Call); ok && !call.Call.IsInvoke() {
					if prm := isFunc(call.Call.Value); prm != nil {
						return prm
					}
				}
			}
		}
	}
	return nil
}

// isTask tells work from callbacks: it is given nothing but a context.
func isTask(t types.Type) bool {
	sig, ok := t.Underlying().(*types.Signature)
	if !ok || isNamed(t, "context", "CancelFunc") || sig.Params().Len() > 1 {
		return false
	}
	return sig.Params().Len() == 0 || isContext(sig.Params().At(0).Type())
}

// parameterOf follows a captured variable to the parameter that it is, without going on to the callers.
func (p *program) parameterOf(v ssa.Value) *ssa.Parameter {
	for range 6 {
		switch x := v.(type) {
		case *ssa.Parameter:
			return x
		case *ssa.UnOp:
			v = x.X
		case *ssa.FreeVar:
			mc := p.index.closures[x.Parent()]
			if mc == nil {
				return nil
			}
			for i, fv := range x.Parent().FreeVars {
				if fv == x {
					v = mc.Bindings[i]
				}
			}
		case *ssa.Alloc:
			for _, ref := range *x.Referrers() {
				if st, ok := ref.(*ssa.Store); ok && st.Addr == x {
					v = st.Val
				}
			}
			if v == ssa.Value(x) {
				return nil
			}
		default:
			return nil
		}
	}
	return nil
}
