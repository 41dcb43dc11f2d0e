package beam

import (
	"maps"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// A program is all modules of a code base by name, with its configuration.
type program struct {
	modules map[string]*module
	order   []*module // as they stand in the files
	config  *config
	// fuel is how many steps may still be taken to find a value: the code under review may go in circles.
	fuel int
}

// A source is one file that could be read.
type source struct {
	path string // as the caller gave it
	text []string
	file *elixir.File
	// bound is what bindings has found, once it was asked.
	bound map[string][]*elixir.Binop
}

// A module is what defmodule makes. What stands in a file outside any module is one without a name.
type module struct {
	name    string
	src     *source
	at      elixir.Pos
	uses    []use
	aliases map[string]string // Foo to MyApp.Foo
	imports []string
	attrs   map[string][]elixir.Node
	clauses []*clause
	byName  map[string][]*clause
	called  map[signature][]*clause // what functions has found
	// top is what is run while the module is compiled: calls of macros such as plug, get and socket.
	top   []elixir.Node
	roles map[role]bool // once they were asked for
}

// A use is `use Module, arg`.
type use struct {
	module string
	arg    elixir.Node
	at     elixir.Pos
}

// A clause is one clause of a function. A function is all clauses of its name.
type clause struct {
	mod     *module
	name    string
	params  []elixir.Node
	body    *elixir.Block // whose last expression is returned
	code    elixir.Node   // all of it, with rescue, after and the like
	at      elixir.Pos
	private bool
	macro   bool
	route   bool // get "/rooms" do ... end of a Plug.Router: no function, but code that a request runs
	aliases map[string]string
	bound   map[string][]*elixir.Binop // as of a source
}

func (c *clause) symbol() string {
	switch {
	case c.mod.name == "":
		return c.name
	case c.route:
		return c.mod.name + " " + c.name
	}
	return c.mod.name + "." + c.name + "/" + itoa(len(c.params))
}

// takes reports whether the clause can be called with n arguments: parameters with a default may be left out.
func (c *clause) takes(n int) bool {
	least := 0
	for _, p := range c.params {
		if !isDefault(p) {
			least++
		}
	}
	return least <= n && n <= len(c.params)
}

func isDefault(p elixir.Node) bool {
	b, ok := p.(*elixir.Binop)
	return ok && b.Op == `\\`
}

// functions returns the clauses that a call of name with n arguments may run. One clause with defaults gives them to all
// of its arity. The result is the same slice each time: it is shared by all who call the function.
func (m *module) functions(name string, n int) []*clause {
	if len(m.byName[name]) == 0 {
		return nil
	}
	key := signature{name, n}
	found, ok := m.called[key]
	if !ok {
		found = m.withArity(name, n)
		m.called[key] = found
	}
	return found
}

type signature struct {
	name string
	n    int
}

func (m *module) withArity(name string, n int) []*clause {
	arity := -1
	for _, c := range m.byName[name] {
		if c.takes(n) {
			arity = len(c.params)
		}
	}
	var found []*clause
	for _, c := range m.byName[name] {
		if len(c.params) == arity {
			found = append(found, c)
		}
	}
	return found
}

// addFile takes the modules of a file into the program.
func (p *program) addFile(src *source) {
	outside := &module{src: src, aliases: map[string]string{}, attrs: map[string][]elixir.Node{}, byName: map[string][]*clause{}, called: map[signature][]*clause{}}
	p.order = append(p.order, outside)
	p.addBody(outside, src.file.Body)
}

func (p *program) addBody(m *module, body *elixir.Block) {
	if body == nil { // of a section made of clauses
		return
	}
	for _, e := range body.Exprs {
		p.addExpr(m, e)
	}
}

func (p *program) addExpr(m *module, e elixir.Node) {
	switch e := e.(type) {
	case *elixir.Unary:
		if e.Op == "@" {
			if c, ok := e.X.(*elixir.Call); ok && len(c.Args) == 1 {
				m.attrs[c.Name] = append(m.attrs[c.Name], c.Args[0])
			}
		}
	case *elixir.Call:
		p.addCall(m, e)
	default:
		m.top = append(m.top, e)
	}
}

func (p *program) addCall(m *module, c *elixir.Call) {
	if c.Target != nil {
		m.top = append(m.top, c)
		return
	}
	switch c.Name {
	case "defmodule", "defimpl", "defprotocol":
		p.addModule(m, c)
	case "def", "defp", "defmacro", "defmacrop":
		m.addFunction(c)
	case "defdelegate":
		m.addDelegate(c)
	case "alias":
		addAlias(m, m.aliases, c)
	case "import", "require":
		m.addImport(c)
	case "use":
		m.addUse(c)
	default:
		if m.addRoute(c) {
			return
		}
		m.top = append(m.top, c)
		if holdsDefinitions[c.Name] {
			for _, s := range c.Sections {
				p.addBody(m, s.Body)
			}
		}
	}
}

// holdsDefinitions are the macros around definitions that are made on a condition.
var holdsDefinitions = map[string]bool{"if": true, "unless": true, "cond": true, "case": true, "for": true}

func (p *program) addModule(outer *module, c *elixir.Call) {
	body := bodyOf(c)
	if len(c.Args) == 0 || body == nil {
		return
	}
	written, ok := c.Args[0].(*elixir.Alias)
	if !ok {
		return
	}
	m := &module{
		src: outer.src, at: c.Pos, aliases: maps.Clone(outer.aliases), imports: outer.imports,
		attrs: map[string][]elixir.Node{}, byName: map[string][]*clause{}, called: map[signature][]*clause{},
	}
	m.name = written.Name
	switch {
	case c.Name == "defimpl":
		m.name = aliased(outer.aliases, written.Name)
		if of, ok := elixir.Lookup(last(c.Args), "for"); ok {
			if a, ok := of.(*elixir.Alias); ok {
				m.name += "." + aliased(outer.aliases, a.Name)
			}
		}
	case outer.name != "":
		m.name = outer.name + "." + written.Name
		first, _, _ := strings.Cut(written.Name, ".")
		outer.aliases[first] = outer.name + "." + first
		m.aliases[first] = outer.name + "." + first
	}
	p.modules[m.name] = m
	p.order = append(p.order, m)
	p.addBody(m, body)
}

func (m *module) addFunction(c *elixir.Call) {
	if len(c.Args) == 0 {
		return
	}
	head := c.Args[0]
	if b, ok := head.(*elixir.Binop); ok && b.Op == "when" {
		head = b.Left
	}
	f := &clause{mod: m, at: c.Pos, private: strings.HasSuffix(c.Name, "p"), macro: strings.HasPrefix(c.Name, "defmacro"), aliases: m.aliases}
	switch h := head.(type) {
	case *elixir.Ident:
		f.name = h.Name
	case *elixir.Call:
		f.name, f.params = h.Name, h.Args
	default:
		return
	}
	f.body = bodyOf(c)
	if f.body == nil {
		m.headOf(f)
		return
	}
	f.code = f.body
	if len(c.Sections) > 1 {
		f.code = &elixir.Call{Pos: c.Pos, Name: "try", Sections: c.Sections}
	}
	f.scopeAliases()
	m.clauses = append(m.clauses, f)
	m.byName[f.name] = append(m.byName[f.name], f)
}

// addDelegate takes in defdelegate open(id), to: Rooms, as: :start as the function that it makes.
func (m *module) addDelegate(c *elixir.Call) {
	if len(c.Args) != 2 {
		return
	}
	head, isCall := c.Args[0].(*elixir.Call)
	to, ok := elixir.Lookup(c.Args[1], "to")
	if !isCall || !ok {
		return
	}
	call := &elixir.Call{Pos: head.Pos, Target: to, Name: head.Name, Parens: true}
	if as, ok := elixir.Lookup(c.Args[1], "as"); ok {
		if a, ok := as.(*elixir.Atom); ok {
			call.Name = a.Name
		}
	}
	for _, p := range head.Args {
		if b, ok := p.(*elixir.Binop); ok && isDefault(p) {
			p = b.Left
		}
		call.Args = append(call.Args, p)
	}
	body := &elixir.Block{Pos: head.Pos, Exprs: []elixir.Node{call}}
	f := &clause{mod: m, name: head.Name, params: head.Args, body: body, code: body, at: c.Pos, aliases: m.aliases}
	m.clauses = append(m.clauses, f)
	m.byName[f.name] = append(m.byName[f.name], f)
}

// headOf notes a head without a body, which gives the defaults of the clauses that follow.
func (m *module) headOf(f *clause) {
	f.body = &elixir.Block{Pos: f.at}
	f.code = f.body
	m.byName[f.name] = append(m.byName[f.name], f)
}

// bodyOf returns the body of a definition with a do-block or with do: value; nil where it has none.
func bodyOf(c *elixir.Call) *elixir.Block {
	for _, s := range c.Sections {
		if s.Name == "do" {
			if s.Body == nil {
				return &elixir.Block{Pos: c.Pos}
			}
			return s.Body
		}
	}
	do, ok := elixir.Lookup(last(c.Args), "do")
	if !ok {
		return nil
	}
	if b, ok := do.(*elixir.Block); ok {
		return b
	}
	return &elixir.Block{Pos: do.Position(), Exprs: []elixir.Node{do}}
}

// scopeAliases gives a function that has aliases of its own a table of its own.
func (c *clause) scopeAliases() {
	own := false
	elixir.Walk(c.code, func(n elixir.Node) bool {
		if call, ok := n.(*elixir.Call); ok && call.Target == nil && call.Name == "alias" {
			if !own {
				c.aliases, own = maps.Clone(c.aliases), true
			}
			addAlias(c.mod, c.aliases, call)
		}
		return true
	})
}

func (m *module) addImport(c *elixir.Call) {
	if len(c.Args) == 0 {
		return
	}
	name := m.moduleName(c.Args[0], m.aliases)
	if c.Name == "import" && name != "" {
		m.imports = append(m.imports, name)
	}
	if as, ok := elixir.Lookup(last(c.Args), "as"); ok && name != "" {
		if a, ok := as.(*elixir.Alias); ok {
			m.aliases[a.Name] = name
		}
	}
}

func (m *module) addUse(c *elixir.Call) {
	if len(c.Args) == 0 {
		return
	}
	u := use{module: m.moduleName(c.Args[0], m.aliases), at: c.Pos}
	if len(c.Args) > 1 {
		u.arg = c.Args[1]
	}
	if u.module != "" {
		m.uses = append(m.uses, u)
	}
}
