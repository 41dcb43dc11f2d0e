package golang

import (
	"golang.org/x/tools/go/ssa"
)

// limitedListener reports whether the listener that is accepted from has been given a limit.
func (p *program) limitedListener(c *ssa.CallCommon) bool {
	recv := c.Value
	if !c.IsInvoke() {
		if len(c.Args) == 0 {
			return false
		}
		recv = c.Args[0]
	}
	return p.limitsConns(recv, 8, map[ssa.Value]bool{})
}

func (p *program) limitsConns(v ssa.Value, steps int, seen map[ssa.Value]bool) bool {
	if steps == 0 || seen[v] {
		return false
	}
	seen[v] = true
	again := func(v ssa.Value) bool { return p.limitsConns(v, steps-1, seen) }
	if isNamed(v.Type(), "github.com/headcount-go/headcount/endpoint", "Listener") {
		return true
	}
	switch v := v.(type) {
	case *ssa.Call:
		m := calleeOf(v.Common())
		if m.name == "LimitListener" || m.name == "NewLimitListener" || m.pkg == "github.com/headcount-go/headcount/endpoint" {
			return true
		}
		for _, arg := range v.Call.Args {
			if has(arg.Type(), "Accept") && again(arg) {
				return true
			}
		}
	case *ssa.Extract:
		return again(v.Tuple)
	case *ssa.MakeInterface:
		return again(v.X)
	case *ssa.ChangeInterface:
		return again(v.X)
	case *ssa.TypeAssert:
		return again(v.X)
	case *ssa.Phi:
		for _, e := range v.Edges {
			if again(e) {
				return true
			}
		}
	case *ssa.Parameter:
		for _, e := range p.graph.in[v.Parent()] {
			if arg := argumentOf(e, v); arg != nil && again(arg) {
				return true
			}
		}
	case *ssa.UnOp, *ssa.FreeVar, *ssa.Alloc:
		for _, st := range p.index.stores[p.index.place(v)] {
			if again(st) {
				return true
			}
		}
	}
	return false
}
