package golang

import (
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
	walk walk
	late bool // what is started looks at a limit, but only then
	read bool // the loop goes on while there is something to read
}

// fromOutside tells the rules about what an outsider decides from those about the program's own work.
func (v verdict) fromOutside() bool { return v.rule != "" && v.rule <= "HC104" }

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
		if v.fromOutside() {
			return v
		}
		if best.rule == "" {
			best = v
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

// judgeLoop looks at one loop around a start.
func (p *program) judgeLoop(s start, l *loop) verdict {
	if call := p.acceptedIn(l, s.instr); call != nil {
		if p.limitedListener(call.Common()) {
			return verdict{}
		}
		v := verdict{rule: "HC104", sure: report.High, what: "a connection"}
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
		return verdict{rule: "HC103", sure: sure, what: article(what)}
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
		if v := p.judgeEndless(s, l); v.rule != "" {
			return v
		}
		return p.judgeReading(s, l)
	case worst.from == outside:
		return fromOutside(worst)
	case worst.from == internal && ranged || worst.from == internal && overData(bounds):
		if p.endOf(s, nil) == joined {
			return verdict{}
		}
		return verdict{rule: "HC105", sure: report.Low, what: "the program's own data"}
	}
	return verdict{}
}

func fromOutside(o origin) verdict {
	sure := report.High
	switch o.far {
	case 0:
	case 1:
		sure = report.Medium
	default:
		sure = report.Low
	}
	return verdict{rule: "HC101", sure: sure, what: article(requestOf(o.what))}
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
		return verdict{rule: "HC101", sure: report.Medium, what: article(o.what)}
	}
	return verdict{rule: "HC106", sure: report.Low, what: "a channel of the program"}
}

// judgeEndless looks at a loop that only its body ends: what it waits for says how often it goes round.
func (p *program) judgeEndless(s start, l *loop) verdict {
	if p.endsAfterOne(l, s) {
		return verdict{}
	}
	for b := range l.inOrder() {
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
	v := verdict{rule: "HC106", sure: report.Medium, what: "a clock"}
	if p.ownTimeout(s) || onlyCloses(s) || p.endOf(s, l) == tied {
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
	return !reaches(s.instr.Block(), l.head, func(x *ssa.BasicBlock) bool { return l.blocks[x] })
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
