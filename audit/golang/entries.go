package golang

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

type entryKind int

const (
	request    entryKind = iota + 1 // called once for each request
	message                         // called once for each message
	connection                      // called once for each connection
)

// An entry is a function that an outsider's act calls.
type entry struct {
	fn   *ssa.Function
	kind entryKind
	what string        // such as "HTTP handler"
	from *ssa.Function // whose loop calls it, where it is called by one
	site ssa.Instruction
}

// entriesOf finds the functions that are called for what an outsider sends.
func entriesOf(p *program) map[*ssa.Function]entry {
	found := map[*ssa.Function]entry{}
	add := func(e entry) {
		if _, ok := found[e.fn]; !ok && !tests(e.fn) {
			found[e.fn] = e
		}
	}
	for _, fn := range p.funcs {
		if fn.Synthetic != "" && !isInstance(fn) {
			continue
		}
		if what := handlerSignature(fn); what != "" {
			add(entry{fn: fn, kind: request, what: what})
		}
		if what := callbackMethod(fn); what != "" {
			add(entry{fn: fn, kind: message, what: what})
		}
	}
	for _, fn := range grpcMethods(p) {
		add(entry{fn: fn, kind: request, what: "gRPC method"})
	}
	for _, fn := range p.funcs {
		for _, e := range p.graph.out[fn] {
			if e.kind == handed {
				if what := handedCallback(e); what != "" {
					add(entry{fn: e.to, kind: message, what: what})
				}
			}
		}
	}
	return found
}

func isInstance(fn *ssa.Function) bool { return fn.Origin() != nil && fn.Origin() != fn }

// tests leaves out what serves tests: their packages are called so, and nobody outside reaches them.
func tests(fn *ssa.Function) bool {
	pkg := packageOf(fn)
	if pkg == nil {
		return false
	}
	if strings.HasSuffix(pkg.Name(), "test") || strings.HasSuffix(pkg.Name(), "mock") || strings.HasSuffix(pkg.Name(), "mocks") {
		return true
	}
	for part := range strings.SplitSeq(pkg.Path(), "/") {
		switch part {
		case "test", "tests", "testdata", "testutil", "testing", "e2e", "integration":
			return true
		}
	}
	return false
}

// handlerSignature knows handlers by their parameters, since they are registered in more ways than can be followed.
func handlerSignature(fn *ssa.Function) string {
	prm := fn.Signature.Params()
	if prm.Len() >= 2 && isNamed(prm.At(0).Type(), "net/http", "ResponseWriter") && isRequest(prm.At(1).Type()) {
		return "HTTP handler"
	}
	for v := range prm.Variables() {
		what := kindOf(v.Type(), contexts)
		switch {
		case what == "":
		case strings.HasPrefix(what, "Connect"), strings.HasPrefix(what, "hertz"):
			return what
		case v == prm.At(0) && (prm.Len() == 1 || strings.HasPrefix(what, "DNS")):
			return what
		}
	}
	return ""
}

func isRequest(t types.Type) bool {
	_, ptr := types.Unalias(t).(*types.Pointer)
	return ptr && isNamed(t, "net/http", "Request")
}

// callbackMethod knows the methods by which libraries hand over messages through an interface.
func callbackMethod(fn *ssa.Function) string {
	sig := fn.Signature
	if sig.Recv() == nil {
		return ""
	}
	prm := sig.Params()
	switch fn.Name() {
	case "HandleMessage", "OnMessage", "HandleMsg":
		for v := range prm.Variables() {
			if what := kindOf(v.Type(), carriers); what != "" {
				return what
			}
		}
	case "OnTraffic", "React":
		if prm.Len() >= 1 && isNamed(prm.At(prm.Len()-1).Type(), "github.com/panjf2000/gnet", "Conn") {
			return "data of a connection"
		}
	}
	return ""
}

// handedCallback knows callbacks by what they take and by the library they are given to.
func handedCallback(e *edge) string {
	m := invoked(e.site.Common())
	if m.pkg == "github.com/aws/aws-lambda-go/lambda" {
		return "Lambda event"
	}
	for v := range e.to.Signature.Params().Variables() {
		named := namedOf(v.Type())
		if what := kindOf(v.Type(), carriers); what != "" && samePlace(m.pkg, plainPath(named.Obj().Pkg().Path())) {
			return what
		}
	}
	return ""
}

func samePlace(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// grpcMethods returns the methods of the types that implement a service, which generated code declares as the interface
// that Register<Service>Server takes.
func grpcMethods(p *program) []*ssa.Function {
	var services []*types.Interface
	for _, pkg := range p.all {
		if pkg.Types == nil {
			continue
		}
		scope := pkg.Types.Scope()
		for _, name := range scope.Names() {
			if !strings.HasPrefix(name, "Register") || !strings.HasSuffix(name, "Server") {
				continue
			}
			fn, ok := scope.Lookup(name).(*types.Func)
			if !ok || fn.Signature().Params().Len() != 2 {
				continue
			}
			prm := fn.Signature().Params()
			if !isNamed(prm.At(0).Type(), "google.golang.org/grpc", "ServiceRegistrar") && !isNamed(prm.At(0).Type(), "google.golang.org/grpc", "Server") {
				continue
			}
			if service, ok := prm.At(1).Type().Underlying().(*types.Interface); ok && service.NumMethods() > 0 {
				services = append(services, service)
			}
		}
	}
	var found []*ssa.Function
	for _, pkg := range p.own {
		if pkg.Types == nil || len(services) == 0 {
			continue
		}
		scope := pkg.Types.Scope()
		for _, name := range scope.Names() {
			obj, ok := scope.Lookup(name).(*types.TypeName)
			if !ok || obj.IsAlias() || types.IsInterface(obj.Type()) || strings.HasPrefix(name, "Unimplemented") {
				continue
			}
			if named, ok := obj.Type().(*types.Named); !ok || named.TypeParams().Len() > 0 {
				continue
			}
			ptr := types.NewPointer(obj.Type())
			for _, service := range services {
				if !types.Implements(ptr, service) {
					continue
				}
				for m := range service.Methods() {
					o, _, _ := types.LookupFieldOrMethod(ptr, true, m.Pkg(), m.Name())
					f, ok := o.(*types.Func)
					if !ok || f.Pkg() != pkg.Types {
						continue
					}
					if fn := p.ssa.FuncValue(f); fn != nil && len(fn.Blocks) > 0 {
						found = append(found, fn)
					}
				}
			}
		}
	}
	return found
}
