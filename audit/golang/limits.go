package golang

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// acquiring calls take one place of a limited number of them.
var acquiring = map[method]bool{
	{"golang.org/x/sync/semaphore", "Weighted", "Acquire"}:       true,
	{"golang.org/x/sync/semaphore", "Weighted", "TryAcquire"}:    true,
	{"github.com/marusama/semaphore", "Semaphore", "Acquire"}:    true,
	{"github.com/marusama/semaphore", "Semaphore", "TryAcquire"}: true,
}

// running functions run what they are given under a limit of their own, or refuse.
var running = map[string]bool{
	"github.com/headcount-go/headcount":          true,
	"github.com/headcount-go/headcount/endpoint": true,
	"github.com/panjf2000/ants":                  true,
	"github.com/alitto/pond":                     true,
	"github.com/gammazero/workerpool":            true,
	"github.com/Jeffail/tunny":                   true,
	"golang.org/x/sync/singleflight":             true,
}

// limited reports whether a place of a limited number is taken on every path to instr, in the round of the innermost of
// the loops around it. With no loop, anywhere before it in the function.
func (p *program) limited(instr ssa.Instruction, within *loop) bool {
	for _, b := range instr.Parent().Blocks {
		if within != nil && within.body == nil && !within.blocks[b] {
			continue
		}
		if cond, ok := last(b).(*ssa.If); ok && b != instr.Block() && (p.admits(cond, instr) || p.switchedOff(cond, instr)) {
			return true
		}
		if !b.Dominates(instr.Block()) {
			continue
		}
		for _, i := range b.Instrs {
			if i == instr {
				break
			}
			if p.acquires(i, instr, 4) {
				return true
			}
		}
	}
	return false
}

// acquires reports whether executing i takes a place, for what is started at instr.
func (p *program) acquires(i, instr ssa.Instruction, calls int) bool {
	switch i := i.(type) {
	case *ssa.Send:
		return p.semaphore(i.Chan, instr)
	case *ssa.UnOp:
		return i.Op == token.ARROW && p.tokens(i.X, instr)
	case *ssa.Select:
		return p.selects(i, instr)
	case *ssa.Call:
		c := i.Common()
		m := invoked(c)
		if acquiring[m] || acquiring[calleeOf(c)] || swapsCount(c) {
			return !conditional(i.Type()) || decides(i, instr, 6)
		}
		return calls > 0 && p.wrapsAcquire(c, i, instr, calls)
	}
	return false
}

// swapsCount knows a number that is compared and swapped: a count that is only raised where it may be.
func swapsCount(c *ssa.CallCommon) bool {
	m := calleeOf(c)
	if m.pkg != "sync/atomic" || !strings.HasPrefix(m.name, "CompareAndSwap") || len(c.Args) != 3 {
		return false
	}
	b, ok := c.Args[2].Type().Underlying().(*types.Basic)
	_, constant := c.Args[2].(*ssa.Const)
	return ok && b.Info()&types.IsInteger != 0 && !constant
}

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

// wrapsAcquire looks into a function of the program, such as s.acquire(ctx), which takes a place on the way to a return.
func (p *program) wrapsAcquire(c *ssa.CallCommon, call *ssa.Call, instr ssa.Instruction, calls int) bool {
	callee := c.StaticCallee()
	if callee == nil || len(callee.Blocks) == 0 || len(callee.Blocks) > 40 {
		return false
	}
	for _, b := range callee.Blocks {
		ret, ok := last(b).(*ssa.Return)
		if !ok {
			continue
		}
		for _, before := range callee.Blocks {
			if !before.Dominates(b) {
				continue
			}
			for _, i := range before.Instrs {
				if p.acquires(i, ret, calls-1) {
					if callee.Signature.Results().Len() == 0 {
						return true
					}
					return !everyReturn(callee, i) && decides(call, instr, 6) || everyReturn(callee, i)
				}
			}
			if cond, ok := last(before).(*ssa.If); ok && before != b && p.admits(cond, ret) && decides(call, instr, 6) {
				return true
			}
		}
	}
	return false
}

func everyReturn(fn *ssa.Function, i ssa.Instruction) bool {
	for _, b := range fn.Blocks {
		if _, ok := last(b).(*ssa.Return); ok && !i.Block().Dominates(b) {
			return false
		}
	}
	return true
}

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

// admits reports whether a condition lets instr be reached only while a count is below something: the length of a map or
// list that is kept, or a number that is counted up, against a number that is not zero or one. It may be asked only where
// a limit is set at all: if max > 0 && len(conns) >= max.
func (p *program) admits(cond *ssa.If, instr ssa.Instruction) bool {
	if !p.compares(cond.Cond, 3) {
		return false
	}
	b, to := cond.Block(), instr.Block()
	top := b
	for !top.Dominates(to) {
		above := top.Idom()
		if above == nil {
			return false
		}
		asks, ok := last(above).(*ssa.If)
		if !ok {
			return false
		}
		past := asks.Block().Succs[0]
		if past == top {
			past = asks.Block().Succs[1]
		}
		if past != b.Succs[0] && past != b.Succs[1] {
			return false
		}
		top = above
	}
	return leads(b.Succs[0], to, top) != leads(b.Succs[1], to, top)
}

func (p *program) compares(v ssa.Value, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.UnOp:
		return v.Op == token.NOT && p.compares(v.X, depth-1)
	case *ssa.Phi: // a && b
		for _, e := range v.Edges {
			if p.compares(e, depth-1) {
				return true
			}
		}
	case *ssa.BinOp:
		switch v.Op {
		case token.LSS, token.LEQ, token.GTR, token.GEQ:
			return p.counted(v.X, 3) && p.most(v.Y) || p.counted(v.Y, 3) && p.most(v.X)
		}
	}
	return false
}

// switchedOff reports whether a condition leads to instr only where there is no semaphore, because none is configured:
// if s.sem == nil { go serve(c) } else { s.sem <- struct{}{}; ... }
func (p *program) switchedOff(cond *ssa.If, instr ssa.Instruction) bool {
	eq, ok := cond.Cond.(*ssa.BinOp)
	if !ok || eq.Op != token.EQL && eq.Op != token.NEQ || !parts(cond, instr) {
		return false
	}
	if c, ok := eq.Y.(*ssa.Const); !ok || !c.IsNil() {
		return false
	}
	without := cond.Block().Succs[0]
	if eq.Op == token.NEQ {
		without = cond.Block().Succs[1]
	}
	if !leads(without, instr.Block(), cond.Block()) {
		return false
	}
	_, isChan := eq.X.Type().Underlying().(*types.Chan)
	return isChan && slices.ContainsFunc(p.index.sends[p.index.place(eq.X)], func(s sending) bool { return s.fn == instr.Parent() })
}

// most reports whether v can be a limit.
func (p *program) most(v ssa.Value) bool {
	if c, ok := v.(*ssa.Const); ok {
		return c.Value != nil && c.Value.Kind() == constant.Int && constant.Compare(c.Value, token.GTR, constant.MakeInt64(1))
	}
	return p.originOf(v).from != outside
}

// counted reports whether v is a count of what there is: that of a field or a global.
func (p *program) counted(v ssa.Value, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.Convert:
		return p.counted(v.X, depth)
	case *ssa.BinOp:
		return (v.Op == token.ADD || v.Op == token.SUB) && p.counted(v.X, depth-1)
	case *ssa.UnOp:
		if v.Op != token.MUL {
			return false
		}
		switch x := v.X.(type) {
		case *ssa.FieldAddr:
			return countName(fieldName(x))
		case *ssa.Global:
			return countName(x.Name())
		}
	case *ssa.Call:
		c := v.Common()
		if b, ok := c.Value.(*ssa.Builtin); ok {
			return b.Name() == "len" && p.keptList(c.Args[0])
		}
		m := calleeOf(c)
		switch {
		case m.pkg == "sync/atomic":
			return strings.HasPrefix(m.name, "Add") || strings.HasPrefix(m.name, "Load")
		case m.name == "NumGoroutine", countName(m.name):
			return true
		}
		if callee := c.StaticCallee(); callee != nil && len(callee.Blocks) == 1 {
			if ret, ok := last(callee.Blocks[0]).(*ssa.Return); ok && len(ret.Results) == 1 {
				return p.counted(ret.Results[0], depth-1)
			}
		}
	}
	return false
}

// keptList is a map, list or channel that outlives the call.
func (p *program) keptList(v ssa.Value) bool {
	if _, ok := v.Type().Underlying().(*types.Basic); ok {
		return false
	}
	if sl, ok := v.Type().Underlying().(*types.Slice); ok {
		if b, ok := sl.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte {
			return false
		}
	}
	if u, ok := v.(*ssa.UnOp); ok && u.Op == token.MUL {
		switch u.X.(type) {
		case *ssa.FieldAddr, *ssa.Global, *ssa.FreeVar:
			return p.originOf(v).from != outside
		}
	}
	if l, ok := v.(*ssa.Lookup); ok {
		return p.keptList(l.X)
	}
	return false
}

func fieldName(x *ssa.FieldAddr) string {
	if v, ok := fieldOf(x.X.Type(), x.Field).(*types.Var); ok {
		return v.Name()
	}
	return ""
}

var countWords = []string{"count", "num", "active", "running", "inflight", "current", "used", "pending", "open", "total", "conns", "clients", "sessions", "workers"}

func countName(name string) bool {
	name = strings.ToLower(name)
	if name == "n" {
		return true
	}
	for _, w := range countWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

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
