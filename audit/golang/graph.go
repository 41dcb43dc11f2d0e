package golang

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/callgraph"
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
	methods := implementations{byName: map[string][]*ssa.Function{}, known: map[*types.Func][]*ssa.Function{}}
	for _, fn := range p.funcs {
		all[fn] = !isGeneric(fn)
		methods.add(fn)
	}
	var fine *callgraph.Graph
	// VTA does not expect the types of code that does not compile. Without it fewer calls are resolved.
	if sparing(func() { fine = vta.CallGraph(all, nil) }) != "" {
		fine = &callgraph.Graph{}
	}
	for _, fn := range p.funcs {
		dynamic := map[ssa.CallInstruction][]*ssa.Function{}
		if n := fine.Nodes[fn]; n != nil {
			for _, e := range n.Out {
				if len(e.Callee.Func.Blocks) > 0 && !slices.Contains(dynamic[e.Site], e.Callee.Func) {
					dynamic[e.Site] = append(dynamic[e.Site], e.Callee.Func)
				}
			}
		}
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				site, ok := instr.(ssa.CallInstruction)
				if !ok {
					continue
				}
				meant := dynamic[site]
				guessed := 0
				if c := site.Common(); c.IsInvoke() && len(meant) == 0 && p.declares(c.Method) {
					meant, guessed = methods.of(c), 1
				}
				g.addSite(fn, site, meant, guessed)
			}
		}
	}
	return g
}

// implementations are the methods that a call of an interface may mean, where VTA did not see which types get there.
type implementations struct {
	byName map[string][]*ssa.Function
	known  map[*types.Func][]*ssa.Function
}

func (m implementations) add(fn *ssa.Function) {
	if fn.Signature.Recv() != nil && fn.Synthetic == "" {
		m.byName[fn.Name()] = append(m.byName[fn.Name()], fn)
	}
}

func (m implementations) of(c *ssa.CallCommon) []*ssa.Function {
	if found, ok := m.known[c.Method]; ok {
		return found
	}
	var found []*ssa.Function
	if iface, ok := c.Value.Type().Underlying().(*types.Interface); ok {
		for _, fn := range m.byName[c.Method.Name()] {
			if recv := fn.Signature.Recv().Type(); types.Implements(recv, iface) {
				found = append(found, fn)
			}
		}
	}
	if len(found) > mostChoices {
		found = nil
	}
	m.known[c.Method] = found
	return found
}

// declares reports whether an interface method is the program's own. Those of other modules are implemented there too.
func (p *program) declares(m *types.Func) bool {
	return m.Pkg() != nil && p.ownTypes[m.Pkg()]
}

func (g *graph) addSite(fn *ssa.Function, site ssa.CallInstruction, dynamic []*ssa.Function, guessed int) {
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
			g.add(&edge{fn, to, site, kind, len(dynamic) + guessed})
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
