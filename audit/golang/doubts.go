package golang

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// onlyCloses reports whether the goroutine does nothing but close or stop something, which happens once to each.
func onlyCloses(s start) bool {
	if _, plain := s.instr.(*ssa.Go); plain && closing(s.instr.Common()) {
		return true
	}
	calls := 0
	for _, t := range s.targets {
		if t.Parent() == nil {
			return false
		}
		for _, b := range t.Blocks {
			for _, i := range b.Instrs {
				if call, ok := i.(*ssa.Call); ok {
					if _, builtin := call.Call.Value.(*ssa.Builtin); builtin {
						continue
					}
					if calls++; !closing(call.Common()) {
						return false
					}
				}
			}
		}
	}
	return calls > 0
}

func closing(c *ssa.CallCommon) bool {
	name := strings.ToLower(calleeOf(c).name)
	return slices.ContainsFunc([]string{"close", "stop", "shutdown", "cancel", "disconnect"}, func(w string) bool { return strings.Contains(name, w) })
}

// ownTimeout reports whether the goroutine gives itself a time.
func (p *program) ownTimeout(s start) bool {
	now := s.targets
	for range 2 {
		var next []*ssa.Function
		for _, fn := range now {
			for _, b := range fn.Blocks {
				for _, i := range b.Instrs {
					if call, ok := i.(*ssa.Call); ok {
						if m := calleeOf(call.Common()); m.pkg == "context" && (m.name == "WithTimeout" || m.name == "WithDeadline") {
							return true
						}
					}
				}
			}
			for _, e := range p.graph.out[fn] {
				if e.choices == 1 {
					next = append(next, e.to)
				}
			}
		}
		now = next
	}
	return false
}

// sureOf goes down with each thing that may be misread: a long way, a call that may mean several functions, a goroutine
// that seems to end with its request.
func sureOf(v visit, end ends) report.Confidence {
	switch {
	case end == tied, v.steps > 2:
		return report.Low
	case end == owned, !v.sure, strings.HasSuffix(v.entry.what, "of a connection"):
		return report.Medium
	}
	return report.High
}

// checksLate reports whether what is started compares a number of connections with a limit.
func (p *program) checksLate(s start) bool {
	now := s.targets
	for range 4 {
		var next []*ssa.Function
		for _, fn := range now {
			for _, b := range fn.Blocks {
				if cond, ok := last(b).(*ssa.If); ok && p.compares(cond.Cond, 3) && connections(cond.Cond, 4) {
					return true
				}
			}
			for _, e := range p.graph.out[fn] {
				if e.choices <= mostMeanings {
					next = append(next, e.to)
				}
			}
		}
		if len(next) > 300 {
			return false
		}
		now = next
	}
	return false
}

// connections reports whether the names in a condition are about connections or those who make them.
func connections(v ssa.Value, depth int) bool {
	if depth == 0 {
		return false
	}
	var names []string
	var operands [8]*ssa.Value
	switch x := v.(type) {
	case *ssa.FieldAddr:
		names = append(names, fieldName(x))
	case *ssa.Global:
		names = append(names, x.Name())
	case *ssa.Call:
		names = append(names, calleeOf(x.Common()).name)
	}
	for _, name := range names {
		name = strings.ToLower(name)
		for _, w := range []string{"conn", "client", "session", "peer", "active"} {
			if strings.Contains(name, w) {
				return true
			}
		}
	}
	if i, ok := v.(ssa.Instruction); ok {
		for _, op := range i.Operands(operands[:0]) {
			if *op != nil && connections(*op, depth-1) {
				return true
			}
		}
	}
	return false
}
