package analyzers

import (
	"go/ast"
	"go/types"
	"go/version"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

var timerPerItem = rule{
	id: "HC130", name: "timer-per-item", confidence: report.Medium,
	summary: "a timer that nobody stops is started for each item or request",
	run: func(u *unit) error {
		for c, fn := range u.calls(u.root) {
			if !isFunc(fn, "time", "AfterFunc") || u.stopped(c, "Stop") {
				continue
			}
			p, ok := u.perItem(c)
			if !ok {
				continue
			}
			p.Message = "time.AfterFunc is started " + p.Message + " and never stopped: until it fires it keeps all that its function uses, and each one fires on a goroutine of its own"
			p.Remedy = `Keep the timer and stop it when what it watches over has ended:

	t := time.AfterFunc(d, expire)
	defer t.Stop()

or have one timer for all: a queue by time, swept by one goroutine. As a child of a supervisor with a limit:

	_, err := jobs.Go(ctx, expire, headcount.WithLifetime(d))`
			if d, constant := u.intValue(c.Node().(*ast.CallExpr).Args[0]); constant && d <= 1e9 {
				p.Confidence = report.Low // it fires within a second
			}
			u.report(c, p)
		}
		return nil
	},
}

var contextFuncPerItem = rule{
	id: "HC131", name: "context-afterfunc-per-item", confidence: report.Medium,
	summary: "a function is registered for each item with a context that outlives it",
	run: func(u *unit) error {
		for c, fn := range u.calls(u.root) {
			if !isFunc(fn, "context", "AfterFunc") || u.stopped(c, "") {
				continue
			}
			p, ok := u.perItem(c)
			if !ok || !u.contextOutlives(c) {
				continue
			}
			p.Message = "context.AfterFunc is registered " + p.Message + " with a context that outlives it, and its stop is thrown away: the registrations pile up until that context ends, and then each fires on a goroutine of its own"
			p.Remedy = `Call stop when what the function watches over has ended:

	stop := context.AfterFunc(ctx, f)
	defer stop()`
			u.report(c, p)
		}
		return nil
	},
}

var tickerPerItem = rule{
	id: "HC132", name: "ticker-per-item", confidence: report.High,
	summary: "a ticker that nobody stops is started for each item or request, in a module older than Go 1.23",
	run: func(u *unit) error {
		for c, fn := range u.calls(u.root) {
			if !isFunc(fn, "time", "Tick", "NewTicker") || !u.beforeGo123(c) {
				continue // since Go 1.23 what nobody holds is collected
			}
			if fn.Name() == "NewTicker" && u.stopped(c, "Stop") {
				continue
			}
			p, ok := u.perItem(c)
			if !ok {
				continue
			}
			p.Message = "time." + fn.Name() + " is called " + p.Message + " and never stopped: before Go 1.23 such a ticker is never collected"
			p.Remedy = `Stop it:

	t := time.NewTicker(d)
	defer t.Stop()

or raise the go line of go.mod to 1.23, from which a ticker that nobody holds is collected.`
			p.Confidence = report.High
			u.report(c, p)
		}
		return nil
	},
}

// perItem says whether a call is made for each item of a loop or for each request, and how to say that.
func (u *unit) perItem(c inspector.Cursor) (Problem, bool) {
	p := Problem{Confidence: report.Medium, Criticality: u.criticality(c)}
	_, how, looped := u.loopAround(c, nil)
	switch {
	case looped && how == endless:
		p.Message = "in a loop that does not end"
		p.Criticality = max(p.Criticality, report.Unbounded)
	case p.Criticality == report.External:
		p.Message = "for each request or message"
	case looped:
		p.Message = "for each item"
		p.Confidence, p.Reached = report.Low, report.Medium
	default:
		return p, false
	}
	return p, true
}

// stopped says whether what a call gives is used to end it: a method of the name is called on it, or it is handed on to somebody
// who may. With an empty name it is a function that has to be called.
func (u *unit) stopped(c inspector.Cursor, method string) bool {
	call := c.Node()
	switch c.ParentEdgeKind() {
	case edge.ExprStmt_X:
		return false
	case edge.SelectorExpr_X:
		return c.Parent().Node().(*ast.SelectorExpr).Sel.Name == method
	}
	var holder types.Object
	switch parent := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		for i, v := range parent.Rhs {
			if v != call || len(parent.Lhs) != len(parent.Rhs) {
				continue
			}
			if id, ok := parent.Lhs[i].(*ast.Ident); ok && id.Name == "_" {
				return false
			}
			holder = u.object(parent.Lhs[i])
		}
	case *ast.ValueSpec:
		if len(parent.Names) == 1 {
			holder = u.TypesInfo.ObjectOf(parent.Names[0])
		}
	case *ast.RangeStmt: // for range time.Tick(d)
		return false
	case *ast.UnaryExpr: // <-time.Tick(d)
		return false
	}
	v, ok := holder.(*types.Var)
	if !ok || v.IsField() && v.Exported() {
		return true // not known: it may be
	}
	if method == "" {
		return u.called(holder) || u.escapes(holder)
	}
	for use := range u.root.Preorder((*ast.SelectorExpr)(nil)) {
		s := use.Node().(*ast.SelectorExpr)
		if (s.Sel.Name == method || s.Sel.Name == "Reset") && u.object(s.X) == holder {
			return true
		}
	}
	return u.escapes(holder)
}

// called says whether a variable that holds a function is called or deferred.
func (u *unit) called(obj types.Object) bool {
	for c := range u.root.Preorder((*ast.CallExpr)(nil)) {
		if u.object(c.Node().(*ast.CallExpr).Fun) == obj {
			return true
		}
	}
	return false
}

// contextOutlives says whether the context that a call is given was there before the handler or the round of the loop began.
// What is derived from a request ends with it.
func (u *unit) contextOutlives(c inspector.Cursor) bool {
	ctx := u.object(c.Node().(*ast.CallExpr).Args[0])
	if ctx == nil {
		return false // r.Context(), or what is made on the spot
	}
	_, _, looped := u.loopAround(c, ctx) // one in which it is not made anew
	return looped || outlives(c, ctx)
}

// beforeGo123 says whether the file is of a module that has the timers of older versions of Go.
func (u *unit) beforeGo123(c inspector.Cursor) bool {
	for f := range c.Enclosing((*ast.File)(nil)) {
		v := u.TypesInfo.FileVersions[f.Node().(*ast.File)]
		return v != "" && version.Compare(v, "go1.23") < 0
	}
	return false
}
