package beam

import (
	"strconv"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// addAlias takes `alias A.B`, `alias A.B, as: C` and `alias A.{B, C}` into a table.
func addAlias(m *module, table map[string]string, c *elixir.Call) {
	if len(c.Args) == 0 {
		return
	}
	if group, ok := c.Args[0].(*elixir.Call); ok && group.Target != nil {
		base := m.moduleName(group.Target, table)
		for _, part := range groupParts(group) {
			if a, ok := part.(*elixir.Alias); ok && base != "" {
				table[lastPart(a.Name)] = base + "." + a.Name
			}
		}
		return
	}
	name := m.moduleName(c.Args[0], table)
	if name == "" {
		return
	}
	as := lastPart(name)
	if n, ok := elixir.Lookup(last(c.Args), "as"); ok {
		if a, ok := n.(*elixir.Alias); ok {
			as = a.Name
		}
	}
	table[as] = name
}

// groupParts returns B and C of A.{B, C}.
func groupParts(c *elixir.Call) []elixir.Node {
	if len(c.Args) == 1 {
		if t, ok := c.Args[0].(*elixir.Tuple); ok {
			return t.Elems
		}
	}
	return c.Args
}

// moduleName returns the full name of the module that n names, with a colon for one of Erlang; "" where it names none.
func (m *module) moduleName(n elixir.Node, aliases map[string]string) string {
	switch n := n.(type) {
	case *elixir.Alias:
		if n.Base == nil {
			return aliased(aliases, n.Name)
		}
		base := m.moduleName(n.Base, aliases)
		if base == "" || n.Name == "" {
			return base
		}
		return base + "." + n.Name
	case *elixir.Ident:
		if n.Name == "__MODULE__" {
			return m.name
		}
	case *elixir.Atom:
		if name, ok := strings.CutPrefix(n.Name, "Elixir."); ok {
			return name
		}
		if n.Name != "nil" && n.Name != "true" && n.Name != "false" {
			return ":" + n.Name
		}
	case *elixir.Unary:
		if attr, ok := attribute(n); ok && len(m.attrs[attr]) == 1 {
			return m.moduleName(m.attrs[attr][0], aliases)
		}
	}
	return ""
}

func aliased(table map[string]string, name string) string {
	if name, ok := strings.CutPrefix(name, "Elixir."); ok {
		return name
	}
	first, rest, more := strings.Cut(name, ".")
	full, ok := table[first]
	switch {
	case !ok:
		return name
	case more:
		return full + "." + rest
	}
	return full
}

// attribute reports the name of a module attribute that is read: @name.
func attribute(n elixir.Node) (string, bool) {
	u, ok := n.(*elixir.Unary)
	if !ok || u.Op != "@" {
		return "", false
	}
	id, ok := u.X.(*elixir.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

// piped turns `x |> f(y)` into f(x, y); nil where the right side is no call.
func piped(b *elixir.Binop) *elixir.Call {
	if b.Op != "|>" {
		return nil
	}
	switch r := b.Right.(type) {
	case *elixir.Call:
		c := *r
		c.Args = append([]elixir.Node{b.Left}, r.Args...)
		return &c
	case *elixir.Ident:
		return &elixir.Call{Pos: r.Pos, Name: r.Name, Args: []elixir.Node{b.Left}, Parens: true}
	}
	return nil
}

// callOf returns n as a call: also one that is written with a pipe.
func callOf(n elixir.Node) *elixir.Call {
	switch n := n.(type) {
	case *elixir.Call:
		return n
	case *elixir.Binop:
		return piped(n)
	}
	return nil
}

// eachCall calls f for all calls in n, those with a pipe as if they were written without.
func eachCall(n elixir.Node, f func(*elixir.Call)) {
	elixir.Walk(n, func(n elixir.Node) bool {
		switch n := n.(type) {
		case *elixir.Binop:
			if c := piped(n); c != nil {
				f(c)
				eachCall(c.Target, f)
				for _, a := range c.Args {
					eachCall(a, f)
				}
				eachCallInSections(c.Sections, f)
				return false
			}
		case *elixir.Call:
			f(n)
		}
		return true
	})
}

func eachCallInSections(sections []elixir.Section, f func(*elixir.Call)) {
	for _, s := range sections {
		if s.Body != nil {
			eachCall(s.Body, f)
		}
		for _, c := range s.Clauses {
			eachCall(c, f)
		}
	}
}

func last(nodes []elixir.Node) elixir.Node {
	if len(nodes) == 0 {
		return nil
	}
	return nodes[len(nodes)-1]
}

func lastPart(name string) string { return name[strings.LastIndex(name, ".")+1:] }

func itoa(n int) string { return strconv.Itoa(n) }
