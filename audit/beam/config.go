package beam

import (
	"path"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// A config is what the files in config/ say about an application in production: config.exs, then prod.exs, then
// runtime.exs, each over the one before. Files for development and tests say nothing about what runs.
type config struct {
	values map[string][]term // by app, or app and key; a later one wins
}

// configOrder gives the files that count, in the order in which they are read.
var configOrder = map[string]int{"config.exs": 1, "prod.exs": 2, "releases.exs": 3, "runtime.exs": 3}

func isConfig(file string) bool {
	return configOrder[path.Base(file)] > 0 && slices.Contains(strings.Split(path.Dir(file), "/"), "config")
}

// add takes in what a file of configuration says; m holds what stands in the file.
func (c *config) add(p *program, m *module) {
	in := &scope{p: p, mod: m}
	for _, e := range m.src.file.Body.Exprs {
		c.addExpr(in, e)
	}
}

func (c *config) addExpr(in *scope, e elixir.Node) {
	call, ok := e.(*elixir.Call)
	if !ok {
		return
	}
	if call.Target == nil && call.Name == "config" {
		c.addCall(in, call)
		return
	}
	if call.Target != nil || call.Name != "if" || len(call.Args) == 0 {
		return
	}
	if otherEnvironment(call.Args[0]) {
		return
	}
	for _, s := range call.Sections {
		if s.Name == "do" && s.Body != nil {
			for _, e := range s.Body.Exprs {
				c.addExpr(in, e)
			}
		}
	}
}

// otherEnvironment reports whether a condition is about development or tests: config_env() == :test.
func otherEnvironment(n elixir.Node) bool {
	b, ok := n.(*elixir.Binop)
	if !ok || b.Op != "==" {
		return false
	}
	a, ok := b.Right.(*elixir.Atom)
	return ok && (a.Name == "dev" || a.Name == "test")
}

func (c *config) addCall(in *scope, call *elixir.Call) {
	if len(call.Args) < 2 {
		return
	}
	app, ok := call.Args[0].(*elixir.Atom)
	if !ok {
		return
	}
	if len(call.Args) == 2 {
		for _, p := range elixir.Keywords(call.Args[1]) {
			c.put(app.Name, p.Key.(*elixir.Atom).Name, term{p.Value, in})
		}
		return
	}
	if key := configKey(in, call.Args[1]); key != "" {
		c.put(app.Name, key, term{call.Args[2], in})
	}
}

func (c *config) put(app, key string, v term) {
	c.values[app+" "+key] = append(c.values[app+" "+key], v)
}

// configKey is an atom's name or a module's full name.
func configKey(in *scope, n elixir.Node) string {
	return strings.TrimPrefix(in.moduleName(n), ":")
}

// get returns the value of a key; false where nothing is said about it.
func (c *config) get(app, key string) (term, bool) {
	values := c.values[app+" "+key]
	switch len(values) {
	case 0:
		return term{}, false
	case 1:
		return values[0], true
	}
	lastOne := values[len(values)-1]
	if _, ok := lastOne.node.(*elixir.List); !ok {
		return lastOne, true
	}
	return term{&merged{terms: values}, lastOne.in}, true
}

// merged is keywords over keywords: a later term's win.
type merged struct {
	elixir.Pos
	terms []term
}

// applicationEnv follows the calls that read configuration. The second result is false for other calls.
func (s *scope) applicationEnv(c *elixir.Call, name string) (term, bool) {
	switch name {
	case "Application.get_env", "Application.fetch_env!", "Application.compile_env", "Application.compile_env!", "Application.fetch_env":
	default:
		return term{}, false
	}
	if len(c.Args) < 2 {
		return term{}, true
	}
	app := strings.TrimPrefix(s.moduleName(term{c.Args[0], s}.follow().node), ":")
	key := term{c.Args[1], s}.follow()
	path := []elixir.Node{key.node}
	if l, ok := key.node.(*elixir.List); ok {
		path = l.Elems
	}
	if key.node == nil || len(path) == 0 {
		return term{}, true
	}
	v, found := s.p.config.get(app, configKey(key.in, path[0]))
	for _, k := range path[1:] {
		if found {
			v, found = v.options().get(configKey(key.in, k))
		}
	}
	switch {
	case found:
		return v, true
	case len(c.Args) > 2:
		return term{c.Args[2], s}, true
	}
	return term{}, true
}
