package golang

import (
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A start is a place where a goroutine is started: a go statement, or a call that does the same.
type start struct {
	fn      *ssa.Function
	instr   ssa.CallInstruction
	how     string // "go", or the method that starts it
	targets []*ssa.Function
	wrapped bool      // how is a function of the program
	runs    ssa.Value // what that is given to run
}

// startsOf finds the starts of the packages that the review is about, each once, however often its function is instantiated.
func (p *program) startsOf() []start {
	var found []start
	seen := map[token.Pos]bool{}
	for _, fn := range p.funcs {
		if fn.Synthetic != "" && fn.Synthetic != "range-over-func yield" && !isInstance(fn) && fn.Parent() == nil {
			continue
		}
		for _, b := range fn.Blocks {
			for _, i := range b.Instrs {
				s := start{fn: fn}
				switch i := i.(type) {
				case *ssa.Go:
					s.instr, s.how = i, "go"
				case *ssa.Call:
					s.instr, s.how = i, starting[calleeOf(i.Common())]
				}
				if s.how == "" || seen[s.instr.Pos()] {
					continue
				}
				seen[s.instr.Pos()] = true
				s.targets = p.startedAt(s.instr)
				found = append(found, s)
			}
		}
	}
	return p.throughWrappers(found, seen)
}

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
		if _, ok := prm.Type().Underlying().(*types.Signature); !ok {
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

// receives says what a call waits for, where that is something an outsider sends.
func (p *program) receives(c *ssa.CallCommon) string {
	m := invoked(c)
	if what := receiving[m]; what != "" {
		return what
	}
	if what := receiving[calleeOf(c)]; what != "" {
		return what
	}
	if m.name == "Recv" && len(c.Args) <= 1 {
		if recv := receiverOf(c); recv != nil && has(recv, "RecvMsg") {
			return "gRPC stream message"
		}
	}
	if readers[m] || readers[calleeOf(c)] {
		if len(c.Args) > 0 && p.readsConn(c.Args[0], 8) {
			return "message of a connection"
		}
	}
	return ""
}

func receiverOf(c *ssa.CallCommon) types.Type {
	if c.IsInvoke() {
		return c.Value.Type()
	}
	if c.Signature().Recv() != nil && len(c.Args) > 0 {
		return c.Args[0].Type()
	}
	return nil
}

// readsConn reports whether a reader was made from a network connection.
func (p *program) readsConn(v ssa.Value, steps int) bool {
	if steps == 0 {
		return false
	}
	if isConn(v.Type()) {
		return true
	}
	switch v := v.(type) {
	case *ssa.Call:
		for _, arg := range v.Call.Args {
			if p.readsConn(arg, steps-1) {
				return true
			}
		}
	case *ssa.Extract:
		return p.readsConn(v.Tuple, steps-1)
	case *ssa.MakeInterface:
		return p.readsConn(v.X, steps-1)
	case *ssa.ChangeInterface:
		return p.readsConn(v.X, steps-1)
	case *ssa.UnOp, *ssa.FieldAddr, *ssa.FreeVar, *ssa.Alloc:
		stores := p.index.stores[p.index.place(v)]
		if len(stores) > 4 {
			return false
		}
		for _, st := range stores {
			if p.readsConn(st, steps-1) {
				return true
			}
		}
	}
	return false
}

func isConn(t types.Type) bool {
	return isNamed(t, "net", "Conn") || isNamed(t, "net", "TCPConn") || isNamed(t, "crypto/tls", "Conn") || isNamed(t, "net", "UnixConn") ||
		types.IsInterface(t) && has(t, "SetReadDeadline") && has(t, "RemoteAddr") && has(t, "Read")
}

func isReceive(u *ssa.UnOp) bool { return u.Op == token.ARROW }

// grouped reports whether a start belongs to a group that has been given a limit.
func (p *program) grouped(s start) bool {
	if s.how == "go" || s.wrapped || strings.HasPrefix(s.how, "sync.") || strings.HasPrefix(s.how, "conc.WaitGroup") {
		return false
	}
	c := s.instr.Common()
	if len(c.Args) == 0 {
		return false
	}
	group := c.Args[0]
	for _, call := range p.index.calls[p.index.place(group)] {
		if limiting(call.Common()) {
			return true
		}
	}
	// pool.New().WithMaxGoroutines(8): each call returns the pool.
	for _, v := range append(p.index.stores[p.index.place(group)][:len(p.index.stores[p.index.place(group)]):len(p.index.stores[p.index.place(group)])], group) {
		for range 8 {
			call, ok := v.(*ssa.Call)
			if !ok || len(call.Call.Args) == 0 {
				break
			}
			if limiting(call.Common()) {
				return true
			}
			v = call.Call.Args[0]
		}
	}
	return false
}

func limiting(c *ssa.CallCommon) bool {
	m := calleeOf(c)
	if m.name != "SetLimit" && m.name != "WithMaxGoroutines" || len(c.Args) < 2 {
		return false
	}
	k, ok := c.Args[1].(*ssa.Const)
	return !ok || k.Value == nil || constant.Sign(k.Value) >= 0
}

// ends says how a goroutine comes to its end, seen from where it is started.
type ends int

const (
	alone  ends = iota // nothing there waits for it
	owned              // it takes from a channel that was made with it, and belongs to the value that keeps the channel
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
			if p.waitsFor(i, s, inside) && (within != nil || fn != s.fn || deferred(i) || b == s.instr.Block() || reaches(s.instr.Block(), b)) {
				return joined
			}
		}
	}
	return p.endsWith(fn, inside)
}

func deferred(i ssa.Instruction) bool { _, ok := i.(*ssa.Defer); return ok }

// waitsFor reports whether executing i waits for what s starts.
func (p *program) waitsFor(i ssa.Instruction, s start, inside map[*ssa.Function]bool) bool {
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
		if len(i.States) == 1 && i.Blocking {
			return i.States[0].Dir == types.RecvOnly && fromInside(i.States[0].Chan)
		}
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
						if !deferred(k) && p.waitsFor(k, s, inside) {
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
						} else if p.takesFrom(fn, st.Chan) {
							note(tied)
						}
					}
				case *ssa.UnOp:
					if i.Op == token.ARROW {
						note(p.endsIn(i.X, fn))
					}
				case *ssa.Send:
					if p.takesFrom(fn, i.Chan) {
						note(tied)
					}
				}
			}
		}
	}
	return result
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
	local := false
	switch at := at.(type) {
	case *ssa.Alloc:
		local = at.Parent() == fn
	case *ssa.MakeChan:
		local = at.Parent() == fn
	case *types.Var:
		for _, st := range p.index.stores[at] {
			if mc, ok := st.(*ssa.MakeChan); ok && mc.Parent() == fn {
				return owned
			}
		}
	}
	if local {
		return tied
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
	case *ssa.UnOp, *ssa.FreeVar, *ssa.Parameter:
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
