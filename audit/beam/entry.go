package beam

import (
	"maps"
	"slices"

	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

type callback struct {
	name    string
	arity   int
	who     report.Criticality
	handler string
}

var callbacks = map[role][]callback{
	liveView: {
		{"mount", 3, report.External, "a LiveView's mount"}, {"handle_params", 3, report.External, "a LiveView"},
		{"handle_event", 3, report.External, "a LiveView's event"}, {"handle_info", 2, report.Unbounded, "a LiveView's message handler"},
	},
	liveComponent: {{"handle_event", 3, report.External, "a LiveView's event"}, {"update", 2, report.External, "a LiveView"}},
	channel: {
		{"join", 3, report.External, "a channel's join"}, {"handle_in", 3, report.External, "a channel's message"},
		{"handle_info", 2, report.Unbounded, "a channel's message handler"},
	},
	socket:   {{"connect", 2, report.External, "a socket's connect"}, {"connect", 3, report.External, "a socket's connect"}},
	plugRole: {{"call", 2, report.External, "a plug"}},
	webSock: {
		{"init", 1, report.External, "a websocket"}, {"connect", 1, report.External, "a websocket"}, {"handle_in", 2, report.External, "a websocket's message"},
		{"websocket_init", 1, report.External, "a websocket"}, {"websocket_handle", 2, report.External, "a websocket's message"},
		{"handle_info", 2, report.Unbounded, "a websocket's message handler"}, {"websocket_info", 2, report.Unbounded, "a websocket's message handler"},
	},
	rawHandler: {
		{"init", 2, report.External, "a request"}, {"start_link", 3, report.External, "a connection"},
		{"handle_connection", 2, report.External, "a connection"}, {"handle_data", 3, report.External, "a connection's data"},
	},
	consumer: {{"handle_message", 3, report.External, "a consumer's message"}, {"handle_batch", 4, report.External, "a consumer's batch"}},
	worker:   {{"perform", 1, report.Unbounded, "a job"}},
	genServer: {
		{"handle_info", 2, report.Unbounded, "a message handler"}, {"handle_cast", 2, report.Unbounded, "a message handler"},
		{"handle_call", 3, report.Unbounded, "a message handler"}, {"handle_events", 3, report.Unbounded, "a stage"},
	},
	application: {{"start", 2, report.Internal, ""}, {"run", 1, report.Internal, ""}},
}

// entries finds all entries of a program, those of outsiders first.
func (p *program) entries() []entry[*clause] {
	routes := p.routes()
	var all []entry[*clause]
	for _, m := range p.order {
		for _, r := range slices.Sorted(maps.Keys(p.roles(m))) {
			all = append(all, p.entriesOf(m, r, routes)...)
		}
	}
	return all
}

func (p *program) entriesOf(m *module, r role, routes map[string][]report.Step) []entry[*clause] {
	way := routes[m.name]
	var all []entry[*clause]
	add := func(c *clause, who report.Criticality, handler string, way []report.Step) {
		steps := append(append([]report.Step(nil), way...), c.step())
		all = append(all, entry[*clause]{c, steps, who, handler})
	}
	for _, cb := range callbacks[r] {
		for _, c := range m.functions(cb.name, cb.arity) {
			add(c, cb.who, cb.handler, way)
		}
	}
	for _, c := range m.clauses {
		switch {
		case r == controller && len(c.params) == 2 && !c.private && c.name != "init":
			add(c, report.External, "a controller action", way)
		case r == grpc && len(c.params) == 2 && !c.private:
			add(c, report.External, "a gRPC method", way)
		case r == plugRouter && c.route:
			add(c, report.External, "a request", way)
		}
	}
	for _, c := range m.namedInTop(r) {
		add(c, report.External, "a plug", way)
	}
	if r == schema {
		for _, c := range p.resolvers(m) {
			add(c, report.External, "a resolver", []report.Step{m.step("schema", m.at)})
		}
	}
	return all
}

// namedInTop finds the functions that `plug :name` names.
func (m *module) namedInTop(r role) []*clause {
	if r != controller && r != router && r != plugRouter && r != plugRole && r != endpoint {
		return nil
	}
	var found []*clause
	for _, n := range m.top {
		eachCall(n, func(c *elixir.Call) {
			if c.Target == nil && c.Name == "plug" && len(c.Args) > 0 {
				if a, ok := c.Args[0].(*elixir.Atom); ok {
					found = append(found, m.functions(a.Name, 2)...)
				}
			}
		})
	}
	return found
}

// resolvers finds the functions that a GraphQL schema captures.
func (p *program) resolvers(m *module) []*clause {
	s := &scope{p: p, mod: m}
	var found []*clause
	for _, n := range m.top {
		elixir.Walk(n, func(n elixir.Node) bool {
			if u, ok := n.(*elixir.Unary); ok && u.Op == "&" {
				found = append(found, s.captured(u)...)
			}
			return true
		})
	}
	return found
}

func (c *clause) step() report.Step {
	name := lastPart(c.mod.name) + "." + c.name
	if c.route {
		name = lastPart(c.mod.name) + " " + c.name
	}
	return c.mod.step(name, c.at)
}

func (m *module) step(name string, at elixir.Pos) report.Step {
	return report.Step{Name: name, Position: m.position(at)}
}

func (m *module) position(at elixir.Pos) report.Position {
	return report.Position{File: m.src.path, Line: at.Line, Column: at.Column}
}
