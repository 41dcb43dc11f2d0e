package golang

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// An origin says who decided on a value.
type origin struct {
	from source
	what string // such as "HTTP request"
	far  int    // how often it went through a function of the program, a field or a channel, which may have made it small
}

// farthest is how often a value may do so before it is taken to be the program's own.
const farthest = 2

func (a origin) away() origin {
	if a.from != outside {
		return a
	}
	if a.far++; a.far > farthest {
		return origin{from: internal}
	}
	return a
}

type source int

const (
	fixed    source = iota // constants, and what the program is set up with
	internal               // the program's own data
	outside                // what an outsider sent
)

func (a origin) or(b origin) origin {
	switch {
	case b.from > a.from, b.from == a.from && a.far > b.far:
		return b
	}
	return a
}

// tracer follows values back to where they come from.
type tracer struct {
	p    *program
	seen map[ssa.Value]bool
}

func (p *program) originOf(v ssa.Value) origin {
	return (&tracer{p, map[ssa.Value]bool{}}).trace(v, 40, 4)
}

// trace follows v for so many steps, and for so many calls upwards.
func (t *tracer) trace(v ssa.Value, steps, calls int) origin {
	if v == nil || steps == 0 || t.seen[v] {
		return origin{}
	}
	t.seen[v] = true
	again := func(v ssa.Value) origin { return t.trace(v, steps-1, calls) }
	if what := carrierOf(v.Type()); what != "" {
		return origin{from: outside, what: what}
	}
	switch v := v.(type) {
	case *ssa.Const, *ssa.Function, *ssa.Builtin:
		return origin{}
	case *ssa.Global:
		return t.kept(v, v, steps, calls, fixed)
	case *ssa.Parameter:
		return t.parameter(v, steps, calls)
	case *ssa.FreeVar:
		if mc := t.p.index.closures[v.Parent()]; mc != nil {
			for i, fv := range v.Parent().FreeVars {
				if fv == v {
					return again(mc.Bindings[i])
				}
			}
		}
		return origin{from: internal}
	case *ssa.Call:
		return t.call(v, steps, calls)
	case *ssa.Extract:
		switch tuple := v.Tuple.(type) {
		case *ssa.Next:
			return again(tuple.Iter)
		case *ssa.Select:
			return t.received(tuple, v.Index, steps, calls)
		default:
			return again(tuple)
		}
	case *ssa.Range:
		return again(v.X)
	case *ssa.UnOp:
		if v.Op == token.ARROW {
			return t.channel(v.X, steps, calls)
		}
		return again(v.X)
	case *ssa.Alloc:
		return t.allocated(v, steps, calls)
	case *ssa.FieldAddr:
		return t.field(v, v.X, fieldOf(v.X.Type(), v.Field), steps, calls)
	case *ssa.Field:
		return t.field(v, v.X, fieldOf(v.X.Type(), v.Field), steps, calls)
	case *ssa.IndexAddr:
		return again(v.X)
	case *ssa.Index:
		return again(v.X)
	case *ssa.Lookup:
		return again(v.X)
	case *ssa.Slice:
		if ptr, ok := v.X.Type().Underlying().(*types.Pointer); ok && v.Low == nil && v.High == nil {
			if _, array := ptr.Elem().Underlying().(*types.Array); array {
				return origin{} // a composite literal
			}
		}
		if v.High != nil {
			if high := t.trace(v.High, steps-1, calls); high.from == fixed {
				return high
			}
		}
		return again(v.X)
	case *ssa.Convert:
		return again(v.X)
	case *ssa.ChangeType:
		return again(v.X)
	case *ssa.ChangeInterface:
		return again(v.X)
	case *ssa.MakeInterface:
		return again(v.X)
	case *ssa.TypeAssert:
		return again(v.X)
	case *ssa.MultiConvert:
		return again(v.X)
	case *ssa.SliceToArrayPointer:
		return again(v.X)
	case *ssa.BinOp:
		switch v.Op {
		case token.REM, token.AND:
			if o := again(v.Y); o.from == fixed {
				return o
			}
		}
		return again(v.X).or(again(v.Y))
	case *ssa.Phi:
		return t.joined(v, steps, calls)
	case *ssa.MakeSlice:
		if _, ok := v.Len.(*ssa.Const); ok {
			return t.filled(v, steps, calls)
		}
		return again(v.Len)
	case *ssa.MakeMap:
		return t.filled(v, steps, calls)
	case *ssa.MakeClosure:
		var o origin
		for _, b := range v.Bindings {
			o = o.or(again(b))
		}
		return o
	}
	return origin{from: internal}
}

func (t *tracer) parameter(v *ssa.Parameter, steps, calls int) origin {
	fn := v.Parent()
	if e, ok := t.p.entries[fn]; ok && !isContext(v.Type()) && (len(fn.Params) == 0 || fn.Signature.Recv() == nil || v != fn.Params[0]) {
		return origin{from: outside, what: e.what}
	}
	if fn.Signature.Recv() != nil && len(fn.Params) > 0 && v == fn.Params[0] {
		return origin{from: internal}
	}
	if calls == 0 {
		return origin{from: internal}
	}
	edges := t.p.graph.in[fn]
	if len(edges) == 0 || len(edges) > 8 {
		return origin{from: internal}
	}
	var o origin
	for _, e := range edges {
		if arg := argumentOf(e, v); arg != nil {
			o = o.or(t.trace(arg, steps-1, calls-1))
		} else {
			o = o.or(origin{from: internal})
		}
	}
	return o
}

func isContext(t types.Type) bool { return isNamed(t, "context", "Context") }

// call follows what a call was given. A function of another module is taken to compute from that alone; one of this
// program may look things up, so what it returns for something from outside is only likely to be as large, and less so
// where it is given a name or a number.
func (t *tracer) call(v *ssa.Call, steps, calls int) origin {
	c := v.Common()
	if b, ok := c.Value.(*ssa.Builtin); ok {
		return t.builtin(b, c.Args, steps, calls)
	}
	m := invoked(c)
	if what := t.p.receives(c); what != "" {
		return origin{from: outside, what: what}
	}
	switch {
	case m.pkg == "runtime", m.pkg == "flag", m.pkg == "os", strings.HasSuffix(m.pkg, "/pflag"), strings.HasSuffix(m.pkg, "/viper"):
		return origin{}
	case m.pkg == "time", m.pkg == "context":
		return origin{from: internal}
	}
	o := origin{from: internal}
	args := c.Args
	if c.IsInvoke() {
		args = append([]ssa.Value{c.Value}, args...)
	} else if mc, ok := c.Value.(*ssa.MakeClosure); ok {
		args = append(append([]ssa.Value{}, mc.Bindings...), args...)
	}
	callee := c.StaticCallee()
	own := callee == nil || len(callee.Blocks) > 0
	onlyFixed, looksUp := len(args) > 0, true
	for i, arg := range args {
		if isContext(arg.Type()) || isError(arg.Type()) {
			onlyFixed = false
			continue
		}
		if own && i == 0 && c.Signature().Recv() != nil && carrierOf(arg.Type()) == "" {
			onlyFixed = false
			continue
		}
		a := t.trace(arg, steps-1, calls)
		if a.from != fixed {
			onlyFixed = false
		}
		if _, scalar := arg.Type().Underlying().(*types.Basic); a.from == outside && !scalar {
			looksUp = false
		}
		o = o.or(a)
	}
	if onlyFixed && !own {
		return origin{}
	}
	if own {
		o = o.away()
		if looksUp {
			o = o.away()
		}
	}
	return o
}

func (t *tracer) builtin(b *ssa.Builtin, args []ssa.Value, steps, calls int) origin {
	var o origin
	for _, arg := range args {
		a := t.trace(arg, steps-1, calls)
		if b.Name() == "min" && a.from == fixed {
			return a
		}
		o = o.or(a)
	}
	return o
}

// allocated follows a variable: what is stored in it, and what fills it, such as a decoder that is given its address.
func (t *tracer) allocated(v *ssa.Alloc, steps, calls int) origin {
	var o origin
	for _, ref := range *v.Referrers() {
		switch ref := ref.(type) {
		case *ssa.Store:
			if ref.Addr == v {
				o = o.or(t.trace(ref.Val, steps-1, calls))
			}
		case *ssa.Call:
			o = o.or(t.filledBy(v, ref, steps, calls))
		case *ssa.MakeInterface:
			for _, r := range *ref.Referrers() {
				if call, ok := r.(*ssa.Call); ok {
					o = o.or(t.filledBy(ref, call, steps, calls))
				}
			}
		case *ssa.MakeClosure:
			o = o.or(t.assignedIn(ref, v, steps, calls))
		}
	}
	return o
}

// assignedIn follows a variable into a closure that assigns to it.
func (t *tracer) assignedIn(mc *ssa.MakeClosure, v ssa.Value, steps, calls int) origin {
	var o origin
	fn := mc.Fn.(*ssa.Function)
	for i, b := range mc.Bindings {
		if b != v || i >= len(fn.FreeVars) {
			continue
		}
		for _, ref := range *fn.FreeVars[i].Referrers() {
			if st, ok := ref.(*ssa.Store); ok && st.Addr == fn.FreeVars[i] {
				o = o.or(t.trace(st.Val, steps-1, calls))
			}
		}
	}
	return o
}

// filledBy follows the other arguments of a call that is given the address of a variable.
func (t *tracer) filledBy(v ssa.Value, call *ssa.Call, steps, calls int) origin {
	c := call.Common()
	if what := t.p.receives(c); what != "" {
		return origin{from: outside, what: what}
	}
	var o origin
	args := c.Args
	if c.IsInvoke() {
		args = append([]ssa.Value{c.Value}, args...)
	}
	for _, arg := range args {
		if arg == v || isContext(arg.Type()) {
			continue
		}
		if a := t.trace(arg, steps-1, calls); a.from == outside {
			if callee := c.StaticCallee(); callee == nil && !c.IsInvoke() || callee != nil && len(callee.Blocks) > 0 && carrierOf(arg.Type()) == "" {
				a = a.away()
			}
			o = o.or(a)
		}
	}
	return o
}

// field follows what a struct came from, and where that does not tell, what is ever put into the field.
func (t *tracer) field(v, x ssa.Value, at place, steps, calls int) origin {
	if o := t.trace(x, steps-1, calls); o.from == outside {
		return o
	}
	if named := namedOf(x.Type()); named != nil && named.TypeArgs().Len() > 0 {
		return origin{from: internal} // a container, which others fill with other things
	}
	return t.kept(v, at, steps, calls, internal)
}

// kept follows what is stored in a place. Only what is from outside for certain is taken over: most fields are written
// from many sides.
func (t *tracer) kept(v ssa.Value, at place, steps, calls int, otherwise source) origin {
	stores := t.p.index.stores[at]
	if _, global := v.(*ssa.Global); global || len(stores) == 0 || len(stores) > 4 {
		return origin{from: otherwise}
	}
	o := origin{}
	for _, st := range stores {
		o = o.or(t.trace(st, steps/2, min(calls, 1)))
	}
	o = o.away()
	if o.from == fixed {
		for _, st := range stores {
			if _, ok := st.(*ssa.Const); !ok {
				return origin{from: otherwise}
			}
		}
	}
	return o
}

// joined follows all that a variable may be, but where it is cut to something fixed: if n > most { n = most }.
func (t *tracer) joined(v *ssa.Phi, steps, calls int) origin {
	var o origin
	for i, e := range v.Edges {
		a := t.trace(e, steps-1, calls)
		if a.from == outside && t.p.checked(e, v.Block().Preds[i]) {
			a = origin{}
		}
		o = o.or(a)
	}
	return o
}

// filled follows what is put into a slice or map that is made empty.
func (t *tracer) filled(v ssa.Value, steps, calls int) origin {
	o := origin{from: internal}
	for _, ref := range *v.Referrers() {
		switch ref := ref.(type) {
		case *ssa.MapUpdate:
			if ref.Map == v {
				o = o.or(t.trace(ref.Key, steps-1, calls))
			}
		}
	}
	return o
}
