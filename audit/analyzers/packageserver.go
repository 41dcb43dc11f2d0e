package analyzers

import (
	"fmt"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

var packageServer = rule{
	id: "HC112", name: "listen-and-serve", confidence: report.High,
	summary: "a function serves HTTP without any timeout, and leaves no place to set one",
	run:     findPackageServers,
}

// argument of each function of net/http that serves; the address is the first one of the others.
var servesListener = map[string]bool{"Serve": true, "ServeTLS": true}

func findPackageServers(u *unit) error {
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		switch {
		case isFunc(fn, "net/http", "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS"):
			p := Problem{
				Message:     fmt.Sprintf("http.%s serves without any timeout: a client that sends nothing, or a byte now and then, holds its connection for ever", fn.Name()),
				Remedy:      serverRemedy,
				Confidence:  report.High,
				Criticality: report.External,
				Fixes:       u.makeServer(c, fn, call),
			}
			if len(call.Args) > 0 && u.onlyLocal(call.Args[0], servesListener[fn.Name()]) {
				p.Criticality = report.Internal
			}
			u.report(c, p)
		case isMethod(fn, "github.com/gin-gonic/gin", "Engine", "Run", "RunTLS", "RunUnix", "RunFd", "RunListener"):
			p := Problem{
				Message:     fmt.Sprintf("gin's %s serves without any timeout: a client that sends nothing, or a byte now and then, holds its connection for ever", fn.Name()),
				Remedy:      serverRemedy,
				Confidence:  report.High,
				Criticality: report.External,
			}
			local := fn.Name() == "RunUnix"
			if len(call.Args) > 0 {
				local = local || u.onlyLocal(call.Args[0], fn.Name() == "RunListener")
			}
			if local {
				p.Criticality = report.Internal
			}
			u.report(c, p)
		}
	}
	return nil
}

const serverRemedy = `Serve with a server that has timeouts:

	srv := &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	err := srv.ListenAndServe()

or as a child, with limits on connections too:

	endpoint.New("web", addr, handler, endpoint.Limits{Conns: 20_000, ConnsPerClient: 64})

ReadHeaderTimeout is what an honest client with a bad line needs for a header: 5 to 10 s.`

// onlyLocal says whether an address, or the listener on one, is known to be reached from this machine alone.
func (u *unit) onlyLocal(e ast.Expr, listener bool) bool {
	e = u.origin(e)
	call, ok := e.(*ast.CallExpr)
	if !listener {
		if ok && len(call.Args) == 3 {
			if fn, known := u.callee(call); known && isFunc(fn, "flag", "String") {
				e = call.Args[1] // local unless somebody asks for more
			}
		}
		addr, constant := u.stringValue(e)
		return constant && loopback(addr)
	}
	if !ok || len(call.Args) < 2 {
		return false
	}
	fn, ok := u.callee(call)
	if !ok || !isFunc(fn, "net", "Listen") && !isFunc(fn, "crypto/tls", "Listen") {
		return false
	}
	if network, ok := u.stringValue(call.Args[0]); ok && network == "unix" {
		return true
	}
	return u.onlyLocal(call.Args[1], false)
}

// makeServer replaces the call by one of a server with timeouts, where the call has the shape for it.
func (u *unit) makeServer(at inspector.Cursor, fn *types.Func, call *ast.CallExpr) []analysis.SuggestedFix {
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	pkg, ok := fun.X.(*ast.Ident)
	if !ok {
		return nil
	}
	var fields, args string
	switch {
	case fn.Name() == "ListenAndServe" && len(call.Args) == 2:
		fields = "Addr: " + u.text(call.Args[0]) + ", "
	case fn.Name() == "ListenAndServeTLS" && len(call.Args) == 4:
		fields = "Addr: " + u.text(call.Args[0]) + ", "
		args = u.text(call.Args[1]) + ", " + u.text(call.Args[2])
	case fn.Name() == "Serve" && len(call.Args) == 2:
		args = u.text(call.Args[0])
	case fn.Name() == "ServeTLS" && len(call.Args) == 4:
		args = u.text(call.Args[0]) + ", " + u.text(call.Args[2]) + ", " + u.text(call.Args[3])
	default:
		return nil
	}
	handler := call.Args[len(call.Args)-1]
	if fn.Name() == "ServeTLS" {
		handler = call.Args[1]
	}
	if u.TypesInfo.Types[handler].IsNil() {
		handler = nil
	} else {
		fields += "Handler: " + u.text(handler) + ", "
	}
	name, edits, ok := u.importTime(at)
	if !ok {
		return nil
	}
	server := fmt.Sprintf("(&%s.Server{%sReadHeaderTimeout: 10 * %s.Second, IdleTimeout: 2 * %s.Minute}).%s(%s)",
		pkg.Name, fields, name, name, fn.Name(), args)
	return []analysis.SuggestedFix{{
		Message:   "Serve with a server that has timeouts",
		TextEdits: append(edits, analysis.TextEdit{Pos: call.Pos(), End: call.End(), NewText: []byte(server)}),
	}}
}
