package golang

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// ends says how a goroutine comes to its end, seen from where it is started.
type ends int

const (
	alone  ends = iota // nothing there waits for it
	owned              // it takes from a channel that a value keeps which was made with it, or is given a context that ends
	tied               // it looks at something that ends there, such as the context of the request
	joined             // it is waited for
)

// endOf looks for what waits for the goroutine in the function that starts it; with a loop, in each round of that.
func (p *program) endOf(s start, within *loop) ends {
	fn := s.fn
	for fn.Synthetic == "range-over-func yield" && fn.Parent() != nil && within == nil {
		fn = fn.Parent()
	}
	inside := map[*ssa.Function]bool{}
	for _, t := range s.targets {
		inside[t] = true
		for _, e := range p.graph.out[t] {
			if e.kind != started && (e.choices <= 2) {
				inside[e.to] = true
			}
		}
	}
	for _, b := range fn.Blocks {
		if within != nil && !within.blocks[b] {
			continue
		}
		for _, i := range b.Instrs {
			if p.waitsFor(i, s, inside, within != nil) && (within != nil || fn != s.fn || deferred(i) || b == s.instr.Block() && before(s.instr, i) || reaches(s.instr.Block(), b, nil)) {
				return joined
			}
		}
	}
	end := p.endsWith(fn, inside)
	if p.closedHere(s, fn) {
		end = tied
	}
	if end == alone && p.givenContext(s) {
		return owned
	}
	return end
}

func deferred(i ssa.Instruction) bool { _, ok := i.(*ssa.Defer); return ok }

// waitsFor reports whether executing i waits for what s starts. Within a loop a wait that the end of a context cuts short
// is one too, since the rounds end with it.
func (p *program) waitsFor(i ssa.Instruction, s start, inside map[*ssa.Function]bool, within bool) bool {
	fromInside := func(ch ssa.Value) bool {
		at := p.index.place(ch)
		for _, snd := range p.index.sends[at] {
			if inside[snd.fn] || snd.fn.Parent() != nil && inside[snd.fn.Parent()] {
				return true
			}
		}
		for fn := range inside {
			if p.closes(fn, at) {
				return true
			}
		}
		return false
	}
	switch i := i.(type) {
	case *ssa.UnOp:
		return i.Op == token.ARROW && fromInside(i.X)
	case *ssa.Select:
		// Beside it there may be what ends the wait and the work with it, but nothing that goes on, such as a clock.
		waits := false
		for _, st := range i.States {
			switch {
			case st.Dir == types.RecvOnly && fromInside(st.Chan):
				waits = true
			case st.Dir == types.RecvOnly && p.doneChannel(st.Chan):
			default:
				return false
			}
		}
		return waits && i.Blocking && (within || len(i.States) == 1)
	case ssa.CallInstruction:
		if _, ok := i.(*ssa.Go); ok {
			return false
		}
		c := i.Common()
		m := calleeOf(c)
		if m.name == "Wait" && (m.typ == "WaitGroup" || m.pkg == "golang.org/x/sync/errgroup" || m.pkg == "github.com/sourcegraph/conc/pool") {
			return true
		}
		if _, ok := i.(*ssa.Defer); ok {
			// defer func() { ...; wg.Wait() }()
			for _, fn := range p.startedAt(i) {
				for _, b := range fn.Blocks {
					for _, k := range b.Instrs {
						if !deferred(k) && p.waitsFor(k, s, inside, within) {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

func (p *program) closes(fn *ssa.Function, at place) bool {
	for _, b := range fn.Blocks {
		for _, i := range b.Instrs {
			c, ok := i.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if bi, ok := c.Common().Value.(*ssa.Builtin); ok && bi.Name() == "close" && p.index.place(c.Common().Args[0]) == at {
				return true
			}
		}
	}
	return false
}

// endsWith looks in the goroutine for what ends with fn: a context that is not one of its own, a channel that fn closes,
// takes from or keeps to itself, a pipe that it reads.
func (p *program) endsWith(fn *ssa.Function, inside map[*ssa.Function]bool) ends {
	result := alone
	note := func(e ends) { result = max(result, e) }
	for g := range inside {
		for _, fv := range g.FreeVars {
			if isNamed(elem(fv.Type()), "io", "PipeWriter") || isNamed(elem(fv.Type()), "io", "PipeReader") {
				note(tied)
			}
		}
		for _, b := range g.Blocks {
			for _, i := range b.Instrs {
				switch i := i.(type) {
				case *ssa.Select:
					for _, st := range i.States {
						if st.Dir == types.RecvOnly {
							note(p.endsIn(st.Chan, fn))
						} else if p.takesFrom(fn, st.Chan) || p.madeIn(fn, st.Chan) {
							note(tied)
						}
					}
				case *ssa.UnOp:
					if i.Op == token.ARROW {
						note(p.endsIn(i.X, fn))
					}
				case *ssa.Send:
					if p.takesFrom(fn, i.Chan) || p.madeIn(fn, i.Chan) {
						note(tied)
					}
				}
			}
		}
	}
	return result
}

// closedHere reports whether fn closes something that the goroutine uses.
func (p *program) closedHere(s start, fn *ssa.Function) bool {
	used := map[place]bool{}
	c := s.instr.Common()
	for _, v := range c.Args {
		used[p.index.place(v)] = true
	}
	if mc, ok := c.Value.(*ssa.MakeClosure); ok {
		for _, v := range mc.Bindings {
			used[p.index.place(v)] = true
		}
	}
	for _, b := range fn.Blocks {
		for _, i := range b.Instrs {
			call, ok := i.(ssa.CallInstruction)
			if !ok || i == ssa.Instruction(s.instr) || calleeOf(call.Common()).name != "Close" {
				continue
			}
			recv := call.Common().Value
			if !call.Common().IsInvoke() {
				if len(call.Common().Args) == 0 {
					continue
				}
				recv = call.Common().Args[0]
			}
			// What an error has ended before is not used.
			if used[p.index.place(recv)] && (deferred(i) || reaches(s.instr.Block(), b, nil) || b == s.instr.Block()) {
				return true
			}
		}
	}
	return false
}

// givenContext reports whether what is started is given a context that ends, which it most likely looks at.
func (p *program) givenContext(s start) bool {
	given := s.instr.Common().Args
	if mc, ok := s.instr.Common().Value.(*ssa.MakeClosure); ok {
		given = append(given[:len(given):len(given)], mc.Bindings...)
	}
	return slices.ContainsFunc(given, func(v ssa.Value) bool {
		return (isContext(v.Type()) || isContext(elem(v.Type()))) && !p.endless(v, 8)
	})
}

// madeIn reports whether a channel is made in fn and kept in its variables.
func (p *program) madeIn(fn *ssa.Function, ch ssa.Value) bool {
	switch at := p.index.place(ch).(type) {
	case *ssa.Alloc:
		return at.Parent() == fn
	case *ssa.MakeChan:
		return at.Parent() == fn
	}
	return false
}

func elem(t types.Type) types.Type {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		return ptr.Elem()
	}
	return t
}

func (p *program) takesFrom(fn *ssa.Function, ch ssa.Value) bool {
	for _, f := range p.index.receives[p.index.place(ch)] {
		if f == fn {
			return true
		}
	}
	return false
}

func (p *program) endsIn(ch ssa.Value, fn *ssa.Function) ends {
	if call, ok := ch.(*ssa.Call); ok && call.Call.IsInvoke() && call.Call.Method.Name() == "Done" && isContext(call.Call.Value.Type()) {
		if p.endless(call.Call.Value, 8) {
			return alone
		}
		return tied
	}
	at := p.index.place(ch)
	if p.closes(fn, at) {
		return tied
	}
	for _, anon := range fn.AnonFuncs {
		if p.closes(anon, at) {
			return tied
		}
	}
	if p.madeIn(fn, ch) {
		return tied
	}
	if field, ok := at.(*types.Var); ok {
		for _, st := range p.index.stores[field] {
			if mc, ok := st.(*ssa.MakeChan); ok && mc.Parent() == fn {
				return owned
			}
		}
	}
	return alone
}

// endless reports whether a context is that of no request.
func (p *program) endless(v ssa.Value, steps int) bool {
	if steps == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.Call:
		switch m := calleeOf(v.Common()); {
		case m.pkg == "context" && (m.name == "Background" || m.name == "TODO" || m.name == "WithoutCancel"):
			return true
		case len(v.Call.Args) > 0 && isContext(v.Call.Args[0].Type()):
			return p.endless(v.Call.Args[0], steps-1)
		}
	case *ssa.Extract:
		return p.endless(v.Tuple, steps-1)
	case *ssa.UnOp, *ssa.FreeVar, *ssa.Parameter, *ssa.Alloc:
		at := p.index.place(v)
		if val, ok := at.(ssa.Value); ok && val != v {
			if _, isAlloc := val.(*ssa.Alloc); !isAlloc {
				return p.endless(val, steps-1)
			}
		}
		if _, field := at.(*types.Var); field {
			return true // kept in a value: the context of the program, more often than that of a request
		}
		for _, st := range p.index.stores[at] {
			if p.endless(st, steps-1) {
				return true
			}
		}
	}
	return false
}
