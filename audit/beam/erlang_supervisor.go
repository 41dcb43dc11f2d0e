package beam

import (
	"fmt"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/erlang"
	"github.com/headcount-go/headcount/audit/report"
)

// An erlSupervisor is one result of the init/1 of a module that is a supervisor.
type erlSupervisor struct {
	fn                *erlFunction
	at                erlang.Pos
	name              string
	strategy          string
	intensity, period int64
	budget            bool // intensity and period are known
}

// supervisors takes the inventory into the result and reports those without a limit and without an end of restarts.
func (r *erlReview) supervisors() {
	var all []*erlSupervisor
	simple := 0
	for _, m := range r.p.order {
		found := m.supervisors()
		for _, sup := range found {
			if sup.strategy == "simple_one_for_one" {
				simple++
			}
		}
		all = append(all, found...)
	}
	starts := r.p.starts()
	for _, sup := range all {
		row := report.Supervisor{
			Position: sup.fn.mod.position(sup.at), Language: "erlang", Kind: "supervisor", Name: sup.name, Symbol: sup.fn.symbol(),
			Strategy: sup.strategy, Restarts: sup.restarts(), Limit: report.Limit{State: report.NotApplicable},
		}
		switch sup.strategy {
		case "":
			row.Limit = report.Limit{}
		case "simple_one_for_one":
			row.Kind = sup.strategy
			row.Limit = report.Limit{State: report.Unlimited, Text: "simple_one_for_one has none"}
			r.unlimited(sup, &row, starts, simple == 1)
		default:
			r.added(sup, &row, starts)
		}
		r.endless(sup, row)
		r.result.Supervisors = append(r.result.Supervisors, row)
	}
}

// supervisors finds what init/1 gives back, for each of its clauses and each end of them.
func (m *erlModule) supervisors() []*erlSupervisor {
	if !m.has("init", 1) || !m.is("supervisor") && !m.startsItself() {
		return nil
	}
	init := m.function("init", 1)[0]
	var all []*erlSupervisor
	for _, clause := range init.Clauses {
		in := &erlScope{mod: m, fn: init, clause: clause}
		known, notKnown := len(all), false
		in.ends(clause.Body, func(t erlTerm) {
			m.p.fuel = fuel
			t = t.follow()
			result, ok := t.node.(*erlang.Tuple)
			if !ok || len(result.Elems) != 2 || t.in.atom(result.Elems[0]) != "ok" {
				notKnown = notKnown || t.node == nil || isCall(t.node)
				return
			}
			sup := erlTerm{result.Elems[1], t.in}.flagsOfInit()
			sup.place(init, clause)
			if len(all) == 0 || *all[len(all)-1] != *sup { // the same flags at the end of two branches are one
				all = append(all, sup)
			}
		})
		if len(all) == known && notKnown {
			all = append(all, &erlSupervisor{fn: init, at: clause.Pos})
		}
	}
	if name := m.registeredAs(); name != "" {
		for _, sup := range all {
			sup.name = name
		}
	}
	return all
}

func isCall(n erlang.Node) bool { _, ok := n.(*erlang.Call); return ok }

// startsItself reports whether a module without -behaviour(supervisor) is started as one.
func (m *erlModule) startsItself() bool {
	found := false
	for _, fn := range m.functions {
		fn.eachCall(func(s *erlScope, c *erlang.Call) {
			if s.target(c) == "supervisor:start_link" && len(c.Args) >= 2 && s.atom(c.Args[len(c.Args)-2]) == m.name {
				found = true
			}
		})
	}
	return found
}

// registeredAs is the name under which a module's start registers it, where there is one alone.
func (m *erlModule) registeredAs() string {
	names := map[string]bool{}
	for _, fn := range m.functions {
		fn.eachCall(func(s *erlScope, c *erlang.Call) {
			if s.target(c) == "supervisor:start_link" && len(c.Args) == 3 && s.atom(c.Args[1]) == m.name {
				names[s.registeredName(c.Args[0])] = true
			}
		})
	}
	if len(names) == 1 {
		for n := range names {
			return n
		}
	}
	return ""
}

// ends calls f for each expression that a body may end with: the last one, in each branch of what branches.
func (s *erlScope) ends(body []erlang.Node, f func(erlTerm)) {
	if len(body) == 0 {
		return
	}
	switch last := body[len(body)-1].(type) {
	case *erlang.Block:
		if last.Keyword == "begin" {
			s.ends(last.Body, f)
			return
		}
		for _, c := range last.Clauses {
			s.ends(c.Body, f)
		}
		if last.Keyword == "try" && len(last.Clauses) == 0 {
			s.ends(last.Subject, f)
		}
	default:
		f(erlTerm{last, s})
	}
}

// flagsOfInit reads {Flags, Specs}.
func (t erlTerm) flagsOfInit() *erlSupervisor {
	t = t.follow()
	pair, ok := t.node.(*erlang.Tuple)
	if !ok || len(pair.Elems) != 2 {
		return &erlSupervisor{}
	}
	return erlTerm{pair.Elems[0], t.in}.flags()
}

// flags reads {Strategy, Intensity, Period} and #{strategy => ...}.
func (t erlTerm) flags() *erlSupervisor {
	t = t.follow()
	sup := &erlSupervisor{}
	if t.node != nil && t.in.outer == nil { // not in a macro, which may stand in another file
		sup.fn, sup.at = t.in.fn, t.node.Position()
	}
	switch n := t.node.(type) {
	case *erlang.Tuple:
		if len(n.Elems) != 3 {
			break
		}
		sup.strategy = t.in.atom(n.Elems[0])
		intensity, ok := erlTerm{n.Elems[1], t.in}.number()
		period, too := erlTerm{n.Elems[2], t.in}.number()
		sup.intensity, sup.period, sup.budget = intensity, period, ok && too
	case *erlang.Map:
		sup.strategy = "one_for_one" // the default, as are 1 and 5
		if v, found, known := t.option("strategy"); found {
			sup.strategy = v.in.atom(v.node)
		} else if !known {
			sup.strategy = ""
		}
		intensity, ok := t.numberOption("intensity", 1)
		period, too := t.numberOption("period", 5)
		sup.intensity, sup.period, sup.budget = intensity, period, ok && too
	}
	return sup
}

func (t erlTerm) numberOption(key string, byDefault int64) (int64, bool) {
	v, found, known := t.option(key)
	if found {
		return v.number()
	}
	return byDefault, known
}

// place puts a supervisor whose flags stand in another function, or in no place that is known, into its init.
func (sup *erlSupervisor) place(init *erlFunction, clause *erlang.Clause) {
	if sup.fn != init {
		sup.fn, sup.at = init, clause.Pos
	}
}

func (sup *erlSupervisor) restarts() string {
	if !sup.budget {
		return ""
	}
	return fmt.Sprintf("%d in %ds", sup.intensity, sup.period)
}

// called names a supervisor in a message.
func (sup *erlSupervisor) called() string {
	if sup.name != "" {
		return sup.name
	}
	return sup.fn.mod.name
}

// unlimited reports a simple_one_for_one, and completes its row: who starts children, and how.
func (r *erlReview) unlimited(sup *erlSupervisor, row *report.Supervisor, starts []erlStart, only bool) {
	w := r.whoStarts(sup, starts, only)
	row.Criticality, row.Reach = w.who, w.path
	f := report.Finding{Rule: "HC240", Confidence: report.High, Criticality: w.who, Reach: w.path}
	f.Message = sup.called() + " is a simple_one_for_one, which has no limit"
	switch {
	case w.calls > 0 && w.checked == w.calls:
		f.Confidence = report.Low
		f.Message += ", though the number seems to be asked for before each start"
	case w.checked > 0:
		f.Confidence = report.Medium
	}
	f.Remedy = erlRemedy(sup)
	r.add(sup.fn, sup.at, f)
}

func erlRemedy(sup *erlSupervisor) string {
	return "case proplists:get_value(active, supervisor:count_children(" + sup.called() + ")) < ?MAX_CHILDREN of ... in the one process that calls start_child"
}

// farAway is how long a way from an outsider may be to be believed. Longer ones lead through the start of applications.
const farAway = 8

// added reports a supervisor of declared children to which a request or a message adds more.
func (r *erlReview) added(sup *erlSupervisor, row *report.Supervisor, starts []erlStart) {
	w := r.whoStarts(sup, starts, false)
	if w.who < report.Unbounded {
		return
	}
	row.Limit = report.Limit{State: report.Unlimited, Text: "children are added to those declared"}
	row.Criticality, row.Reach = w.who, w.path
	f := report.Finding{Rule: "HC246", Confidence: report.Medium, Criticality: w.who, Reach: w.path, Remedy: erlRemedy(sup)}
	if w.checked == w.calls || len(w.path) > farAway {
		f.Confidence = report.Low
	}
	f.Message = sup.called() + " is given children beside those declared, and it has no limit"
	r.add(sup.fn, sup.at, f)
}

// An erlStarter says who starts children of a supervisor: the most critical way, and how many calls of start_child there are and
// how many of them look at a number first.
type erlStarter struct {
	who            report.Criticality
	path           []report.Step
	calls, checked int
}

func (r *erlReview) whoStarts(sup *erlSupervisor, starts []erlStart, only bool) erlStarter {
	var w erlStarter
	for _, start := range starts {
		if !start.isOf(sup, only) {
			continue
		}
		w.calls++
		if r.graph.checked(start.in) {
			w.checked++
		}
		who := max(r.reached.criticality(start.in), start.owner())
		path := append(r.reached.path(start.in), report.Step{Name: "start_child", Position: start.in.mod.position(start.at)})
		if len(path) == 1 {
			path = append([]report.Step{start.in.step()}, path...)
		}
		if w.path == nil || who > w.who || who == w.who && len(path) < len(w.path) {
			w.who, w.path = who, path
		}
	}
	return w
}

// endless reports a budget of restarts that is never used up.
func (r *erlReview) endless(sup *erlSupervisor, row report.Supervisor) {
	if !sup.budget || sup.intensity < endlessRestarts || sup.intensity < product(max(sup.period, 1), endlessRate) {
		return
	}
	r.add(sup.fn, sup.at, report.Finding{
		Rule: "HC241", Confidence: report.Medium, Criticality: row.Criticality, Reach: row.Reach,
		Message: fmt.Sprintf("%s allows %d restarts in %ds, which a child that always fails does not use up", sup.called(), sup.intensity, sup.period),
		Remedy:  "#{strategy => " + sup.strategy + ", intensity => 10, period => 60}",
	})
}

// An erlStart is one call of supervisor:start_child.
type erlStart struct {
	in *erlFunction
	at erlang.Pos
	of string // the name or module of the supervisor; "" where it is not known
}

func (p *erlProgram) starts() []erlStart {
	var all []erlStart
	p.eachCall(func(s *erlScope, c *erlang.Call) {
		if s.target(c) == "supervisor:start_child" && len(c.Args) == 2 {
			all = append(all, erlStart{s.fn, c.Pos, s.atom(c.Args[0])})
		}
	})
	return all
}

// isOf reports whether a call starts a child of sup: it names it, or, where it names none that is known, it stands in the
// supervisor's own module, or sup is the only one of its kind.
func (start erlStart) isOf(sup *erlSupervisor, only bool) bool {
	if start.of != "" {
		return start.of == sup.name || start.of == sup.fn.mod.name
	}
	return sup.strategy == "simple_one_for_one" && (only || start.in.mod == sup.fn.mod)
}

// owner is UserOwned where the function that starts the child is told for whom: start_session(UserId).
func (start erlStart) owner() report.Criticality {
	for _, c := range start.in.Clauses {
		for _, p := range c.Params {
			v, ok := p.(*erlang.Var)
			if !ok {
				continue
			}
			name := strings.ToLower(strings.ReplaceAll(v.Name, "_", ""))
			for _, o := range owners {
				if name == o || name == o+"id" || name == o+"uuid" {
					return report.UserOwned
				}
			}
		}
	}
	return report.NotKnown
}
