package analyzers

import (
	"go/token"
	"go/types"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// bodies finds what reads the body of a request without a limit, for the rules that tell of it. Its facts carry what
// helpers do from package to package.
var bodies = &analysis.Analyzer{
	Name:       "requestbodies",
	Doc:        "finds what reads the bodies of requests, and what limits them",
	ResultType: reflect.TypeFor[bodyReads](),
	FactTypes:  []analysis.Fact{new(limitsBody), new(limitsReader), new(readsAll)},
	Run: func(pass *analysis.Pass) (any, error) {
		b := &bodyReview{pass: pass, limits: map[*ssa.Function][]int{}, limited: map[*ssa.Function]bool{}, reads: map[*ssa.Function][]int{}}
		var found bodyReads
		err := guard(func() error {
			found = b.run()
			return nil
		})
		return found, err
	},
}

// limitsBody is the fact of a function that puts a limit on the bodies of the requests it is given as these parameters. A
// method's receiver counts as the first.
type limitsBody struct{ Params []int }

// limitsReader is the fact of a function whose result is a reader with a limit.
type limitsReader struct{}

// readsAll is the fact of a function that reads these parameters to their end.
type readsAll struct{ Params []int }

func (*limitsBody) AFact()   {}
func (*limitsReader) AFact() {}
func (*readsAll) AFact()     {}

// bodyReads is what bodies found in one package.
type bodyReads struct {
	found   []bodyRead
	limited bool // see Result.BodiesLimited
}

type bodyRead struct {
	rule string
	pos  token.Pos
	by   string // what reads: json.NewDecoder
	report.Confidence
	report.Criticality
}

// A bodyReview reads the package as SSA: whether a limit is set on every path to a place is a question of the control flow.
type bodyReview struct {
	pass  *analysis.Pass
	funcs []*ssa.Function
	// What the package's own functions do, as the facts say it of others.
	limits  map[*ssa.Function][]int
	limited map[*ssa.Function]bool
	reads   map[*ssa.Function][]int
	callers map[*ssa.Function][]*ssa.Call
}

func (b *bodyReview) run() bodyReads {
	if !b.concerned() {
		return bodyReads{}
	}
	b.build()
	b.summarize()
	found := bodyReads{limited: b.limitsForOthers()}
	for _, f := range b.funcs {
		for call := range callsIn(f) {
			if r, ok := b.judge(call); ok {
				if found.limited {
					r.Confidence = report.Low
				}
				found.found = append(found.found, r)
			}
		}
	}
	return found
}

// concerned says whether the package has anything to do with bodies, which is quickly seen, before it is built as SSA.
func (b *bodyReview) concerned() bool {
	if len(b.pass.Files) == 0 {
		return false // only its types were loaded
	}
	for _, obj := range b.pass.TypesInfo.Uses {
		if obj.Pkg() == nil {
			continue
		}
		switch obj := obj.(type) {
		case *types.Var:
			if obj.IsField() && obj.Name() == "Body" && obj.Pkg().Path() == "net/http" {
				return true
			}
		case *types.Func:
			obj = obj.Origin()
			if _, ok := sinks[obj.FullName()]; ok || limitsHandlers(obj) || isFunc(obj, "net/http", "MaxBytesReader") {
				return true
			}
		}
	}
	return false
}

func (b *bodyReview) build() {
	prog := ssa.NewProgram(b.pass.Fset, 0)
	for _, p := range b.pass.Pkg.Imports() {
		prog.CreatePackage(p, nil, nil, true)
	}
	pkg := prog.CreatePackage(b.pass.Pkg, b.pass.Files, b.pass.TypesInfo, false)
	pkg.Build()
	for _, obj := range b.pass.TypesInfo.Defs {
		if fn, ok := obj.(*types.Func); ok {
			if f := prog.FuncValue(fn); f != nil && f.Blocks != nil {
				b.funcs = append(b.funcs, f)
			}
		}
	}
	// Defs is a map; what is found is to have an order.
	slices.SortFunc(b.funcs, func(x, y *ssa.Function) int { return int(x.Pos()) - int(y.Pos()) })
	for i := 0; i < len(b.funcs); i++ {
		b.funcs = append(b.funcs, b.funcs[i].AnonFuncs...)
	}
	b.callers = map[*ssa.Function][]*ssa.Call{}
	for _, f := range b.funcs {
		for call := range callsIn(f) {
			if callee := call.Call.StaticCallee(); callee != nil {
				b.callers[callee] = append(b.callers[callee], call)
			}
		}
	}
}

// summarize finds what the package's functions do to what they are given. A helper of a helper takes another round.
func (b *bodyReview) summarize() {
	for range 3 {
		for _, f := range b.funcs {
			b.limited[f] = b.returnsLimited(f)
			for i, p := range f.Params {
				if isType(p.Type(), "net/http", "Request") && !slices.Contains(b.limits[f], i) && b.limitedAtReturn(f, p) {
					b.limits[f] = append(b.limits[f], i)
				}
			}
			for call := range callsIn(f) {
				for _, arg := range b.readers(call) {
					src := b.source(arg)
					if i := slices.Index(f.Params, src.param); src.param != nil && i >= 0 && !slices.Contains(b.reads[f], i) {
						b.reads[f] = append(b.reads[f], i)
					}
				}
			}
		}
	}
	for _, f := range b.funcs {
		obj, ok := f.Object().(*types.Func)
		if !ok || obj.Pkg() != b.pass.Pkg {
			continue
		}
		if len(b.limits[f]) > 0 {
			b.pass.ExportObjectFact(obj, &limitsBody{b.limits[f]})
		}
		if b.limited[f] {
			b.pass.ExportObjectFact(obj, &limitsReader{})
		}
		if len(b.reads[f]) > 0 {
			b.pass.ExportObjectFact(obj, &readsAll{b.reads[f]})
		}
	}
}

func (b *bodyReview) returnsLimited(f *ssa.Function) bool {
	if results := f.Signature.Results(); results.Len() == 0 || !has(results.At(0).Type(), "Read") {
		return false
	}
	returns := false
	for _, block := range f.Blocks {
		ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return)
		if !ok || len(ret.Results) == 0 {
			continue
		}
		if c, ok := ret.Results[0].(*ssa.Const); ok && c.IsNil() {
			continue
		}
		if !b.source(ret.Results[0]).limited {
			return false
		}
		returns = true
	}
	return returns
}

func (b *bodyReview) limitedAtReturn(f *ssa.Function, request ssa.Value) bool {
	returns := false
	for _, block := range f.Blocks {
		ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return)
		if !ok {
			continue
		}
		if !b.limitedBefore(ret, place{base: request}) {
			return false
		}
		returns = true
	}
	return returns
}

// limitsForOthers says whether the package limits bodies for handlers elsewhere: by a known function, or by a function that
// sets a limit and then serves.
func (b *bodyReview) limitsForOthers() bool {
	for _, f := range b.funcs {
		limits, serves := false, false
		for _, block := range f.Blocks {
			for _, instr := range block.Instrs {
				if call, ok := instr.(*ssa.Call); ok {
					if fn := calleeOf(&call.Call); fn != nil && limitsHandlers(fn) {
						return true
					}
					serves = serves || servesNext(&call.Call)
				}
				limits = limits || b.sets(instr, nil)
			}
		}
		if limits && serves {
			return true
		}
	}
	return false
}

// limitsHandlers says whether fn limits the bodies of all requests to a handler.
func limitsHandlers(fn *types.Func) bool {
	return isFunc(fn, "net/http", "MaxBytesHandler") ||
		isFunc(fn, headcountEndpoint, "New") ||
		isFunc(fn, "github.com/go-chi/chi/v5/middleware", "RequestSize") ||
		isFunc(fn, "github.com/go-chi/chi/middleware", "RequestSize") ||
		isFunc(fn, "github.com/labstack/echo/v4/middleware", "BodyLimit", "BodyLimitWithConfig") ||
		isFunc(fn, "github.com/gin-contrib/size", "RequestSizeLimiter")
}

// servesNext says whether a call hands the request on: to a handler, or by gin's Next.
func servesNext(call *ssa.CallCommon) bool {
	if fn := calleeOf(call); fn != nil {
		return fn.Name() == "ServeHTTP" || isMethod(fn, "github.com/gin-gonic/gin", "Context", "Next")
	}
	sig, ok := call.Value.Type().Underlying().(*types.Signature)
	return ok && (isHandler(sig) || fromOutside(sig)) // a handler as a value
}
