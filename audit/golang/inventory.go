package golang

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/headcount-go/headcount/audit/report"
)

// A maker is a function that makes a supervisor, a pool, a group or a server, and how its limit is read from the call.
type maker struct {
	kind  string
	limit func(*making) report.Limit
	// starts are the methods that start its children. Without any, what it makes is open to outsiders by itself.
	starts []string
}

// A making is one call of a maker.
type making struct {
	p    *program
	pkg  *packages.Package
	call *ast.CallExpr
	made ssa.CallInstruction // nil where the code around it does not compile
}

// result is what the call returns; nil for one whose result nobody has, such as that of a go statement.
func (m *making) result() ssa.Value {
	if call, ok := m.made.(*ssa.Call); ok {
		return call
	}
	return nil
}

const headcountPath = "github.com/headcount-go/headcount"

var childStarts = []string{"Go", "Do", "StartChild", "At"}

var makers = map[method]maker{
	{headcountPath, "", "NewSupervisor"}:                 {"headcount.NewSupervisor", writtenDown, nil},
	{headcountPath, "", "NewDynamicSupervisor"}:          {"headcount.NewDynamicSupervisor", childLimit, childStarts},
	{headcountPath, "", "NewKeyedSupervisor"}:            {"headcount.NewKeyedSupervisor", childLimit, childStarts},
	{headcountPath + "/endpoint", "", "New"}:             {"endpoint.New", endpointLimit, nil},
	{headcountPath + "/endpoint", "", "NewTCP"}:          {"endpoint.NewTCP", endpointLimit, nil},
	{headcountPath + "/endpoint", "", "NewListener"}:     {"endpoint.NewListener", endpointLimit, nil},
	{headcountPath + "/endpoint", "", "NewLimitHandler"}: {"endpoint.NewLimitHandler", endpointLimit, nil},

	{"golang.org/x/sync/errgroup", "", "WithContext"}:    {"errgroup.Group", setLimit, []string{"Go", "TryGo"}},
	{"github.com/sourcegraph/conc/pool", "", "New"}:      {"conc pool.Pool", setLimit, []string{"Go"}},
	{"github.com/panjf2000/ants", "", "NewPool"}:         {"ants.Pool", argument(0), []string{"Submit"}},
	{"github.com/panjf2000/ants", "", "NewPoolWithFunc"}: {"ants.PoolWithFunc", argument(0), []string{"Invoke"}},
	{"github.com/panjf2000/ants", "", "NewMultiPool"}:    {"ants.MultiPool", argument(1), []string{"Submit"}},
	{"github.com/alitto/pond", "", "New"}:                {"pond.WorkerPool", argument(0), []string{"Submit", "TrySubmit"}},
	{"github.com/alitto/pond", "", "NewPool"}:            {"pond.Pool", argument(0), []string{"Submit", "Go"}},
	{"github.com/alitto/pond", "", "NewResultPool"}:      {"pond.ResultPool", argument(0), []string{"Submit"}},
	{"github.com/gammazero/workerpool", "", "New"}:       {"workerpool.WorkerPool", argument(0), []string{"Submit", "SubmitWait"}},
	{"github.com/Jeffail/tunny", "", "NewFunc"}:          {"tunny.Pool", argument(0), []string{"Process"}},
	{"github.com/Jeffail/tunny", "", "NewCallback"}:      {"tunny.Pool", argument(0), []string{"Process"}},
	{"github.com/thejerf/suture", "", "New"}:             {"suture.Supervisor", limitless, []string{"Add"}},
	{"github.com/thejerf/suture", "", "NewSimple"}:       {"suture.Supervisor", limitless, []string{"Add"}},

	{"net/http", "", "ListenAndServe"}:                {"net/http server", limitless, nil},
	{"net/http", "", "ListenAndServeTLS"}:             {"net/http server", limitless, nil},
	{"net/http", "", "Serve"}:                         {"net/http server", served, nil},
	{"net/http", "", "ServeTLS"}:                      {"net/http server", served, nil},
	{"net/http", "Server", "ListenAndServe"}:          {"net/http server", limitless, nil},
	{"net/http", "Server", "ListenAndServeTLS"}:       {"net/http server", limitless, nil},
	{"net/http", "Server", "Serve"}:                   {"net/http server", served, nil},
	{"net/http", "Server", "ServeTLS"}:                {"net/http server", served, nil},
	{"google.golang.org/grpc", "Server", "Serve"}:     {"gRPC server", served, nil},
	{"golang.org/x/net/netutil", "", "LimitListener"}: {"netutil.LimitListener", argument(1), nil},
}

// supervisors lists every place of the packages that the review is about where something is made that holds children,
// tasks or connections.
func (p *program) supervisors() []report.Supervisor {
	made := map[token.Pos]ssa.CallInstruction{}
	for _, fn := range p.funcs {
		for _, b := range fn.Blocks {
			for _, i := range b.Instrs {
				if call, ok := i.(ssa.CallInstruction); ok && made[call.Common().Pos()] == nil {
					if _, ok := makers[calleeOf(call.Common())]; ok {
						made[call.Common().Pos()] = call
					}
				}
			}
		}
	}
	var found []report.Supervisor
	for _, pkg := range p.own {
		if !p.asked[pkg.ID] || pkg.TypesInfo == nil {
			continue
		}
		for _, f := range pkg.Syntax {
			for _, d := range f.Decls {
				symbol := pkg.PkgPath
				if decl, ok := d.(*ast.FuncDecl); ok {
					if fn, ok := pkg.TypesInfo.Defs[decl.Name].(*types.Func); ok {
						symbol = declared(fn)
					}
				}
				ast.Inspect(d, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.CallExpr:
						if callee := typeutil.StaticCallee(pkg.TypesInfo, n); callee != nil {
							if k, ok := makers[methodOf(callee)]; ok {
								found = append(found, p.supervisor(k, &making{p, pkg, n, made[n.Lparen]}, symbol))
							}
						}
					case *ast.ValueSpec:
						found = append(found, p.zeroGroups(pkg, n, symbol)...)
					}
					return true
				})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b report.Supervisor) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	return found
}

// declared is the symbol of a function as it is declared, for code that no SSA form was made of.
func declared(fn *types.Func) string {
	name := fn.Name()
	if recv := fn.Signature().Recv(); recv != nil {
		if named := namedOf(recv.Type()); named != nil {
			name = named.Obj().Name() + "." + name
		}
	}
	return fn.Pkg().Path() + "." + name
}

func (p *program) supervisor(k maker, m *making, symbol string) report.Supervisor {
	s := report.Supervisor{
		Position: p.at(m.call.Pos()), Language: "go", Kind: k.kind, Name: m.name(), Symbol: symbol, Limit: k.limit(m),
	}
	if made := m.result(); made != nil {
		s.Criticality, s.Reach = p.use(made, k.starts)
		p.uses = append(p.uses, use{m.call.Pos(), m.call.End(), s.Criticality, s.Reach})
	}
	switch {
	case strings.HasPrefix(k.kind, "net/http"), strings.HasPrefix(k.kind, "gRPC"), strings.HasPrefix(k.kind, "endpoint"), strings.HasPrefix(k.kind, "netutil"):
		s.Criticality = report.External
	}
	if k.kind == "headcount.NewSupervisor" {
		s.Strategy, s.Restarts = m.static()
		s.Criticality = report.Internal
	}
	return s
}

// A use is who starts children on what a call makes.
type use struct {
	from, to token.Pos // of the call
	report.Criticality
	reach []report.Step
}

// use finds the most critical place where children are started on what a call made.
func (p *program) use(made ssa.Value, starts []string) (report.Criticality, []report.Step) {
	best, way := report.NotKnown, []report.Step(nil)
	look := func(calls []ssa.CallInstruction) {
		for _, call := range calls {
			name := calleeOf(call.Common()).name
			if !slices.Contains(starts, name) {
				continue
			}
			c, steps := p.reached(call.Parent(), verdict{})
			if c > best {
				best = c
				if len(steps) > 0 {
					way = append(steps, report.Step{Name: name, Position: p.at(call.Pos())})
				}
			}
		}
	}
	look(p.index.calls[p.index.place(made)])
	for _, ref := range *made.Referrers() {
		if ex, ok := ref.(*ssa.Extract); ok {
			look(p.index.calls[p.index.place(ex)])
		}
	}
	return best, way
}

// zeroGroups finds variables of type errgroup.Group, which need no call to be made.
func (p *program) zeroGroups(pkg *packages.Package, spec *ast.ValueSpec, symbol string) []report.Supervisor {
	var found []report.Supervisor
	for _, name := range spec.Names {
		obj, ok := pkg.TypesInfo.Defs[name].(*types.Var)
		if !ok || !isNamed(obj.Type(), "golang.org/x/sync/errgroup", "Group") {
			continue
		}
		if _, ptr := obj.Type().(*types.Pointer); ptr {
			continue
		}
		s := report.Supervisor{
			Position: p.at(name.Pos()), Language: "go", Kind: "errgroup.Group", Name: name.Name, Symbol: symbol,
			Limit: report.Limit{State: report.Unlimited},
		}
		for _, fn := range p.funcs {
			for _, b := range fn.Blocks {
				for _, i := range b.Instrs {
					if a, ok := i.(*ssa.Alloc); ok && a.Pos() == name.Pos() {
						s.Limit = p.groupLimit(a)
						s.Criticality, s.Reach = p.use(a, []string{"Go", "TryGo"})
					}
				}
			}
		}
		found = append(found, s)
	}
	return found
}

// argumentText is the first argument of a call as it is written.
func (p *program) argumentText(call ssa.CallInstruction) string {
	at := call.Common().Pos()
	for _, pkg := range p.own {
		for _, f := range pkg.Syntax {
			if at < f.FileStart || at > f.FileEnd {
				continue
			}
			path, _ := astutil.PathEnclosingInterval(f, at, at)
			for _, n := range path {
				if c, ok := n.(*ast.CallExpr); ok && c.Lparen == at && len(c.Args) > 0 {
					return textOf(c.Args[0])
				}
			}
		}
	}
	return ""
}

// groupLimit reads the SetLimit of a group.
func (p *program) groupLimit(group ssa.Value) report.Limit {
	for _, call := range p.index.calls[p.index.place(group)] {
		c := call.Common()
		if m := calleeOf(c); m.name != "SetLimit" && m.name != "WithMaxGoroutines" || len(c.Args) < 2 {
			continue
		}
		k, ok := c.Args[1].(*ssa.Const)
		switch {
		case !ok || k.Value == nil:
			return report.Limit{State: report.Expression, Text: p.argumentText(call)}
		case constant.Sign(k.Value) >= 0:
			return report.Limit{State: report.Set, Value: k.Int64(), Text: k.Value.ExactString()}
		}
	}
	return report.Limit{State: report.Unlimited}
}
