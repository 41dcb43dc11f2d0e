package analyzers

import (
	"go/token"
	"go/types"
	"iter"
	"path"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// A sink is a function that takes as much as it is given.
type sink struct {
	rule    string
	arg     int  // the reader or request among the arguments; a receiver counts
	request bool // it is the request, or the context of a framework that has it
	report.Confidence
}

var (
	wholeReader  = sink{rule: "HC114", Confidence: report.High}
	wholeRequest = sink{rule: "HC114", request: true, Confidence: report.High}
	// A form's files go to disk where they are too large for memory: all of them, whatever the limit of memory is.
	wholeForm = sink{rule: "HC115", request: true, Confidence: report.High}
	// These parse a multipart form too, if the client sends one, though who wrote them rarely means it.
	anyForm = sink{rule: "HC115", request: true, Confidence: report.Low}
)

var sinks = map[string]sink{
	"io.ReadAll":                             wholeReader,
	"io/ioutil.ReadAll":                      wholeReader,
	"(*bytes.Buffer).ReadFrom":               {rule: "HC114", arg: 1, Confidence: report.High},
	"encoding/json.NewDecoder":               wholeReader,
	"encoding/xml.NewDecoder":                wholeReader,
	"encoding/gob.NewDecoder":                wholeReader,
	"encoding/json/v2.UnmarshalRead":         wholeReader,
	"gopkg.in/yaml.v2.NewDecoder":            wholeReader,
	"gopkg.in/yaml.v3.NewDecoder":            wholeReader,
	"github.com/goccy/go-json.NewDecoder":    wholeReader,
	"github.com/goccy/go-yaml.NewDecoder":    wholeReader,
	"github.com/json-iterator/go.NewDecoder": wholeReader,
	"github.com/go-chi/render.DecodeJSON":    wholeReader,
	"github.com/go-chi/render.DecodeXML":     wholeReader,
	"github.com/go-chi/render.Decode":        wholeRequest,
	"github.com/go-chi/render.Bind":          wholeRequest,

	"(*github.com/gin-gonic/gin.Context).BindJSON":        wholeRequest,
	"(*github.com/gin-gonic/gin.Context).BindXML":         wholeRequest,
	"(*github.com/gin-gonic/gin.Context).BindYAML":        wholeRequest,
	"(*github.com/gin-gonic/gin.Context).Bind":            wholeRequest,
	"(*github.com/gin-gonic/gin.Context).ShouldBind":      wholeRequest,
	"(*github.com/gin-gonic/gin.Context).ShouldBindJSON":  wholeRequest,
	"(*github.com/gin-gonic/gin.Context).ShouldBindXML":   wholeRequest,
	"(*github.com/gin-gonic/gin.Context).ShouldBindYAML":  wholeRequest,
	"(*github.com/gin-gonic/gin.Context).GetRawData":      wholeRequest,
	"(*github.com/gin-gonic/gin.Context).FormFile":        wholeForm,
	"(*github.com/gin-gonic/gin.Context).MultipartForm":   wholeForm,
	"(github.com/labstack/echo/v4.Context).Bind":          wholeRequest,
	"(github.com/labstack/echo/v4.Context).FormFile":      wholeForm,
	"(github.com/labstack/echo/v4.Context).MultipartForm": wholeForm,

	"(*net/http.Request).ParseMultipartForm": wholeForm,
	"(*net/http.Request).FormFile":           wholeForm,
	"(*net/http.Request).FormValue":          anyForm,
	"(*net/http.Request).PostFormValue":      anyForm,
}

// callsIn gives the calls of a function that are neither deferred nor go statements.
func callsIn(f *ssa.Function) iter.Seq[*ssa.Call] {
	return func(yield func(*ssa.Call) bool) {
		for _, block := range f.Blocks {
			for _, instr := range block.Instrs {
				if call, ok := instr.(*ssa.Call); ok && !yield(call) {
					return
				}
			}
		}
	}
}

// calleeOf is the function or method that a call names, of an interface too.
func calleeOf(call *ssa.CallCommon) *types.Func {
	if call.IsInvoke() {
		return call.Method
	}
	if f := call.StaticCallee(); f != nil {
		if fn, ok := f.Object().(*types.Func); ok {
			return fn.Origin()
		}
	}
	return nil
}

// arguments are those of a call with the receiver first.
func arguments(call *ssa.CallCommon) []ssa.Value {
	if call.IsInvoke() {
		return append([]ssa.Value{call.Value}, call.Args...)
	}
	return call.Args
}

// readers are the arguments of a call that it reads to their end.
func (b *bodyReview) readers(call *ssa.Call) []ssa.Value {
	fn := calleeOf(&call.Call)
	if fn == nil {
		return nil
	}
	args := arguments(&call.Call)
	if isFunc(fn, "io", "Copy", "CopyBuffer") {
		if into := unwrap(args[0]); isType(into.Type(), "bytes", "Buffer") || isType(into.Type(), "strings", "Builder") {
			return args[1:2]
		}
		return nil
	}
	if s, ok := sinks[fn.FullName()]; ok && !s.request {
		return args[s.arg : s.arg+1]
	}
	var readers []ssa.Value
	for _, i := range b.readsOf(call, fn) {
		if i < len(args) {
			readers = append(readers, args[i])
		}
	}
	return readers
}

func (b *bodyReview) readsOf(call *ssa.Call, fn *types.Func) []int {
	if fn.Pkg() == b.pass.Pkg {
		return b.reads[call.Call.StaticCallee()]
	}
	var fact readsAll
	if b.pass.ImportObjectFact(fn, &fact) {
		return fact.Params
	}
	return nil
}

func unwrap(v ssa.Value) ssa.Value {
	for {
		switch w := v.(type) {
		case *ssa.MakeInterface:
			v = w.X
		case *ssa.ChangeInterface:
			v = w.X
		case *ssa.ChangeType:
			v = w.X
		default:
			return v
		}
	}
}

// judge says whether a call reads a body from outside without a limit.
func (b *bodyReview) judge(call *ssa.Call) (bodyRead, bool) {
	fn := calleeOf(&call.Call)
	if fn == nil {
		return bodyRead{}, false
	}
	read := bodyRead{rule: "HC114", pos: call.Pos(), by: callName(fn), Confidence: report.High}
	if s, ok := sinks[fn.FullName()]; ok {
		read.rule, read.Confidence = s.rule, s.Confidence
		if s.request {
			arg := arguments(&call.Call)[s.arg]
			request := b.place(arg)
			request.path += insideContext(arg.Type())
			return b.judgeRequest(read, call, request)
		}
	}
	for _, reader := range b.readers(call) {
		if src := b.source(reader); src.load != nil {
			return b.judgeRequest(read, src.load, src.request)
		}
	}
	return bodyRead{}, false
}

// judgeRequest says whether at an instruction the body of a request from outside has no limit.
func (b *bodyReview) judgeRequest(read bodyRead, at ssa.Instruction, request place) (bodyRead, bool) {
	if request.base == nil || b.limitedBefore(at, request) {
		return read, false
	}
	switch b.whose(request, nil) {
	case fromHandler:
		read.Criticality = report.External
	case fromCaller:
		read.Confidence = report.Low // its callers are in other packages, and may limit it
	case elsewhere:
		return read, false
	}
	if checksLength(at.Parent()) {
		read.Confidence = report.Low // most clients say how much they send
	}
	return read, true
}

type origin int

const (
	elsewhere   origin = iota // a request that this program makes itself, or one that is limited
	fromCaller                // a parameter of a function that nobody in the package calls
	fromHandler               // what a handler was given, perhaps by way of helpers
)

// whose says where a request comes from.
func (b *bodyReview) whose(request place, seen []*ssa.Parameter) origin {
	p, ok := request.base.(*ssa.Parameter)
	if !ok || slices.Contains(seen, p) || len(seen) > 4 {
		return elsewhere
	}
	f := p.Parent()
	sig := f.Signature
	switch {
	case isClient(sig, f.Name()):
		return elsewhere
	case isHandler(sig) || insideContext(p.Type()) != "":
		return fromHandler
	case request.path != "":
		return elsewhere
	}
	calls := b.callers[f]
	if len(calls) == 0 {
		return fromCaller
	}
	i := slices.Index(f.Params, p)
	worst := elsewhere
	for _, call := range calls {
		if i >= len(call.Call.Args) {
			continue
		}
		outer := b.place(call.Call.Args[i])
		if !b.limitedBefore(call, outer) {
			worst = max(worst, b.whose(outer, append(seen, p)))
		}
	}
	return worst
}

// isClient says whether a function handles requests that this program sends.
func isClient(sig *types.Signature, name string) bool {
	if name == "RoundTrip" {
		return true
	}
	for v := range sig.Results().Variables() {
		if isType(v.Type(), "net/http", "Response") {
			return true
		}
	}
	return false
}

// insideContext is how the context of a framework holds its request.
func insideContext(t types.Type) string {
	switch {
	case isType(t, "github.com/gin-gonic/gin", "Context"):
		return ".Request"
	case isType(t, "github.com/labstack/echo/v4", "Context"):
		return ".Request()"
	default:
		return ""
	}
}

// checksLength says whether a function compares the length that a request says it has.
func checksLength(f *ssa.Function) bool {
	for _, block := range f.Blocks {
		for _, instr := range block.Instrs {
			if op, ok := instr.(*ssa.BinOp); ok && (op.Op == token.GTR || op.Op == token.LSS || op.Op == token.GEQ || op.Op == token.LEQ) {
				for _, v := range []ssa.Value{op.X, op.Y} {
					if load, ok := v.(*ssa.UnOp); ok && isField(load.X, "ContentLength") {
						return true
					}
				}
			}
		}
	}
	return false
}

func callName(fn *types.Func) string {
	if recv := fn.Signature().Recv(); recv != nil {
		return fn.Name()
	}
	return path.Base(fn.Pkg().Path()) + "." + fn.Name()
}
