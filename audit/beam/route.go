package beam

import (
	"github.com/headcount-go/headcount/audit/internal/elixir"
	"github.com/headcount-go/headcount/audit/report"
)

// routes finds the way that requests take to a module: through a router, or an endpoint and a socket.
func (p *program) routes() map[string][]report.Step {
	ways := map[string][]report.Step{}
	for _, m := range p.order {
		roles := p.roles(m)
		if roles[router] || roles[plugRouter] || roles[endpoint] || roles[plugRole] {
			name := "router"
			if roles[endpoint] {
				name = "endpoint"
			} else if !roles[router] && !roles[plugRouter] {
				name = lastPart(m.name)
			}
			for _, n := range m.top {
				p.route(ways, m, name, nil, n)
			}
		}
	}
	for _, m := range p.order {
		if p.roles(m)[socket] {
			p.channels(ways, m)
		}
	}
	return ways
}

// route takes in one line of a router: get "/rooms", RoomController, :index. prefixes are the modules that the scopes
// around it put before its names.
func (p *program) route(ways map[string][]report.Step, m *module, name string, prefixes []string, n elixir.Node) {
	c, ok := n.(*elixir.Call)
	if !ok || c.Target != nil {
		return
	}
	if c.Name == "scope" {
		if prefix := scopeAlias(m, c); prefix != "" {
			if len(prefixes) > 0 {
				prefix = prefixes[len(prefixes)-1] + "." + prefix
			}
			prefixes = append(append([]string(nil), prefixes...), prefix)
		}
	} else {
		for _, a := range c.Args {
			if target := p.routed(m, prefixes, a); target != "" && ways[target] == nil {
				ways[target] = []report.Step{m.step(name, c.Pos)}
			}
		}
	}
	for _, s := range c.Sections {
		if s.Body != nil {
			for _, e := range s.Body.Exprs {
				p.route(ways, m, name, prefixes, e)
			}
		}
	}
}

// scopeAlias is the module of scope "/", MyAppWeb do or scope path: "/", alias: MyAppWeb do.
func scopeAlias(m *module, c *elixir.Call) string {
	for _, a := range c.Args {
		if _, ok := a.(*elixir.Alias); ok {
			return m.moduleName(a, m.aliases)
		}
		if v, ok := elixir.Lookup(a, "alias"); ok {
			return m.moduleName(v, m.aliases)
		}
	}
	return ""
}

func (p *program) routed(m *module, prefixes []string, n elixir.Node) string {
	if _, ok := n.(*elixir.Alias); !ok {
		return ""
	}
	name := m.moduleName(n, m.aliases)
	for i := len(prefixes) - 1; i >= 0; i-- {
		if full := prefixes[i] + "." + name; p.modules[full] != nil {
			return full
		}
	}
	if p.modules[name] != nil {
		return name
	}
	return ""
}

// channels takes in channel "room:*", RoomChannel of a socket.
func (p *program) channels(ways map[string][]report.Step, m *module) {
	way := append(append([]report.Step(nil), ways[m.name]...), m.step(lastPart(m.name), m.at))
	for _, n := range m.top {
		c, ok := n.(*elixir.Call)
		if !ok || c.Target != nil || c.Name != "channel" || len(c.Args) < 2 {
			continue
		}
		if target := p.routed(m, nil, c.Args[1]); target != "" && ways[target] == nil {
			ways[target] = way
		}
	}
}
