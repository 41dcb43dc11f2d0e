package golang

import (
	"go/constant"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/headcount-go/headcount/audit/report"
)

// A walk knows every function that is reached from some entries, and the shortest way there.
type walk map[*ssa.Function]visit

type visit struct {
	entry entry
	by    *edge // nil at the entry itself
	steps int
	sure  bool // no call on the way may mean several functions
}

// walkFrom goes from the entries along the edges that follow admits.
func walkFrom(p *program, entries []entry, follow func(*edge) bool) walk {
	w := walk{}
	var queue []*ssa.Function
	for _, e := range entries {
		if _, ok := w[e.fn]; !ok {
			w[e.fn] = visit{entry: e, sure: true}
			queue = append(queue, e.fn)
		}
	}
	for len(queue) > 0 {
		fn := queue[0]
		queue = queue[1:]
		at := w[fn]
		if at.steps == longestWay {
			continue
		}
		for _, e := range p.graph.out[fn] {
			if _, ok := w[e.to]; ok || e.choices > mostMeanings || !follow(e) {
				continue
			}
			w[e.to] = visit{entry: at.entry, by: e, steps: at.steps + 1, sure: at.sure && e.choices == 1 && (e.kind != handed || e.to.Parent() == fn)}
			queue = append(queue, e.to)
		}
	}
	return w
}

const (
	longestWay   = 12
	mostMeanings = 8 // a call that may mean more functions is a way that nobody would believe
)

// way lists the steps from the entry to fn.
func (p *program) way(w walk, fn *ssa.Function) []report.Step {
	at, ok := w[fn]
	if !ok {
		return nil
	}
	var back []report.Step
	add := func(name string, pos report.Position) {
		if n := len(back); n == 0 || back[n-1].Name != name {
			back = append(back, report.Step{Name: name, Position: pos})
		}
	}
	for at.by != nil {
		add(nameOf(fn), p.at(at.by.site.Pos()))
		fn = at.by.from
		at = w[fn]
	}
	name := nameOf(fn)
	if at.entry.from != nil {
		add(name, p.at(at.entry.site.Pos()))
		add("each "+at.entry.what+" in "+nameOf(at.entry.from), p.at(at.entry.from.Pos()))
	} else {
		add(at.entry.what+" "+name, p.at(fn.Pos()))
		if route, pos := p.route(fn); route != "" {
			add("route "+route, pos)
		}
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return back
}

// route returns the pattern that a handler is registered with, such as "POST /orders".
func (p *program) route(fn *ssa.Function) (string, report.Position) {
	for _, e := range p.graph.in[fn] {
		if e.from.Synthetic != "" && (strings.HasSuffix(e.from.Name(), "$bound") || strings.HasSuffix(e.from.Name(), "$thunk")) {
			if route, pos := p.route(e.from); route != "" {
				return route, pos
			}
			continue
		}
		if e.kind != handed {
			continue
		}
		c := e.site.Common()
		for _, arg := range c.Args {
			k, ok := arg.(*ssa.Const)
			if !ok || k.Value == nil || k.Value.Kind() != constant.String {
				continue
			}
			route := constant.StringVal(k.Value)
			if !strings.Contains(route, "/") {
				continue
			}
			if verb := invoked(c).name; verb == strings.ToUpper(verb) || verb == "Get" || verb == "Post" || verb == "Put" || verb == "Delete" || verb == "Patch" {
				route = strings.ToUpper(verb) + " " + route
			}
			return route, p.at(e.site.Pos())
		}
	}
	return "", report.Position{}
}

// ways are the walks that the rules ask.
type ways struct {
	certain  walk // what an outsider reaches for certain, also by goroutines
	outside  walk // what an outsider may reach
	requests walk // what runs for each request, before any goroutine is started and where nothing limits it
	messages walk // what runs for each message, in the same sense
	accepts  walk // what an accept loop itself runs for each connection
}

func newWays(p *program) *ways {
	inLoops, perAccept, perConn := p.loopEntries()
	var requests, messages []entry
	for _, fn := range p.funcs { // in the order of the source, so that ways of the same length do not change
		if e, ok := p.entries[fn]; ok {
			if e.kind == request {
				requests = append(requests, e)
			} else {
				messages = append(messages, e)
			}
		}
	}
	w := &ways{}
	p.ways = w // whether a limit holds on a way depends on what is reached at all
	all := append(append(append(append([]entry{}, requests...), messages...), perConn...), inLoops...)
	w.outside = walkFrom(p, all, func(e *edge) bool { return !once(e) })
	w.certain = walkFrom(p, all, func(e *edge) bool { return !once(e) && e.choices == 1 })
	direct := func(e *edge) bool { return e.kind != started && !once(e) && !p.passesLimit(e) }
	w.requests = walkFrom(p, requests, direct)
	w.messages = walkFrom(p, append(messages, inLoops...), direct)
	w.accepts = walkFrom(p, perAccept, direct)
	return w
}

// served reports whether fn runs on behalf of an outsider.
func (p *program) served(fn *ssa.Function) (entry, bool) {
	if p.ways == nil {
		return entry{}, false
	}
	v, ok := p.ways.outside[fn]
	return v.entry, ok && v.steps <= 6
}

// loopEntries finds the functions that loops call for each message that they receive and each connection that they accept.
func (p *program) loopEntries() (perMessage, perAccept, perConn []entry) {
	for _, fn := range p.funcs {
		if tests(fn) {
			continue
		}
		for _, e := range p.graph.out[fn] {
			loops := p.around(e.site)
			for _, l := range loops {
				if what := p.receivedIn(l, e.site); what != "" {
					perMessage = append(perMessage, entry{e.to, message, what, fn, e.site})
					break
				}
				if p.acceptedIn(l, e.site) == nil {
					continue
				}
				if e.kind != started {
					perAccept = append(perAccept, entry{e.to, connection, "connection", fn, e.site})
				}
				perConn = append(perConn, entry{e.to, connection, "connection", fn, e.site})
				break
			}
		}
	}
	return perMessage, perAccept, perConn
}

// acceptedIn returns the call that accepts, in each round of l before instr.
func (p *program) acceptedIn(l *loop, instr ssa.Instruction) *ssa.Call {
	if l.body != nil {
		return nil
	}
	for b := range l.inOrder() {
		for _, i := range b.Instrs {
			if call, ok := i.(*ssa.Call); ok && ssa.Instruction(call) != instr && accepting(call.Common()) && b.Dominates(instr.Block()) && before(call, instr) {
				return call
			}
		}
	}
	return nil
}

// receivedIn says what is received from outside in each round of l before instr, "" where nothing is.
func (p *program) receivedIn(l *loop, instr ssa.Instruction) string {
	if l.body != nil {
		return ""
	}
	for b := range l.inOrder() {
		for _, i := range b.Instrs {
			if i == instr || !before(i, instr) && b != l.head {
				continue
			}
			switch i := i.(type) {
			case *ssa.Call:
				if what := p.receives(i.Common()); what != "" {
					return what
				}
			case *ssa.UnOp:
				if what := carrierOf(i.X.Type()); what != "" && isReceive(i) {
					return what
				}
			case *ssa.Select:
				for _, st := range i.States {
					if what := carrierOf(st.Chan.Type()); what != "" && before(i, instr) {
						return what
					}
				}
			}
		}
	}
	return ""
}

// once reports whether a function is handed to what calls it one time only.
func once(e *edge) bool {
	if e.kind != handed {
		return false
	}
	m := calleeOf(e.site.Common())
	return m.pkg == "sync" && (m.typ == "Once" || strings.HasPrefix(m.name, "Once"))
}

// passesLimit reports whether a place of a limited number is taken before the call, or by what the function is handed to.
func (p *program) passesLimit(e *edge) bool {
	if m := calleeOf(e.site.Common()); running[m.pkg] && (e.kind == handed || slices.Contains(childStarts, m.name)) {
		return true
	}
	var inner *loop
	if around := p.around(e.site); len(around) > 0 {
		inner = around[0]
	}
	return p.limited(e.site, inner)
}
