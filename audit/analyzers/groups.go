package analyzers

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

// A groupKind is a type whose method Go starts a goroutine for each call, unless a method of it has set a limit.
type groupKind struct {
	pkg, name string
	types     []string
	starts    []string
	limit     string // the method; "" if there is none
	remedy    string
}

var errgroupKind = groupKind{
	pkg: "golang.org/x/sync/errgroup", name: "errgroup.Group", types: []string{"Group"}, starts: []string{"Go", "TryGo"}, limit: "SetLimit",
	remedy: `Set the limit before the first Go:

	g.SetLimit(16)

or run the tasks as children of a supervisor with a limit:

	for r := range headcount.Stream(ctx, jobs, slices.Values(items), work, headcount.StreamConfig{Concurrency: 16}) {

Choose what the busiest resource behind the tasks takes at once: connections of a database pool, processors.`,
}

var concKinds = []groupKind{
	{
		pkg: "github.com/sourcegraph/conc/pool", name: "conc's pool", limit: "WithMaxGoroutines", starts: []string{"Go"},
		types:  []string{"Pool", "ErrorPool", "ContextPool", "ResultPool", "ResultErrorPool", "ResultContextPool"},
		remedy: concRemedy,
	},
	{
		pkg: "github.com/sourcegraph/conc/stream", name: "conc's stream", limit: "WithMaxGoroutines", starts: []string{"Go"},
		types: []string{"Stream"}, remedy: concRemedy,
	},
	{
		pkg: "github.com/sourcegraph/conc", name: "conc.WaitGroup", starts: []string{"Go"}, types: []string{"WaitGroup"},
		remedy: `A conc.WaitGroup has no limit. Use a pool that has:

	p := pool.New().WithMaxGoroutines(16)`,
	},
}

const concRemedy = `Give it a limit:

	p := pool.New().WithMaxGoroutines(16)

Choose what the busiest resource behind the tasks takes at once: connections of a database pool, processors.`

var errgroupWithoutLimit = rule{
	id: "HC120", name: "errgroup-without-limit", confidence: report.Medium,
	summary: "an errgroup without SetLimit starts a goroutine for each item",
	run:     func(u *unit) error { return findUnlimitedGroups(u, errgroupKind) },
}

func findUnlimitedGroups(u *unit, kinds ...groupKind) error {
	for c, fn := range u.calls(u.root) {
		for _, k := range kinds {
			if !slices.ContainsFunc(k.types, func(t string) bool { return isMethod(fn, k.pkg, t, k.starts...) }) {
				continue
			}
			u.judgeGroup(c, k)
		}
	}
	return nil
}

func (u *unit) judgeGroup(at inspector.Cursor, k groupKind) {
	call := at.Node().(*ast.CallExpr)
	recv := receiverOf(call)
	if recv == nil {
		return
	}
	group := u.object(recv)
	if group == nil || u.groupLimited(group, k) {
		return
	}
	p := Problem{Remedy: k.remedy, Criticality: u.criticality(at)}
	_, how, looped := u.loopAround(at, group)
	switch {
	case looped && how == endless:
		p.Message = fmt.Sprintf("%s without a limit starts a goroutine for each message of a loop that does not end", k.name)
		p.Confidence = report.High
		p.Criticality = max(p.Criticality, report.Unbounded)
	case looped:
		p.Message = fmt.Sprintf("%s without a limit starts a goroutine for each item", k.name)
		switch {
		case u.limitsItself(call):
			p.Confidence = report.Low
		case p.Criticality == report.External:
			p.Confidence = report.Medium
		default:
			p.Confidence, p.Reached = report.Low, report.Medium // most collections of a program's own are small
		}
	case p.Criticality == report.External && outlives(at, group):
		p.Message = fmt.Sprintf("%s without a limit starts a goroutine for each request or message", k.name)
		p.Confidence = report.High
	default:
		return
	}
	u.report(at, p)
}

// limitsItself says whether the function that is started begins by waiting for a slot: there are as many goroutines, but few at
// work.
func (u *unit) limitsItself(start *ast.CallExpr) bool {
	for _, arg := range start.Args {
		if f, ok := ast.Unparen(arg).(*ast.FuncLit); ok {
			for _, s := range f.Body.List {
				if u.token(s) || u.acquireIn(s) {
					return true
				}
			}
		}
	}
	return false
}

// outlives says whether a variable is declared outside of the functions around a node.
func outlives(at inspector.Cursor, obj types.Object) bool {
	var outermost ast.Node
	for c := range at.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		outermost = c.Node()
	}
	return outermost != nil && (obj.Pos() < outermost.Pos() || outermost.End() <= obj.Pos())
}

// groupLimited says whether a group has a limit, or comes from where that is not known.
func (u *unit) groupLimited(group types.Object, k groupKind) bool {
	for c, fn := range u.calls(u.root) {
		if k.limit == "" || fn.Name() != k.limit {
			continue
		}
		call := c.Node().(*ast.CallExpr)
		n, constant := u.intValue(call.Args[0])
		if recv := receiverOf(call); recv != nil && u.object(recv) == group && !(constant && (n < 0 || n >= vastNumber)) {
			return true
		}
	}
	v, ok := group.(*types.Var)
	if !ok {
		return true
	}
	given := u.given()[group]
	if len(given) == 0 {
		// A zero value, or a parameter, of which the caller knows.
		return v.Kind() == types.ParamVar || v.Kind() == types.RecvVar || v.IsField() && v.Exported()
	}
	return slices.ContainsFunc(given, func(e ast.Expr) bool { return !u.newGroup(e, k) })
}

// newGroup says whether an expression makes a group without a limit.
func (u *unit) newGroup(e ast.Expr, k groupKind) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return u.newGroup(e.X, k)
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && u.TypesInfo.Uses[id] == types.Universe.Lookup("new") {
			return true
		}
		fn, ok := u.callee(e)
		if !ok || fn.Pkg() == nil || fn.Pkg().Path() != k.pkg || fn.Name() == k.limit {
			return false
		}
		if recv := receiverOf(e); recv != nil && fn.Signature().Recv() != nil {
			// pool.New().WithErrors(): what it was before decides, unless that is the group itself.
			if _, chain := ast.Unparen(recv).(*ast.CallExpr); chain {
				return u.newGroup(recv, k)
			}
		}
		return true
	}
	return false
}
