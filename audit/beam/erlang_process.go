package beam

import (
	"slices"

	"github.com/headcount-go/headcount/audit/internal/erlang"
	"github.com/headcount-go/headcount/audit/report"
)

// erlSpawns are the calls that start a process under no supervisor.
var erlSpawns = map[string]bool{
	"spawn": true, "spawn_link": true, "spawn_monitor": true, "spawn_opt": true,
	"proc_lib:spawn": true, "proc_lib:spawn_link": true, "proc_lib:spawn_opt": true,
}

// mostSpawns is how many processes are looked at that one function starts: each look reads the function.
const mostSpawns = 100

// processes reports processes that are started for each connection, request or message, under no limit.
func (r *erlReview) processes() {
	for _, m := range r.p.order {
		for _, fn := range m.functions {
			loop, handlers, spawns := r.acceptLoop(fn), r.handlersOf(fn), 0
			fn.eachCall(func(s *erlScope, c *erlang.Call) {
				if !erlSpawns[s.target(c)] || c.Module == nil && s.mod.has(s.atom(c.Fun), len(c.Args)) {
					return
				}
				if spawns++; spawns > mostSpawns {
					return
				}
				switch {
				case loop != nil:
					r.perConnection(s, c, loop)
				case s.waits(c):
				case len(handlers) > 0:
					r.perErlMessage(s, c, handlers)
				case r.reached.criticality(fn) == report.External:
					r.perErlRequest(s, c)
				}
			})
		}
	}
}

// acceptLoop is the function that accepts connections again and again, where fn is it or is called by it in the same
// module; nil where there is none.
func (r *erlReview) acceptLoop(fn *erlFunction) *erlFunction {
	for _, f := range append([]*erlFunction{fn}, r.graph.callers[fn]...) {
		if f.mod == fn.mod && r.graph.accepts[f] && r.graph.comesBack(f) {
			return f
		}
	}
	return nil
}

// comesBack reports whether a function calls itself, at once or by way of others of its module.
func (g *erlGraph) comesBack(f *erlFunction) bool {
	seen := map[*erlFunction]bool{}
	queue := []*erlFunction{f}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range g.calls[at] {
			if next == f {
				return true
			}
			if next.mod == f.mod && !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return false
}

// waits reports whether a clause waits for the process that it starts: then there are no more of them than callers.
func (s *erlScope) waits(spawn *erlang.Call) bool {
	found := false
	erlang.WalkClause(s.clause, func(n erlang.Node) bool {
		b, ok := n.(*erlang.Block)
		found = found || ok && b.Keyword == "receive" && b.Line >= spawn.Line
		_, isFun := n.(*erlang.Fun)
		return !found && !isFun // a fun is what the process does, not what the starter does
	})
	return found
}

// spawn adds a finding about a process that is started.
func (r *erlReview) spawn(s *erlScope, c *erlang.Call, f report.Finding, why string) {
	f.Reach = append(r.reached.path(s.fn), report.Step{Name: s.target(c), Position: s.mod.position(c.Pos)})
	f.Message = s.target(c) + why
	if r.graph.checked(s.fn) {
		f.Confidence = report.Low
	}
	f.Remedy = "count what runs (a monitor for each, the number in the state), and refuse or let wait at ?MAX_RUNNING"
	r.add(s.fn, c.Pos, f)
}

func (r *erlReview) perConnection(s *erlScope, c *erlang.Call, loop *erlFunction) {
	f := report.Finding{Rule: "HC245", Confidence: report.High, Criticality: report.External}
	if loop.guarded() {
		f.Confidence = report.Low
	}
	r.spawn(s, c, f, " starts a process for each connection, and nothing limits them")
}

// handlersOf are the clauses of message handlers that fn is, or that call it in the same module.
func (r *erlReview) handlersOf(fn *erlFunction) []*erlFunction {
	if fn.takesMessages() {
		return []*erlFunction{fn}
	}
	var all []*erlFunction
	for _, f := range r.graph.callers[fn] {
		if f.mod == fn.mod && f.takesMessages() {
			all = append(all, f)
		}
	}
	return all
}

// takesMessages reports whether a function is one of those that a server calls for each message.
func (f *erlFunction) takesMessages() bool {
	for _, b := range f.mod.behavioursOf() {
		for _, cb := range erlCallbacks[b] {
			if cb.name == f.Name && cb.arity == f.Arity && cb.who == report.Unbounded {
				return true
			}
		}
	}
	return false
}

// nearRequest is how many calls may lie between a request and the process that it starts. What is further away is seldom done
// for each of them.
const nearRequest = 3

// perErlRequest reports what a request leaves running behind it. What a connection's own process starts once in its life is
// bounded by the listener; what a server does for a request is asked for by a message.
func (r *erlReview) perErlRequest(s *erlScope, c *erlang.Call) {
	direct := r.reached.isEntry(s.fn)
	if startsOnce(s.fn.Name) && (!direct || s.fn.Name != "init") {
		return
	}
	calls := 0
	for at := s.fn; at != nil; at = r.reached[at].from {
		if calls > nearRequest || at.takesMessages() || r.graph.accepts[at] {
			return
		}
		calls++
	}
	f := report.Finding{Rule: "HC244", Confidence: report.High, Criticality: report.External}
	if !direct {
		f.Confidence = report.Medium
	}
	r.spawn(s, c, f, " starts a process that no supervisor counts, for each request")
}

// perErlMessage reports what a message leaves running behind it, in the handler itself and in what it calls in its module.
func (r *erlReview) perErlMessage(s *erlScope, c *erlang.Call, handlers []*erlFunction) {
	if startsOnce(s.fn.Name) || s.oneAtATime(c) {
		return
	}
	f := report.Finding{Rule: "HC243", Confidence: report.Low}
	for _, h := range handlers {
		message := &erlScope{mod: h.mod, fn: h, clause: h.Clauses[0]}
		if message.once() {
			continue
		}
		f.Criticality = max(f.Criticality, r.reached.criticality(h), report.Unbounded)
		if h == s.fn || message.fromNetwork() {
			f.Confidence = report.Medium
		}
	}
	if f.Criticality != report.NotKnown {
		r.spawn(s, c, f, " starts a process that no supervisor counts, for each message")
	}
}

// fromNetwork reports whether a clause of handle_info takes what a socket sends.
func (s *erlScope) fromNetwork() bool {
	if s.fn.Name != "handle_info" || len(s.clause.Params) == 0 {
		return false
	}
	switch s.tag(s.clause.Params[0]) {
	case "tcp", "udp", "ssl", "sctp":
		return true
	}
	return false
}

// once reports whether a clause takes what comes once, or once at a time: the end of a process, the stop of the server, and
// in handle_info what the module sends to itself, as a timer does.
func (s *erlScope) once() bool {
	if len(s.clause.Params) == 0 {
		return false
	}
	want := s.tag(s.clause.Params[0])
	switch want {
	case "timeout", "DOWN", "EXIT", "stop", "shutdown", "terminate":
		return true
	}
	return want != "" && s.fn.Name == "handle_info" && s.mod.sendsItself(want)
}

// sendsItself reports whether a module sends itself messages with a tag.
func (m *erlModule) sendsItself(tag string) bool {
	if m.toItself == nil {
		m.toItself = map[string]bool{}
		for _, fn := range m.functions {
			fn.eachCall(func(in *erlScope, c *erlang.Call) {
				if i, ok := erlTimers[in.target(c)+"/"+itoa(len(c.Args))]; ok {
					m.toItself[in.tag(c.Args[i])] = true
				}
			})
			for _, clause := range fn.Clauses {
				in := &erlScope{mod: m, fn: fn, clause: clause}
				erlang.WalkClause(clause, func(n erlang.Node) bool {
					if o, ok := n.(*erlang.Op); ok && o.Op == "!" {
						if to, isCall := o.Left.(*erlang.Call); isCall && in.target(to) == "self" {
							m.toItself[in.tag(o.Right)] = true
						}
					}
					return true
				})
			}
		}
	}
	return m.toItself[tag]
}

// erlTimers are the calls that send a message later, with the place of the message.
var erlTimers = map[string]int{
	"send_after/3": 2, "start_timer/3": 2, "timer:send_interval/2": 1, "timer:send_after/2": 1, "timer:send_interval/3": 2, "timer:send_after/3": 2,
}

// tag is what tells a message from others: the atom that it is, or that it begins with.
func (s *erlScope) tag(n erlang.Node) string {
	switch n := n.(type) {
	case *erlang.Tuple:
		if len(n.Elems) > 0 {
			return s.tag(n.Elems[0])
		}
	case *erlang.Op:
		if n.Op == "=" {
			if t := s.tag(n.Left); t != "" {
				return t
			}
			return s.tag(n.Right)
		}
	case *erlang.Atom, *erlang.Macro:
		return s.atom(n)
	}
	return ""
}

// oneAtATime reports whether a process is started only while nothing runs: in a clause for #state{worker = undefined}, or in
// the branch undefined of case State#state.worker of.
func (s *erlScope) oneAtATime(spawn *erlang.Call) bool {
	found := false
	for _, p := range s.clause.Params {
		erlang.Walk(p, func(n erlang.Node) bool {
			switch n := n.(type) {
			case *erlang.Map:
				found = found || slices.ContainsFunc(n.Fields, func(f erlang.Field) bool { return isIdle(f.Value) })
			case *erlang.Record:
				found = found || slices.ContainsFunc(n.Fields, func(f erlang.Field) bool { return isIdle(f.Value) })
			}
			return !found
		})
	}
	erlang.WalkClause(s.clause, func(n erlang.Node) bool {
		b, ok := n.(*erlang.Block)
		if !ok || b.Keyword != "case" {
			return !found
		}
		if _, isField := b.Subject[0].(*erlang.RecordField); !isField {
			return !found
		}
		for _, c := range b.Clauses {
			if len(c.Params) == 1 && isIdle(c.Params[0]) {
				erlang.WalkClause(c, func(n erlang.Node) bool { found = found || n == erlang.Node(spawn); return !found })
			}
		}
		return !found
	})
	return found
}

func isIdle(n erlang.Node) bool {
	a, ok := n.(*erlang.Atom)
	return ok && (a.Name == "undefined" || a.Name == "false" || a.Name == "none" || a.Name == "idle")
}
