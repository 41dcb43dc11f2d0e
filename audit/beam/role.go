package beam

import (
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// A role is what a module is to the world: it decides which of its functions are called from outside.
type role string

const (
	controller    role = "controller"
	liveView      role = "live_view"
	liveComponent role = "live_component"
	channel       role = "channel"
	socket        role = "socket"
	router        role = "router"
	plugRole      role = "plug"
	plugRouter    role = "plug router"
	endpoint      role = "endpoint"
	webSock       role = "websocket"
	rawHandler    role = "handler"
	grpc          role = "grpc"
	schema        role = "schema"
	consumer      role = "consumer"
	worker        role = "worker"
	genServer     role = "genserver"
	application   role = "application"
)

// roleOf is the role that a module gets by use, import or @behaviour of another.
var roleOf = map[string]role{
	"Phoenix.Controller": controller, "Phoenix.LiveView": liveView, "Phoenix.LiveComponent": liveComponent,
	"Phoenix.Channel": channel, "Phoenix.Socket": socket, "Phoenix.Router": router, "Phoenix.Endpoint": endpoint,
	"Plug": plugRole, "Plug.Builder": plugRole, "Plug.Router": plugRouter, "Phoenix.Socket.Transport": webSock, "WebSock": webSock,
	":cowboy_websocket": webSock, ":cowboy_handler": rawHandler, ":ranch_protocol": rawHandler, "ThousandIsland.Handler": rawHandler,
	"GRPC.Server": grpc, "Absinthe.Schema": schema, "Absinthe.Schema.Notation": schema,
	"Broadway": consumer, "GenRMQ.Consumer": consumer, "Oban.Worker": worker, "Oban.Pro.Worker": worker, "GenStage": genServer,
	"GenServer": genServer, ":gen_server": genServer, ":gen_statem": genServer, "GenStateMachine": genServer,
	"Application": application, "Mix.Task": application,
}

// roleNamed is the role by `use MyAppWeb, :controller` where MyAppWeb itself does not tell.
var roleNamed = map[string]role{
	"controller": controller, "live_view": liveView, "live_component": liveComponent, "channel": channel, "router": router,
}

// roles finds the roles of a module, also those that come by its own code base's `use MyAppWeb, :controller`.
func (p *program) roles(m *module) map[role]bool {
	if m.roles != nil {
		return m.roles
	}
	found := map[role]bool{}
	m.roles = found
	for _, u := range m.uses {
		p.rolesByUse(found, u, 0)
	}
	for _, b := range m.attrs["behaviour"] {
		if r, ok := roleOf[m.moduleName(b, m.aliases)]; ok {
			found[r] = true
		}
	}
	if len(m.functions("call", 2)) > 0 && len(m.functions("init", 1)) > 0 && imports(m, "Plug.Conn") {
		found[plugRole] = true
	}
	return found
}

func imports(m *module, name string) bool {
	for _, i := range m.imports {
		if i == name {
			return true
		}
	}
	return false
}

func (p *program) rolesByUse(found map[role]bool, u use, depth int) {
	if r, ok := roleOf[u.module]; ok {
		found[r] = true
		return
	}
	which := ""
	if a, ok := u.arg.(*elixir.Atom); ok {
		which = a.Name
	}
	m := p.modules[u.module]
	if m == nil || depth > 4 {
		if r, ok := roleNamed[which]; ok && strings.HasSuffix(u.module, "Web") {
			found[r] = true
		}
		return
	}
	for _, c := range slices.Concat(m.byName["__using__"], m.byName[which]) {
		p.rolesInQuote(found, c, depth)
	}
}

// rolesInQuote reads the `use` in the quoted code that a macro gives, and what that code calls of its own module:
// unquote(verified_routes()).
func (p *program) rolesInQuote(found map[role]bool, c *clause, depth int) {
	s := p.enter(c, nil, nil)
	eachCall(c.code, func(call *elixir.Call) {
		if call.Target != nil || call.Name != "use" || len(call.Args) == 0 {
			return
		}
		inner := use{module: s.moduleName(call.Args[0])}
		if len(call.Args) > 1 {
			inner.arg = call.Args[1]
		}
		p.rolesByUse(found, inner, depth+1)
	})
}

// routeVerbs are the macros of Plug.Router that hold code.
var routeVerbs = map[string]bool{
	"get": true, "post": true, "put": true, "patch": true, "delete": true, "options": true, "head": true, "match": true,
}

// addRoute takes in get "/rooms" do ... end as a clause of its own.
func (m *module) addRoute(c *elixir.Call) bool {
	if !routeVerbs[c.Name] || len(c.Args) == 0 {
		return false
	}
	body := bodyOf(c)
	if body == nil {
		return false
	}
	name := c.Name
	if path, ok := c.Args[0].(*elixir.String); ok {
		name += " " + path.Text
	}
	f := &clause{mod: m, name: name, body: body, code: body, at: c.Pos, aliases: m.aliases, route: true}
	f.scopeAliases()
	m.clauses = append(m.clauses, f)
	return true
}
