package beam

import (
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// bareStarts are the calls that start a process under no supervisor with a limit. True are those whose process is waited for
// where Task.await or Task.yield is called too.
var bareStarts = map[string]bool{
	"Task.start": false, "Task.start_link": false, "Task.async": true, "spawn": false, "spawn_link": false, "spawn_monitor": false,
	"Process.spawn": false, "Kernel.spawn": false, "Kernel.spawn_link": false, ":erlang.spawn": false, ":erlang.spawn_link": false,
	":proc_lib.spawn": false, ":proc_lib.spawn_link": false, "Node.spawn": false, "Node.spawn_link": false,
}

// processes reports processes that are started for each request, message or item, under no limit.
func (r *review) processes() {
	for _, m := range r.p.order {
		if m.inConfig() {
			continue
		}
		for _, c := range m.clauses {
			if !c.macro {
				r.processesIn(c)
			}
		}
	}
}

func (r *review) processesIn(c *clause) {
	r.p.fuel = fuel
	s := r.p.enter(c, nil, nil)
	waits := s.waits()
	items := s.itemCalls()
	eachCall(c.code, func(call *elixir.Call) {
		awaited, ok := bareStarts[s.target(call)]
		if !ok || call.Target == nil && len(s.mod.functions(call.Name, len(call.Args))) > 0 {
			return
		}
		who := r.reached.criticality(c)
		switch {
		case items[call.Pos]:
			r.perItem(s, call, who)
		case awaited && waits || s.fromItself():
		case who == report.External:
			r.perRequest(s, call)
		case who == report.Unbounded:
			r.perMessage(s, call)
		}
	})
}

// waits reports whether a clause waits for tasks: then there are no more of them than callers.
func (s *scope) waits() bool {
	found := false
	eachCall(s.fn.code, func(c *elixir.Call) {
		switch s.target(c) {
		case "Task.await", "Task.await_many", "Task.yield", "Task.yield_many", "Task.shutdown":
			found = true
		}
	})
	elixir.Walk(s.fn.code, func(n elixir.Node) bool {
		if u, ok := n.(*elixir.Unary); ok && u.Op == "&" {
			t := show(u)
			found = found || strings.HasPrefix(t, "&Task.await") || strings.HasPrefix(t, "&Task.yield")
		}
		return !found
	})
	return found
}

// startsOnce are functions that run once in the life of a process: what they start lives beside it, one for one.
func startsOnce(name string) bool {
	return strings.HasPrefix(name, "start_link") || name == "init" || name == "handle_continue" || name == "child_spec" || name == "terminate"
}

// perRequest reports what a request leaves running behind it.
func (r *review) perRequest(s *scope, call *elixir.Call) {
	direct := r.entries[s.fn].Criticality == report.External
	if !direct && (startsOnce(s.fn.name) || s.oneAtATime() || s.target(call) == "Task.async" && s.mod.waits(s.p)) {
		return
	}
	path := append(r.reached.path(s.fn), s.mod.step(call.Name, call.Pos))
	f := report.Finding{
		Rule: "HC207", Confidence: report.High, Criticality: report.External, Reach: path,
		Message: s.target(call) + " starts a process that no supervisor counts, from " + r.reached[s.fn].entry.handler,
		Remedy:  supervisedCall(call),
	}
	// A linked process ends with the one that serves the connection; and a longer way may be one that no request takes.
	if !direct || call.Name == "async" || strings.HasSuffix(call.Name, "_link") {
		f.Confidence = report.Medium
	}
	r.add(s, call.Pos, f)
}

// waits reports whether any function of the module waits for tasks: one may start what another waits for.
func (m *module) waits(p *program) bool {
	for _, c := range m.clauses {
		if (&scope{p: p, mod: m, fn: c}).waits() {
			return true
		}
	}
	return false
}

// perMessage reports what a message leaves running behind it.
func (r *review) perMessage(s *scope, call *elixir.Call) {
	if _, direct := r.entries[s.fn]; !direct || s.oneAtATime() {
		return
	}
	path := append(r.reached.path(s.fn), s.mod.step(call.Name, call.Pos))
	r.add(s, call.Pos, report.Finding{
		Rule: "HC208", Confidence: report.Medium, Criticality: report.Unbounded, Reach: path,
		Message: s.target(call) + " starts a process that no supervisor counts, from " + r.entries[s.fn].handler,
		Remedy:  supervisedCall(call),
	})
}

// supervisedCall is the same call under a Task.Supervisor.
func supervisedCall(call *elixir.Call) string {
	verb := "start_child"
	if call.Name == "async" {
		verb = "async_nolink"
	}
	args := "fn -> ... end"
	if len(call.Args) == 3 {
		args = showAll(call.Args, func(n elixir.Node) string { return showNode(n, 0) })
	}
	return "Task.Supervisor." + verb + "(MyApp.TaskSupervisor, " + args + "), with max_children: 100 on MyApp.TaskSupervisor"
}

// fromItself reports whether a message handler's message is one that its own module sends: a timer's tick, of which there
// is one at a time.
func (s *scope) fromItself() bool {
	if s.fn.name != "handle_info" || len(s.fn.params) == 0 {
		return false
	}
	want := tag(s.fn.params[0])
	if want == "" {
		return false
	}
	found := false
	for _, c := range s.mod.clauses {
		in := &scope{p: s.p, mod: s.mod, fn: c}
		eachCall(c.code, func(call *elixir.Call) {
			at := 1
			switch in.target(call) {
			case "Process.send_after", "send", "Process.send":
			case ":timer.send_interval", ":timer.send_after":
				at = len(call.Args) - 1
			default:
				return
			}
			if at < len(call.Args) && tag(call.Args[at]) == want {
				found = true
			}
		})
	}
	return found
}

// oneAtATime reports whether the clause matches only while nothing runs: %{task: nil}.
func (s *scope) oneAtATime() bool {
	found := false
	for _, p := range s.fn.params {
		elixir.Walk(p, func(n elixir.Node) bool {
			if pair, ok := n.(*elixir.Pair); ok {
				a, isAtom := pair.Value.(*elixir.Atom)
				found = found || isAtom && (a.Name == "nil" || a.Name == "false")
			}
			return !found
		})
	}
	return found
}
