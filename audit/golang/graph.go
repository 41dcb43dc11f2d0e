package golang

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/callgraph/cha"
	"golang.org/x/tools/go/callgraph/vta"
	"golang.org/x/tools/go/ssa"
)

// graph says who calls whom. A function that is handed to another module is taken to be called where it is handed over.
type graph struct {
	out, in map[*ssa.Function][]*edge
}

type edgeKind int

const (
	called  edgeKind = iota
	started          // by a go statement, or by what does the same
	handed           // to a function of another module, which may call it
)

type edge struct {
	from, to *ssa.Function
	site     ssa.CallInstruction
	kind     edgeKind
	choices  int // how many functions the call may mean; 1 where it is certain
}

// mostChoices bounds what a call that VTA cannot resolve may mean. Past it the call graph would say that everything calls everything.
const mostChoices = 4

func newGraph(p *program) *graph {
	g := &graph{out: map[*ssa.Function][]*edge{}, in: map[*ssa.Function][]*edge{}}
	all := make(map[*ssa.Function]bool, len(p.funcs))
	for _, fn := range p.funcs {
		all[fn] = true
	}
	coarse := cha.CallGraph(p.ssa)
	fine := vta.CallGraph(all, coarse)
	for _, fn := range p.funcs {
		dynamic := map[ssa.CallInstruction][]*ssa.Function{}
		if n := fine.Nodes[fn]; n != nil {
			for _, e := range n.Out {
				if len(e.Callee.Func.Blocks) > 0 && !slices.Contains(dynamic[e.Site], e.Callee.Func) {
					dynamic[e.Site] = append(dynamic[e.Site], e.Callee.Func)
				}
			}
		}
		unresolved := map[ssa.CallInstruction][]*ssa.Function{}
		if n := coarse.Nodes[fn]; n != nil {
			for _, e := range n.Out {
				if e.Site != nil && e.Site.Common().IsInvoke() && len(e.Callee.Func.Blocks) > 0 && len(dynamic[e.Site]) == 0 {
					unresolved[e.Site] = append(unresolved[e.Site], e.Callee.Func)
				}
			}
		}
		for site, fns := range unresolved {
			if len(fns) <= mostChoices {
				dynamic[site] = fns
			}
		}
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				if site, ok := instr.(ssa.CallInstruction); ok {
					g.addSite(fn, site, dynamic[site])
				}
			}
		}
	}
	return g
}

func (g *graph) addSite(fn *ssa.Function, site ssa.CallInstruction, dynamic []*ssa.Function) {
	kind := called
	if _, ok := site.(*ssa.Go); ok {
		kind = started
	}
	call := site.Common()
	callee := call.StaticCallee()
	if callee != nil && len(callee.Blocks) > 0 {
		g.add(&edge{fn, callee, site, kind, 1})
		return
	}
	if callee == nil && len(dynamic) > 0 {
		slices.SortFunc(dynamic, func(a, b *ssa.Function) int { return int(a.Pos() - b.Pos()) })
		for _, to := range dynamic {
			g.add(&edge{fn, to, site, kind, len(dynamic)})
		}
		// An interface may also be implemented in another module, to which a function is then handed.
		if !call.IsInvoke() {
			return
		}
	}
	if callee == nil && !call.IsInvoke() {
		if _, builtin := call.Value.(*ssa.Builtin); builtin {
			return
		}
	}
	if kind == called && callee != nil && startsGoroutine(callee) {
		kind = started
	} else if kind == called {
		kind = handed
	}
	for _, arg := range call.Args {
		for _, f := range functionsIn(arg) {
			g.add(&edge{fn, f, site, kind, 1})
		}
	}
}

func (g *graph) add(e *edge) {
	g.out[e.from] = append(g.out[e.from], e)
	g.in[e.to] = append(g.in[e.to], e)
}

// functionsIn returns the function that v is, as far as the place itself tells.
func functionsIn(v ssa.Value) []*ssa.Function {
	if _, ok := v.Type().Underlying().(*types.Basic); ok {
		return nil
	}
	switch v := v.(type) {
	case *ssa.Function:
		if len(v.Blocks) > 0 {
			return []*ssa.Function{v}
		}
	case *ssa.MakeClosure:
		return functionsIn(v.Fn)
	case *ssa.ChangeType:
		return functionsIn(v.X)
	case *ssa.MakeInterface:
		return functionsIn(v.X)
	case *ssa.Call:
		// A function that is wrapped on its way, as middleware does: wrap(func ...).
		if v.Call.IsInvoke() || v.Call.StaticCallee() == nil {
			return nil
		}
		if _, ok := v.Type().Underlying().(*types.Signature); !ok {
			return nil
		}
		var found []*ssa.Function
		for _, arg := range v.Call.Args {
			if _, ok := arg.Type().Underlying().(*types.Signature); ok {
				found = append(found, functionsIn(arg)...)
			}
		}
		return found
	case *ssa.Phi:
		var found []*ssa.Function
		for _, x := range v.Edges {
			switch x.(type) {
			case *ssa.Function, *ssa.MakeClosure:
				found = append(found, functionsIn(x)...)
			}
		}
		return found
	case *ssa.UnOp:
		// A local variable that holds a closure which calls itself.
		if a, ok := v.X.(*ssa.Alloc); ok {
			var found []*ssa.Function
			for _, ref := range *a.Referrers() {
				if st, ok := ref.(*ssa.Store); ok && st.Addr == a {
					if mc, ok := st.Val.(*ssa.MakeClosure); ok {
						found = append(found, functionsIn(mc.Fn)...)
					}
				}
			}
			return found
		}
	}
	return nil
}
