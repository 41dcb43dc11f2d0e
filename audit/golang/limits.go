package golang

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// acquiring calls take one place of a limited number of them.
var acquiring = map[method]bool{
	{"golang.org/x/sync/semaphore", "Weighted", "Acquire"}:       true,
	{"golang.org/x/sync/semaphore", "Weighted", "TryAcquire"}:    true,
	{"sync", "Mutex", "TryLock"}:                                 true,
	{"github.com/marusama/semaphore", "Semaphore", "Acquire"}:    true,
	{"github.com/marusama/semaphore", "Semaphore", "TryAcquire"}: true,
}

// running functions run what they are given under a limit of their own, or refuse.
var running = map[string]bool{
	"github.com/headcount-go/headcount":          true,
	"github.com/headcount-go/headcount/endpoint": true,
	"github.com/panjf2000/ants":                  true,
	"github.com/alitto/pond":                     true,
	"github.com/gammazero/workerpool":            true,
	"github.com/Jeffail/tunny":                   true,
	"golang.org/x/sync/singleflight":             true,
}

// limited reports whether a place of a limited number is taken on every path to instr, in the round of the innermost of
// the loops around it. With no loop, anywhere before it in the function.
func (p *program) limited(instr ssa.Instruction, within *loop) bool {
	for _, b := range instr.Parent().Blocks {
		if within != nil && within.body == nil && !within.blocks[b] {
			continue
		}
		if cond, ok := last(b).(*ssa.If); ok && b != instr.Block() && (p.admits(cond, instr) || p.switchedOff(cond, instr)) {
			return true
		}
		if !b.Dominates(instr.Block()) {
			continue
		}
		for _, i := range b.Instrs {
			if i == instr {
				break
			}
			if p.acquires(i, instr, 4) {
				return true
			}
		}
	}
	return false
}

// acquires reports whether executing i takes a place, for what is started at instr.
func (p *program) acquires(i, instr ssa.Instruction, calls int) bool {
	switch i := i.(type) {
	case *ssa.Send:
		return p.semaphore(i.Chan, instr)
	case *ssa.UnOp:
		return i.Op == token.ARROW && p.tokens(i.X, instr)
	case *ssa.Select:
		return p.selects(i, instr)
	case *ssa.Call:
		c := i.Common()
		m := invoked(c)
		if acquiring[m] || acquiring[calleeOf(c)] || swapsCount(c) || acquiresByName(c) {
			return !conditional(i.Type()) || decides(i, instr, 6)
		}
		return calls > 0 && p.wrapsAcquire(c, i, instr, calls)
	}
	return false
}

// acquiresByName knows the semaphores of other modules by the methods that they have.
func acquiresByName(c *ssa.CallCommon) bool {
	recv := receiverOf(c)
	if callee := c.StaticCallee(); recv == nil || callee == nil || len(callee.Blocks) > 0 {
		return false
	}
	switch calleeOf(c).name {
	case "Acquire", "TryAcquire":
		return has(recv, "Release")
	case "Take":
		return has(recv, "Give")
	}
	return false
}

// swapsCount knows a number that is compared and swapped: a count that is only raised where it may be.
func swapsCount(c *ssa.CallCommon) bool {
	m := calleeOf(c)
	if m.pkg != "sync/atomic" || !strings.HasPrefix(m.name, "CompareAndSwap") || len(c.Args) != 3 {
		return false
	}
	b, ok := c.Args[2].Type().Underlying().(*types.Basic)
	_, constant := c.Args[2].(*ssa.Const)
	return ok && b.Info()&types.IsInteger != 0 && !constant
}

// wrapsAcquire looks into a function of the program, such as s.acquire(ctx), which takes a place on the way to a return.
func (p *program) wrapsAcquire(c *ssa.CallCommon, call *ssa.Call, instr ssa.Instruction, calls int) bool {
	callee := c.StaticCallee()
	if callee == nil || len(callee.Blocks) == 0 || len(callee.Blocks) > 40 {
		return false
	}
	for _, b := range callee.Blocks {
		ret, ok := last(b).(*ssa.Return)
		if !ok {
			continue
		}
		for _, before := range callee.Blocks {
			if !before.Dominates(b) {
				continue
			}
			for _, i := range before.Instrs {
				if p.acquires(i, ret, calls-1) {
					if callee.Signature.Results().Len() == 0 {
						return true
					}
					return !everyReturn(callee, i) && decides(call, instr, 6) || everyReturn(callee, i)
				}
			}
			if cond, ok := last(before).(*ssa.If); ok && before != b && p.admits(cond, ret) && decides(call, instr, 6) {
				return true
			}
		}
	}
	return false
}
