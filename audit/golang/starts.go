package golang

import (
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A start is a place where a goroutine is started: a go statement, or a call that does the same.
type start struct {
	fn      *ssa.Function
	instr   ssa.CallInstruction
	how     string // "go", or the method that starts it
	targets []*ssa.Function
	wrapped bool      // how is a function of the program
	runs    ssa.Value // what that is given to run
}

// startsOf finds the starts of the packages that the review is about, each once, however often its function is instantiated.
func (p *program) startsOf() []start {
	var found []start
	seen := map[token.Pos]bool{}
	for _, fn := range p.funcs {
		if fn.Synthetic != "" && fn.Synthetic != "range-over-func yield" && !isInstance(fn) && fn.Parent() == nil {
			continue
		}
		for _, b := range fn.Blocks {
			for _, i := range b.Instrs {
				s := start{fn: fn}
				switch i := i.(type) {
				case *ssa.Go:
					s.instr, s.how = i, "go"
				case *ssa.Call:
					s.instr, s.how = i, starting[calleeOf(i.Common())]
				}
				if s.how == "" || seen[s.instr.Pos()] {
					continue
				}
				seen[s.instr.Pos()] = true
				s.targets = p.startedAt(s.instr)
				found = append(found, s)
			}
		}
	}
	return p.throughWrappers(found, seen)
}

// receives says what a call waits for, where that is something an outsider sends.
func (p *program) receives(c *ssa.CallCommon) string {
	m := invoked(c)
	if what := receiving[m]; what != "" {
		return what
	}
	if what := receiving[calleeOf(c)]; what != "" {
		return what
	}
	if m.name == "Recv" && len(c.Args) <= 1 {
		if recv := receiverOf(c); recv != nil && has(recv, "RecvMsg") {
			return "gRPC stream message"
		}
	}
	if readers[m] || readers[calleeOf(c)] {
		if len(c.Args) > 0 && p.readsConn(c.Args[0], 8) {
			return "message of a connection"
		}
	}
	return ""
}

func receiverOf(c *ssa.CallCommon) types.Type {
	if c.IsInvoke() {
		return c.Value.Type()
	}
	if c.Signature().Recv() != nil && len(c.Args) > 0 {
		return c.Args[0].Type()
	}
	return nil
}

// readsConn reports whether a reader was made from a network connection.
func (p *program) readsConn(v ssa.Value, steps int) bool {
	if steps == 0 {
		return false
	}
	if isConn(v.Type()) {
		return true
	}
	switch v := v.(type) {
	case *ssa.Call:
		for _, arg := range v.Call.Args {
			if p.readsConn(arg, steps-1) {
				return true
			}
		}
	case *ssa.Extract:
		return p.readsConn(v.Tuple, steps-1)
	case *ssa.MakeInterface:
		return p.readsConn(v.X, steps-1)
	case *ssa.ChangeInterface:
		return p.readsConn(v.X, steps-1)
	case *ssa.UnOp, *ssa.FieldAddr, *ssa.FreeVar, *ssa.Alloc:
		stores := p.index.stores[p.index.place(v)]
		if len(stores) > 4 {
			return false
		}
		for _, st := range stores {
			if p.readsConn(st, steps-1) {
				return true
			}
		}
	}
	return false
}

func isConn(t types.Type) bool {
	return isNamed(t, "net", "Conn") || isNamed(t, "net", "TCPConn") || isNamed(t, "crypto/tls", "Conn") || isNamed(t, "net", "UnixConn") ||
		types.IsInterface(t) && has(t, "SetReadDeadline") && has(t, "RemoteAddr") && has(t, "Read")
}

func isReceive(u *ssa.UnOp) bool { return u.Op == token.ARROW }

// grouped reports whether a start belongs to a group that has been given a limit.
func (p *program) grouped(s start) bool {
	if s.how == "go" || s.wrapped || strings.HasPrefix(s.how, "sync.") || strings.HasPrefix(s.how, "conc.WaitGroup") {
		return false
	}
	c := s.instr.Common()
	if len(c.Args) == 0 {
		return false
	}
	group := c.Args[0]
	for _, call := range p.index.calls[p.index.place(group)] {
		if limiting(call.Common()) {
			return true
		}
	}
	// pool.New().WithMaxGoroutines(8): each call returns the pool.
	for _, v := range append(p.index.stores[p.index.place(group)][:len(p.index.stores[p.index.place(group)]):len(p.index.stores[p.index.place(group)])], group) {
		for range 8 {
			call, ok := v.(*ssa.Call)
			if !ok || len(call.Call.Args) == 0 {
				break
			}
			if limiting(call.Common()) {
				return true
			}
			v = call.Call.Args[0]
		}
	}
	return false
}

func limiting(c *ssa.CallCommon) bool {
	m := calleeOf(c)
	if m.name != "SetLimit" && m.name != "WithMaxGoroutines" || len(c.Args) < 2 {
		return false
	}
	k, ok := c.Args[1].(*ssa.Const)
	return !ok || k.Value == nil || constant.Sign(k.Value) >= 0
}
