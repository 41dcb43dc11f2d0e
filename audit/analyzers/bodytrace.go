package analyzers

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// A place is a request as a function knows it: a value, or what is reached from a value by fields and calls without
// arguments, as c.Request is. Two loads of it are the same place.
type place struct {
	base ssa.Value
	path string
}

// place follows a value to where it comes from: through copies with another context, which share the body, and through the
// variables of functions around a closure.
func (b *bodyReview) place(v ssa.Value) place { return b.placeOf(v, map[ssa.Value]bool{}) }

func (b *bodyReview) placeOf(v ssa.Value, seen map[ssa.Value]bool) place {
	if seen[v] {
		return place{}
	}
	seen[v] = true
	switch w := unwrap(v).(type) {
	case *ssa.FreeVar:
		if bound := binding(w); bound != nil {
			return b.placeOf(bound, seen)
		}
		return place{base: w}
	case *ssa.UnOp:
		if w.Op != token.MUL {
			return place{base: w}
		}
		if f, ok := w.X.(*ssa.FieldAddr); ok {
			p := b.placeOf(f.X, seen)
			p.path += "." + fieldName(f)
			return p
		}
		return b.one(w.X, w, seen)
	case *ssa.Call:
		if fn := calleeOf(&w.Call); fn != nil {
			args := arguments(&w.Call)
			if isMethod(fn, "net/http", "Request", "WithContext", "Clone") {
				return b.placeOf(args[0], seen)
			}
			if fn.Signature().Recv() != nil && len(args) == 1 {
				p := b.placeOf(args[0], seen)
				p.path += "." + fn.Name() + "()"
				return p
			}
		}
		return place{base: w}
	case *ssa.Phi:
		var p place
		for _, e := range w.Edges {
			q := b.placeOf(e, seen)
			if q.base == nil {
				continue // known already, or round a loop
			}
			if p.base != nil && p != q {
				return place{base: w}
			}
			p = q
		}
		return p
	default:
		return place{base: w}
	}
}

// one is the place of what is kept in a variable, if all that it is given is the same.
func (b *bodyReview) one(addr ssa.Value, load ssa.Value, seen map[ssa.Value]bool) place {
	var p place
	for _, v := range stored(addr) {
		q := b.placeOf(v, seen)
		if q.base == nil {
			continue
		}
		if p.base != nil && p != q {
			return place{base: load}
		}
		p = q
	}
	if p.base == nil {
		return place{base: load}
	}
	return p
}

// stored are the values that a local variable is given, in its function and in closures.
func stored(addr ssa.Value) []ssa.Value {
	for {
		free, ok := addr.(*ssa.FreeVar)
		if !ok {
			break
		}
		if addr = binding(free); addr == nil {
			return nil
		}
	}
	alloc, ok := addr.(*ssa.Alloc)
	if !ok {
		return nil
	}
	var values []ssa.Value
	var collect func(a ssa.Value)
	collect = func(a ssa.Value) {
		for _, ref := range *a.Referrers() {
			switch ref := ref.(type) {
			case *ssa.Store:
				if ref.Addr == a {
					values = append(values, ref.Val)
				}
			case *ssa.MakeClosure:
				f := ref.Fn.(*ssa.Function)
				for i, bound := range ref.Bindings {
					if bound == a {
						collect(f.FreeVars[i])
					}
				}
			}
		}
	}
	collect(alloc)
	return values
}

// binding is what a closure's free variable is outside.
func binding(free *ssa.FreeVar) ssa.Value {
	f := free.Parent()
	if made := makes(f); made != nil {
		if i := slices.Index(f.FreeVars, free); i >= 0 {
			return made.Bindings[i]
		}
	}
	return nil
}

// makes is where a closure is made.
func makes(f *ssa.Function) *ssa.MakeClosure {
	if f.Parent() == nil {
		return nil
	}
	for _, block := range f.Parent().Blocks {
		for _, instr := range block.Instrs {
			if made, ok := instr.(*ssa.MakeClosure); ok && made.Fn == f {
				return made
			}
		}
	}
	return nil
}

// A source is what a reader reads.
type source struct {
	limited bool
	request place           // whose body it is, without a limit on the reader itself
	load    ssa.Instruction // where that body is taken from the request
	param   *ssa.Parameter  // it is what the function was given
}

// source follows a reader to what it reads. Through several paths the one without a limit counts.
func (b *bodyReview) source(v ssa.Value) source { return b.sourceOf(v, map[ssa.Value]bool{}) }

func (b *bodyReview) sourceOf(v ssa.Value, seen map[ssa.Value]bool) source {
	if seen[v] {
		return source{limited: true} // known already, or round a loop: the other ways decide
	}
	seen[v] = true
	switch w := unwrap(v).(type) {
	case *ssa.Parameter:
		return source{param: w}
	case *ssa.TypeAssert:
		return b.sourceOf(w.X, seen)
	case *ssa.Extract:
		if w.Index == 0 {
			return b.sourceOf(w.Tuple, seen)
		}
	case *ssa.Alloc:
		if isType(w.Type(), "io", "LimitedReader") {
			return source{limited: true}
		}
		return b.wrapped(w, seen)
	case *ssa.Phi:
		return b.worst(w.Edges, seen)
	case *ssa.FreeVar:
		if bound := binding(w); bound != nil {
			return b.sourceOf(bound, seen)
		}
	case *ssa.UnOp:
		if w.Op != token.MUL {
			break
		}
		if f, ok := w.X.(*ssa.FieldAddr); ok {
			if isField(f, "Body") {
				return source{request: b.place(f.X), load: w}
			}
			break
		}
		if given := stored(w.X); len(given) > 0 {
			return b.worst(given, seen)
		}
		if made, ok := w.X.(*ssa.Alloc); ok {
			return b.wrapped(made, seen)
		}
	case *ssa.Call:
		return b.sourceOfCall(w, seen)
	}
	return source{}
}

// wrapped is what a new struct reads: the reader that is put into one of its fields.
func (b *bodyReview) wrapped(made *ssa.Alloc, seen map[ssa.Value]bool) source {
	for _, ref := range *made.Referrers() {
		field, ok := ref.(*ssa.FieldAddr)
		if !ok {
			continue
		}
		for _, ref := range *field.Referrers() {
			if store, ok := ref.(*ssa.Store); ok && store.Addr == field && has(store.Val.Type(), "Read") {
				return b.sourceOf(store.Val, seen)
			}
		}
	}
	return source{}
}

func (b *bodyReview) worst(values []ssa.Value, seen map[ssa.Value]bool) source {
	var worst source
	worst.limited = len(values) > 0
	for _, v := range values {
		s := b.sourceOf(v, seen)
		if s.load != nil {
			return s
		}
		if !s.limited {
			worst = s
		}
	}
	return worst
}

// sourceOfCall knows the functions that make a reader of a reader.
func (b *bodyReview) sourceOfCall(call *ssa.Call, seen map[ssa.Value]bool) source {
	fn := calleeOf(&call.Call)
	if fn == nil {
		return source{}
	}
	args := arguments(&call.Call)
	switch {
	case isFunc(fn, "net/http", "MaxBytesReader"), isFunc(fn, "io", "LimitReader"):
		return source{limited: true}
	case isFunc(fn, "io", "NopCloser", "TeeReader"), isFunc(fn, "io/ioutil", "NopCloser"),
		isFunc(fn, "bufio", "NewReader", "NewReaderSize"),
		isFunc(fn, "compress/gzip", "NewReader"), isFunc(fn, "compress/zlib", "NewReader"), isFunc(fn, "compress/flate", "NewReader"):
		return b.sourceOf(args[0], seen)
	case fn.Pkg() == b.pass.Pkg:
		return source{limited: b.limited[call.Call.StaticCallee()]}
	default:
		return source{limited: b.pass.ImportObjectFact(fn, &limitsReader{})}
	}
}

// limitedBefore says whether on every path to an instruction a limit is set on the body of a request: there, or around the
// closure that it is in.
func (b *bodyReview) limitedBefore(at ssa.Instruction, request place) bool {
	if request.base == nil {
		return false
	}
	f := at.Parent()
	if !b.reaches(f, at, request) {
		return true
	}
	if made := makes(f); made != nil {
		return b.limitedBefore(made, request)
	}
	return false
}

// reaches says whether an instruction is reached from the entry without a limit being set.
func (b *bodyReview) reaches(f *ssa.Function, at ssa.Instruction, request place) bool {
	seen := make([]bool, len(f.Blocks))
	todo := []*ssa.BasicBlock{f.Blocks[0]}
	for len(todo) > 0 {
		block := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[block.Index] {
			continue
		}
		seen[block.Index] = true
		stopped := false
		for _, instr := range block.Instrs {
			if instr == at {
				return true
			}
			if b.sets(instr, &request) {
				stopped = true
				break
			}
		}
		if !stopped {
			todo = append(todo, block.Succs...)
		}
	}
	return false
}

// sets says whether an instruction sets a limit on the body of the request, or of any where request is nil, or gives it
// another body, which is then not the client's.
func (b *bodyReview) sets(instr ssa.Instruction, request *place) bool {
	switch i := instr.(type) {
	case *ssa.Store:
		f, ok := i.Addr.(*ssa.FieldAddr)
		if !ok || !isField(f, "Body") || request != nil && b.place(f.X) != *request {
			return false
		}
		src := b.source(i.Val)
		return src.limited || request != nil && src.load == nil
	case *ssa.Call:
		fn := calleeOf(&i.Call)
		if fn == nil {
			return false
		}
		var params []int
		if fn.Pkg() == b.pass.Pkg {
			params = b.limits[i.Call.StaticCallee()]
		} else {
			var fact limitsBody
			b.pass.ImportObjectFact(fn, &fact)
			params = fact.Params
		}
		for _, n := range params {
			if args := arguments(&i.Call); n < len(args) && (request == nil || b.place(args[n]) == *request) {
				return true
			}
		}
	}
	return false
}

// isField says whether an address is that of this field of an http.Request.
func isField(addr ssa.Value, name string) bool {
	f, ok := addr.(*ssa.FieldAddr)
	return ok && isType(f.X.Type(), "net/http", "Request") && fieldName(f) == name
}

func fieldName(f *ssa.FieldAddr) string {
	t := f.X.Type().Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	if st, ok := t.(*types.Struct); ok {
		return st.Field(f.Field).Name()
	}
	return ""
}
