package beam

import (
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// A startCall starts a child: DynamicSupervisor.start_child, Task.Supervisor.async_nolink and the like.
type startCall struct {
	in   *clause
	kind string // the module called
	verb string
	of   string // the supervisor's name; "" where it is not known
	at   elixir.Pos
	// param is the place among the parameters of in that the supervisor comes from; -1 where it is none of them.
	param int
	// by is the function in between where in gives the supervisor to one that starts the child.
	by *clause
}

// start notes the start of a child and links the code that the child begins with.
func (g *graph) start(s *scope, c *elixir.Call, module string) {
	if _, ok := kinds[module]; !ok || len(c.Args) == 0 {
		return
	}
	if c.Name == "count_children" {
		g.counts[s.fn] = true
	}
	if !strings.HasPrefix(c.Name, "start_child") && !strings.HasPrefix(c.Name, "async") {
		return
	}
	g.starts = append(g.starts, startCall{s.fn, module, c.Name, s.supervisorName(c.Args[0]), c.Pos, s.fn.param(c.Args[0]), nil})
	if len(c.Args) < 2 {
		return
	}
	spec := term{c.Args[1], s}.follow()
	if spec.node == nil {
		return
	}
	child, args := spec.in.childSpec(spec.node)
	if child != "" {
		g.link(s.fn, g.p.lookup(child, "start_link", max(len(args), 1)))
		g.link(s.fn, g.p.lookup(child, "init", 1))
	}
}

// param is the place of a variable among the parameters; -1 where it is none.
func (c *clause) param(n elixir.Node) int {
	id, ok := n.(*elixir.Ident)
	if !ok {
		return -1
	}
	return slices.IndexFunc(c.params, func(p elixir.Node) bool {
		name, _ := paramName(p)
		return name == id.Name
	})
}

// supervisorName reads the first argument of start_child: a name, or {:via, PartitionSupervisor, {name, key}}.
func (s *scope) supervisorName(n elixir.Node) string {
	t := term{n, s}.follow()
	switch n := t.node.(type) {
	case *elixir.Tuple:
		if len(n.Elems) == 3 && t.in.moduleName(n.Elems[1]) == "PartitionSupervisor" {
			if inner, ok := n.Elems[2].(*elixir.Tuple); ok && len(inner.Elems) > 0 {
				return term{inner.Elems[0], t.in}.name()
			}
		}
		return ""
	case *elixir.Alias, *elixir.Atom, *elixir.Ident:
		return t.name()
	}
	return ""
}

// startsByCallers adds the starts of functions that are given the supervisor to those who give it.
func (g *graph) startsByCallers() {
	given := map[*clause][]startCall{}
	for _, call := range g.starts {
		if call.of == "" && call.param >= 0 {
			given[call.in] = append(given[call.in], call)
		}
	}
	for _, site := range g.sites {
		if len(site.to) > fewClauses {
			continue
		}
		for _, c := range site.to {
			for _, call := range given[c] {
				g.startByCaller(site, call)
			}
		}
	}
}

func (g *graph) startByCaller(site callSite, call startCall) {
	if len(site.args) != len(call.in.params) {
		return
	}
	g.p.fuel = fuel
	if of := site.in.supervisorName(site.args[call.param]); of != "" {
		g.starts = append(g.starts, startCall{site.in.fn, call.kind, call.verb, of, call.at, -1, call.in})
	}
}

// startOf finds the start of a child of sup that is most critical, with the way to it.
func (r *review) startOf(sup *supervisor, only bool) (report.Criticality, []report.Step) {
	var best report.Criticality
	var path []report.Step
	for _, call := range r.graph.starts {
		if !call.isOf(sup, only) {
			continue
		}
		who := max(r.reached.criticality(call.in), call.owner())
		way := r.reached.path(call.in)
		if way == nil {
			way = []report.Step{call.in.step()}
		}
		last := call.in
		if call.by != nil {
			last = call.by
			way = append(way, last.step())
		}
		way = append(way, last.mod.step(call.verb, call.at))
		if path == nil || who > best || who == best && len(way) < len(path) {
			best, path = who, way
		}
	}
	return best, path
}

// isOf reports whether a call starts a child of sup: it names it, or, where it names none that is known, sup is the only
// one of its kind or is made in the same module.
func (c startCall) isOf(sup *supervisor, only bool) bool {
	if c.of != "" {
		return c.of == sup.name || sup.module != "" && c.of == sup.module
	}
	if c.kind != sup.kind.name && (c.kind != "Supervisor" || sup.kind != dynamicKind) {
		return false
	}
	return only || c.in.mod == sup.in.mod
}

// owners are words for what a user has any number of.
var owners = []string{"user", "account", "tenant", "session", "room", "player", "customer", "device", "game", "project", "organization"}

// owner is UserOwned where the function that starts the child is told for whom: start_session(user_id).
func (c startCall) owner() report.Criticality {
	for _, p := range c.in.params {
		name, _ := paramName(p)
		for _, o := range owners {
			if name == o || name == o+"_id" || name == o+"_uuid" {
				return report.UserOwned
			}
		}
	}
	return report.NotKnown
}
