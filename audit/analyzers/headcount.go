package analyzers

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/headcount-go/headcount/audit/report"
)

// The packages of Headcount itself.
const (
	headcountRoot     = "github.com/headcount-go/headcount"
	headcountEndpoint = headcountRoot + "/endpoint"
)

// unlimited says whether an expression is headcount.Unlimited, which is math.MaxInt under another name.
func (u *unit) unlimited(e ast.Expr) bool {
	v := u.TypesInfo.Types[e].Value
	if v == nil || v.Kind() != constant.Int {
		return false
	}
	n, exact := constant.Int64Val(v)
	return exact && (n == 1<<63-1 || n == 1<<31-1 && u.TypesSizes.Sizeof(types.Typ[types.Int]) == 4)
}

var headcountUnlimited = rule{
	id: "HC140", name: "headcount-unlimited", confidence: report.High,
	summary: "a supervisor or an endpoint of Headcount has Unlimited as its limit",
	run:     findHeadcountUnlimited,
}

func findHeadcountUnlimited(u *unit) error {
	sure := report.High
	for c, fn := range u.calls(u.root) {
		if isFunc(fn, headcountRoot, "MaxDescendants") && !u.unlimited(c.Node().(*ast.CallExpr).Args[0]) {
			sure = report.Low // a limit above may hold all of it
		}
	}
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		switch {
		case isFunc(fn, headcountRoot, "MaxChildren") && u.unlimited(call.Args[0]):
			u.report(c, Problem{
				Message: "MaxChildren(Unlimited): this supervisor holds any number of children",
				Remedy: `Give it a number. It can be changed while the program runs:

	headcount.MaxChildren(64)

Measure what one child holds in memory, and give it the share that it may have. The page and the metrics show the peak; twice that is a good start.`,
				Confidence:  sure,
				Criticality: max(u.criticality(c), report.Unbounded),
			})
		case isFunc(fn, headcountRoot, "MaxDescendants") && u.unlimited(call.Args[0]):
			u.report(c, Problem{
				Message:     "MaxDescendants(Unlimited) limits nothing: leave it out, or give it a number",
				Remedy:      "	headcount.MaxDescendants(10_000)",
				Confidence:  report.Medium,
				Criticality: max(u.criticality(c), report.Unbounded),
			})
		case isFunc(fn, headcountRoot, "NewGate") && len(call.Args) > 1 && u.unlimited(call.Args[1]):
			u.report(c, Problem{
				Message:     "this gate has Unlimited as its limit: it lets everything through",
				Remedy:      "Give it a number; it can be changed while the program runs.",
				Confidence:  report.Medium,
				Criticality: max(u.criticality(c), report.Unbounded),
			})
		}
	}
	for c := range u.root.Preorder((*ast.CompositeLit)(nil)) {
		lit := c.Node().(*ast.CompositeLit)
		if !named(u.TypesInfo.TypeOf(lit), headcountEndpoint, "Limits") {
			continue
		}
		for _, e := range lit.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok || !u.unlimited(kv.Value) {
				continue
			}
			at, ok := c.FindNode(kv)
			if !ok {
				continue
			}
			field := u.text(kv.Key)
			u.report(at, Problem{
				Message:     fmt.Sprintf("an endpoint whose %s is Unlimited has one layer of its defence less", field),
				Remedy:      "Leave " + field + " out for its default, or give it a number; most of them can be changed while the program runs.",
				Confidence:  report.High,
				Criticality: report.External,
			})
		}
	}
	return nil
}

var headcountKey = rule{
	id: "HC141", name: "headcount-key-without-limit", confidence: report.Medium,
	summary: "one key of a supervisor can take all of its slots",
	run:     findUnlimitedKeys,
}

func findUnlimitedKeys(u *unit) error {
	for c, fn := range u.calls(u.root) {
		call := c.Node().(*ast.CallExpr)
		switch {
		case isFunc(fn, headcountRoot, "NewKeyedSupervisor") && len(call.Args) >= 3:
			perKey, ok := u.origin(call.Args[2]).(*ast.CallExpr)
			if !ok || len(perKey.Args) == 0 || !u.unlimited(perKey.Args[0]) {
				continue
			}
			if fn, ok := u.callee(perKey); !ok || !isFunc(fn, headcountRoot, "MaxPerKey") {
				continue
			}
			if call.Ellipsis.IsValid() || u.hasOption(call, headcountRoot, "KeyShare", "MaxPerKeyFunc") {
				continue
			}
			p := Problem{
				Message: "MaxPerKey(Unlimited): one key can take all the slots of this supervisor",
				Remedy: `Give a key what one honest user needs, or at most a share of what is free:

	headcount.MaxPerKey(8)
	headcount.MaxPerKey(64), headcount.KeyShare(0.25)`,
				Confidence:  report.Medium,
				Criticality: report.UserOwned,
			}
			if u.keyFromOutside(c) {
				p.Confidence, p.Criticality = report.High, report.External
			}
			u.report(c, p)
		case isMethod(fn, headcountRoot, "DynamicSupervisor", "Go", "StartChild", "Do"):
			if u.criticality(c) != report.External {
				continue
			}
			u.report(c, Problem{
				Message: "a child for each request or message under a supervisor without keys: one client can take all of its slots",
				Remedy: `Count by client or user:

	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50_000), headcount.MaxPerKey(8))
	_, err := users.At(userID).Go(ctx, session.Run)`,
				Confidence:  report.Low, // an endpoint in front may have the limit of a client
				Criticality: report.External,
			})
		}
	}
	return nil
}

// keyFromOutside says whether the supervisor that a call makes is asked for a key where a request or a message is handled.
func (u *unit) keyFromOutside(c inspector.Cursor) bool {
	holder, _ := u.holder(c)
	for use, fn := range u.calls(u.root) {
		if !isMethod(fn, headcountRoot, "KeyedSupervisor", "At") {
			continue
		}
		recv := receiverOf(use.Node().(*ast.CallExpr))
		if recv != nil && (holder == nil || u.object(recv) == holder) && u.criticality(use) == report.External {
			return true
		}
	}
	return false
}

var headcountOutsideTree = rule{
	id: "HC142", name: "headcount-outside-tree", confidence: report.Medium,
	summary: "a supervisor of Headcount is started by itself, outside of a tree",
	run: func(u *unit) error {
		stops := map[types.Object]bool{}
		for c, fn := range u.calls(u.root) {
			if isHeadcountNode(fn, "Stop") {
				stops[u.object(receiverOf(c.Node().(*ast.CallExpr)))] = true
			}
		}
		for c, fn := range u.calls(u.root) {
			if !isHeadcountNode(fn, "Start") {
				continue
			}
			recv := receiverOf(c.Node().(*ast.CallExpr))
			if recv == nil || !isType(u.TypesInfo.TypeOf(recv), headcountRoot, "DynamicSupervisor") && !isType(u.TypesInfo.TypeOf(recv), headcountRoot, "KeyedSupervisor") {
				continue
			}
			p := Problem{
				Message: "this supervisor is started by itself: nobody restarts it when it gives up, no limit of a tree counts its children, and it is not on the page",
				Remedy: `Put it into the tree, which starts and stops it:

	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{}, ` + u.text(recv) + `)
	os.Exit(headcount.Main(ctx, app, headcount.MainConfig{}))`,
				Confidence:  report.Medium,
				Criticality: report.Internal,
			}
			if stops[u.object(recv)] {
				p.Confidence = report.Low // who starts it looks after it
			}
			u.report(c, p)
		}
		return nil
	},
}

// isHeadcountNode says whether fn is the method of a supervisor. The method may be that of a type embedded in it.
func isHeadcountNode(fn *types.Func, method string) bool {
	recv := fn.Signature().Recv()
	if fn.Name() != method || recv == nil || fn.Pkg() == nil {
		return false
	}
	return fn.Pkg().Path() == headcountRoot
}

var headcountNotPlaced = rule{
	id: "HC143", name: "headcount-never-started", confidence: report.High,
	summary: "a supervisor of Headcount is made, used, and neither started nor placed in a tree",
	run: func(u *unit) error {
		for c, fn := range u.calls(u.root) {
			if !isFunc(fn, headcountRoot, "NewDynamicSupervisor", "NewKeyedSupervisor", "NewSupervisor") && !isFunc(fn, headcountEndpoint, "New", "NewTCP") {
				continue
			}
			holder, ours := u.holder(c)
			v, ok := holder.(*types.Var)
			if !ok || !ours || u.open(v) || u.placed(holder) {
				continue
			}
			u.report(c, Problem{
				Message: fmt.Sprintf("%s is neither placed in a tree nor started: every start of a child gives ErrNotRunning", holder.Name()),
				Remedy: `Give it to the supervisor that it belongs to:

	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{}, ` + holder.Name() + `)`,
				Confidence:  report.High,
				Criticality: report.Internal,
			})
		}
		return nil
	},
}

// placed says whether what a variable holds is given to anything, or started.
func (u *unit) placed(obj types.Object) bool {
	if u.escapes(obj) {
		return true
	}
	for c := range u.root.Preorder((*ast.SelectorExpr)(nil)) {
		s := c.Node().(*ast.SelectorExpr)
		if u.object(s.X) == obj && slices.Contains([]string{"Start", "ChildSpec", "Supervisor"}, s.Sel.Name) {
			return true
		}
	}
	// x.f of an embedding struct, by which its methods are promoted.
	if v, ok := obj.(*types.Var); ok && v.Embedded() {
		return true
	}
	return strings.HasPrefix(obj.Name(), "_")
}
