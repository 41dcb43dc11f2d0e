package golang

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// A verdict is what is said about a start, before it is placed in the program.
type verdict struct {
	rule string
	sure report.Confidence
	// what decides on the number, as it is said in the message: "an HTTP request", "a connection"
	what string
	loop *loop
	walk walk
	late bool // what is started looks at a limit, but only then
}

// judge says what is wrong with a start; no rule means nothing.
func (p *program) judge(s start) verdict {
	if tests(s.fn) || p.grouped(s) || p.initial(s) || runsOnce(s) {
		return verdict{}
	}
	loops := p.around(s.instr)
	var inner *loop
	if len(loops) > 0 {
		inner = loops[0]
	}
	if p.limited(s.instr, inner) || p.onceOnly(s) {
		return verdict{}
	}
	best := verdict{}
	for _, l := range loops {
		if l != inner && p.limited(s.instr, l) {
			return verdict{}
		}
		if p.endOf(s, l) == joined {
			// What is waited for in each round does not grow with the rounds, nor with those of the loops around it.
			return best
		}
		v := p.judgeLoop(s, l)
		if v.rule != "" && (best.rule == "" || v.rule < best.rule && best.rule >= "HC105") {
			best = v
		}
		if best.rule != "" && best.rule < "HC105" {
			return best
		}
	}
	if v := p.judgeServed(s); v.rule != "" {
		if onlyCloses(s) {
			v.sure = report.Low
		}
		return v
	}
	if best.rule == "" {
		best = p.judgeRecursion(s)
	}
	return best
}

// runsOnce knows go once.Do(f).
func runsOnce(s start) bool {
	m := calleeOf(s.instr.Common())
	return m.pkg == "sync" && m.typ == "Once"
}

// initial reports whether a start is in a function that runs once, when the program begins.
func (p *program) initial(s start) bool {
	fn := s.fn
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn.Name() == "init" && len(p.around(s.instr)) == 0
}

// judgeLoop looks at one loop around a start.
func (p *program) judgeLoop(s start, l *loop) verdict {
	if call := p.acceptedIn(l, s.instr); call != nil {
		if p.limitedListener(call.Common()) {
			return verdict{}
		}
		v := verdict{rule: "HC104", sure: report.High, what: "a connection", loop: l}
		if p.checksLate(s) {
			v.sure, v.late = report.Medium, true
		}
		return v
	}
	if what := p.receivedIn(l, s.instr); what != "" {
		if p.endsAfterOne(l, s) {
			return verdict{}
		}
		sure := report.High
		if strings.HasSuffix(what, "of a connection") {
			sure = report.Medium
		}
		return verdict{rule: "HC103", sure: sure, what: article(what), loop: l}
	}
	bounds, ranged := l.bounds()
	worst := origin{}
	for _, b := range bounds {
		o := p.originOf(b)
		if o.from == outside && (p.checked(b, l.head) || smallArray(b.Type())) {
			o = origin{}
		}
		worst = worst.or(o)
		if _, ok := b.Type().Underlying().(*types.Chan); ok && o.from != outside {
			return p.judgeWait(s, l, b)
		}
	}
	switch {
	case len(bounds) == 0:
		return p.judgeEndless(s, l)
	case worst.from == outside:
		sure := report.High
		switch worst.far {
		case 0:
		case 1:
			sure = report.Medium
		default:
			sure = report.Low
		}
		return verdict{rule: "HC101", sure: sure, what: article(worst.what), loop: l}
	case worst.from == internal && ranged || worst.from == internal && overData(bounds):
		if p.endOf(s, nil) == joined {
			return verdict{}
		}
		return verdict{rule: "HC105", sure: report.Low, what: "the program's own data", loop: l}
	}
	return verdict{}
}

// overData tells the length of a list from a plain number, which is a count of workers that somebody has set.
func overData(bounds []ssa.Value) bool {
	for _, b := range bounds {
		if c, ok := b.(*ssa.Call); ok {
			if bi, ok := c.Call.Value.(*ssa.Builtin); ok && bi.Name() == "len" {
				return true
			}
		}
	}
	return false
}

func smallArray(t types.Type) bool {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	_, ok := t.Underlying().(*types.Array)
	return ok
}

// judgeFed looks at a loop over a channel of the program.
func (p *program) judgeFed(s start, l *loop, ch ssa.Value) verdict {
	if p.tokens(ch, s.instr) {
		return verdict{}
	}
	if o := p.feeds(ch); o.from == outside {
		return verdict{rule: "HC101", sure: report.Medium, what: article(o.what), loop: l}
	}
	return verdict{rule: "HC106", sure: report.Low, what: "a channel of the program", loop: l}
}

// judgeEndless looks at a loop that only its body ends: what it waits for says how often it goes round.
func (p *program) judgeEndless(s start, l *loop) verdict {
	if p.endsAfterOne(l, s) {
		return verdict{}
	}
	for b := range l.blocks {
		for _, i := range b.Instrs {
			if !before(i, s.instr) {
				continue
			}
			switch i := i.(type) {
			case *ssa.UnOp:
				if isReceive(i) {
					return p.judgeWait(s, l, i.X)
				}
			case *ssa.Select:
				for n, st := range i.States {
					if st.Dir == types.RecvOnly && chosen(i, n, s.instr) {
						return p.judgeWait(s, l, st.Chan)
					}
				}
			case *ssa.Call:
				if m := calleeOf(i.Common()); m.pkg == "time" && m.name == "Sleep" {
					return p.judgeTick(s, l)
				}
			}
		}
	}
	return verdict{}
}

func (p *program) judgeTick(s start, l *loop) verdict {
	v := verdict{rule: "HC106", sure: report.Medium, what: "a clock", loop: l}
	if p.ownTimeout(s) || onlyCloses(s) {
		v.sure = report.Low // few of them overlap
	}
	return v
}

func (p *program) judgeWait(s start, l *loop, ch ssa.Value) verdict {
	elem := ch.Type().Underlying().(*types.Chan).Elem()
	if isNamed(elem, "time", "Time") {
		return p.judgeTick(s, l)
	}
	if isNamed(elem, "os", "Signal") || p.doneChannel(ch) {
		return verdict{}
	}
	return p.judgeFed(s, l, ch)
}

func (p *program) doneChannel(ch ssa.Value) bool {
	call, ok := ch.(*ssa.Call)
	return ok && invoked(call.Common()).name == "Done"
}

// endsAfterOne reports whether the loop is left after the start.
func (p *program) endsAfterOne(l *loop, s start) bool {
	if l.body != nil {
		return false
	}
	return !reachesWithin(s.instr.Block(), l.head, l)
}

func reachesWithin(a, b *ssa.BasicBlock, l *loop) bool {
	seen := map[*ssa.BasicBlock]bool{}
	var visit func(*ssa.BasicBlock) bool
	visit = func(x *ssa.BasicBlock) bool {
		if seen[x] || !l.blocks[x] {
			return false
		}
		seen[x] = true
		for _, s := range x.Succs {
			if s == b || visit(s) {
				return true
			}
		}
		return false
	}
	return visit(a)
}

// judgeServed looks at who calls the function of the start.
func (p *program) judgeServed(s start) verdict {
	end := p.endOf(s, nil)
	if end == joined {
		return verdict{}
	}
	if v, ok := p.ways.messages[s.fn]; ok {
		return verdict{rule: "HC103", sure: sureOf(v, end), what: article(v.entry.what), walk: p.ways.messages}
	}
	if v, ok := p.ways.requests[s.fn]; ok {
		return verdict{rule: "HC102", sure: sureOf(v, end), what: article(requestOf(v.entry.what)), walk: p.ways.requests}
	}
	if v, ok := p.ways.accepts[s.fn]; ok && v.steps <= 3 {
		return verdict{rule: "HC104", sure: min(sureOf(v, end), report.Medium), what: "a connection", walk: p.ways.accepts}
	}
	return verdict{}
}

// onlyCloses reports whether the goroutine does nothing but close or stop something, which happens once to each.
func onlyCloses(s start) bool {
	name := calleeOf(s.instr.Common()).name
	if _, plain := s.instr.(*ssa.Go); !plain || name == "" || len(s.targets) == 1 && s.targets[0].Parent() != nil {
		name = ""
		for _, t := range s.targets {
			for _, b := range t.Blocks {
				for _, i := range b.Instrs {
					call, ok := i.(*ssa.Call)
					if !ok {
						continue
					}
					if name != "" {
						return false
					}
					if name = calleeOf(call.Common()).name; name == "" {
						return false
					}
				}
			}
		}
	}
	switch strings.ToLower(name) {
	case "close", "stop", "shutdown", "cancel", "disconnect", "closewitherror":
		return true
	}
	return false
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

// judgeRecursion looks for a function that starts itself: each goroutine starts more of them.
func (p *program) judgeRecursion(s start) verdict {
	fn := s.fn
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	if len(p.around(s.instr)) == 0 {
		return verdict{}
	}
	for _, t := range s.targets {
		if t == fn {
			return verdict{rule: "HC107", sure: report.Medium, what: "itself"}
		}
		for _, e := range p.graph.out[t] {
			if e.to == fn && e.choices == 1 {
				return verdict{rule: "HC107", sure: report.Medium, what: "itself"}
			}
		}
	}
	return verdict{}
}

// onceOnly reports whether a start is behind a mark that is set with it: a flag, a field that was nil, a swap.
func (p *program) onceOnly(s start) bool {
	for _, b := range s.fn.Blocks {
		cond, ok := last(b).(*ssa.If)
		if !ok || !parts(cond, s.instr) {
			continue
		}
		if p.marks(cond.Cond, s, 4) {
			return true
		}
	}
	return false
}

func (p *program) marks(v ssa.Value, s start, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op == token.NOT {
			return p.marks(v.X, s, depth-1)
		}
		if v.Op == token.MUL {
			return p.setsHere(v.X, s)
		}
	case *ssa.BinOp:
		if v.Op == token.EQL || v.Op == token.NEQ {
			return p.marks(v.X, s, depth-1) || p.marks(v.Y, s, depth-1)
		}
	case *ssa.Phi:
		for _, e := range v.Edges {
			if p.marks(e, s, depth-1) {
				return true
			}
		}
	case *ssa.Call:
		m := calleeOf(v.Common())
		return m.pkg == "sync/atomic" && (strings.HasPrefix(m.name, "CompareAndSwap") || strings.HasPrefix(m.name, "Swap"))
	}
	return false
}

// setsHere reports whether the function of the start also stores in what addr leads to.
func (p *program) setsHere(addr ssa.Value, s start) bool {
	at := p.index.place(addr)
	switch at.(type) {
	case *types.Var, *ssa.Global:
	default:
		return false
	}
	for _, b := range s.fn.Blocks {
		for _, i := range b.Instrs {
			if st, ok := i.(*ssa.Store); ok && p.index.place(st.Addr) == at && (b.Dominates(s.instr.Block()) || s.instr.Block().Dominates(b)) {
				return true
			}
		}
	}
	return false
}

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

func requestOf(what string) string {
	switch {
	case strings.HasSuffix(what, " handler"):
		return strings.TrimSuffix(what, " handler") + " request"
	case strings.HasSuffix(what, " method"):
		return strings.TrimSuffix(what, " method") + " request"
	}
	return what
}

func article(what string) string {
	if what == "" {
		return "an outsider"
	}
	first, _, _ := strings.Cut(what, " ")
	switch {
	case strings.ContainsRune("aeiouAEIO", rune(what[0])) && first != "one",
		first == "HTTP" || first == "SSH" || first == "NATS" || first == "NSQ" || first == "MQTT" || first == "SQS":
		if first == "NATS" {
			return "a " + what
		}
		return "an " + what
	}
	return "a " + what
}

func (v verdict) message(s start) string {
	how := "a goroutine"
	if s.how != "go" {
		how = "a goroutine (" + s.how + ")"
	}
	switch v.rule {
	case "HC101":
		return fmt.Sprintf("%s is started in a loop whose rounds %s decides, without a limit", how, v.what)
	case "HC102":
		return fmt.Sprintf("%s is started for %s and outlives it, without a limit", how, v.what)
	case "HC103":
		return fmt.Sprintf("%s is started for each %s, without a limit", how, bare(v.what))
	case "HC104":
		if v.late {
			return fmt.Sprintf("%s is started for each connection that is accepted; only what it runs looks at a limit", how)
		}
		return fmt.Sprintf("%s is started for each connection that is accepted, without a limit", how)
	case "HC105":
		return fmt.Sprintf("%s is started for each item of %s, neither limited nor waited for", how, v.what)
	case "HC106":
		return fmt.Sprintf("%s is started in each round of a loop that %s drives, neither limited nor waited for", how, v.what)
	case "HC107":
		return fmt.Sprintf("%s in a loop runs the function that starts it, so each starts more, without a limit", how)
	}
	panic("no message for " + v.rule)
}

func bare(what string) string {
	what = strings.TrimPrefix(what, "an ")
	return strings.TrimPrefix(what, "a ")
}
