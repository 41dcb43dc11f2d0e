package beam

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/headcount-go/headcount/audit/internal/elixir"
)

// A scalar is the value of an option.
type scalar struct {
	kind scalarKind
	n    int64
	text string // an atom's or a module's name; of an expression and a number, as it is written
}

type scalarKind int

const (
	unknown scalarKind = iota
	number
	atom
	expression
)

// show writes a value as it stands in code.
func (s scalar) show() string {
	switch {
	case s.kind == number:
		return fmt.Sprint(s.n)
	case s.kind == atom && !isModuleName(s.text):
		return ":" + s.text
	}
	return s.text
}

// scalar evaluates t as far as the source tells.
func (t term) scalar() scalar {
	v := t.follow()
	if v.node == nil {
		return scalar{}
	}
	switch n := v.node.(type) {
	case *elixir.Number:
		if i, ok := n.Int(); ok {
			return scalar{number, i, n.Text}
		}
	case *elixir.Atom:
		if len(n.Parts) == 0 {
			return scalar{kind: atom, text: n.Name}
		}
	case *elixir.Alias, *elixir.Ident:
		if name := v.in.moduleName(n); name != "" {
			return scalar{kind: atom, text: name}
		}
	case *elixir.Unary:
		if x := (term{n.X, v.in}).scalar(); n.Op == "-" && x.kind == number {
			return scalar{number, -x.n, show(n)}
		}
	case *elixir.Binop:
		return v.arithmetic(n)
	}
	return scalar{kind: expression, text: show(v.node)}
}

func (t term) arithmetic(b *elixir.Binop) scalar {
	left, right := term{b.Left, t.in}.scalar(), term{b.Right, t.in}.scalar()
	if b.Op == "||" {
		if left.kind == atom && (left.text == "nil" || left.text == "false") {
			return right
		}
		if left.kind == number || left.kind == atom {
			return left
		}
	}
	result := scalar{kind: expression, text: show(b)}
	if left.kind != number || right.kind != number {
		return result
	}
	switch b.Op {
	case "+":
		result.n = left.n + right.n
	case "-":
		result.n = left.n - right.n
	case "*":
		result.n = product(left.n, right.n)
	default:
		return result
	}
	result.kind = number
	return result
}

// product stops at the largest number where it would not fit.
func product(a, b int64) int64 {
	if hi, lo := bits.Mul64(uint64(max(a, 0)), uint64(max(b, 0))); hi == 0 && lo <= math.MaxInt64 {
		return a * b
	}
	return math.MaxInt64
}

// library follows the calls of the standard library that read one value. The second result is false for other calls.
func (s *scope) library(c *elixir.Call) (term, bool) {
	name := s.target(c)
	if v, ok := s.applicationEnv(c, name); ok {
		return v, true
	}
	switch name {
	case "Keyword.get", "Keyword.fetch!", "Keyword.pop", "Keyword.pop!", "Map.get", "Map.fetch!":
	default:
		return term{}, false
	}
	if len(c.Args) < 2 {
		return term{}, false
	}
	var byDefault elixir.Node
	if len(c.Args) > 2 {
		byDefault = c.Args[2]
	}
	return s.lookup(c.Args[0], c.Args[1], byDefault), true
}

// lookup reads one key of keywords.
func (s *scope) lookup(of, key, byDefault elixir.Node) term {
	o := term{of, s}.options()
	name := keyName(term{key, s}.follow())
	if v, ok := o.get(name); ok && name != "" {
		return v
	}
	if byDefault != nil && !o.open {
		return term{byDefault, s}
	}
	return term{}
}

// show writes an expression in one line, as a person would and no longer than a table bears.
func show(n elixir.Node) string {
	s := strings.Join(strings.Fields(showNode(n, 0)), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

func showNode(n elixir.Node, depth int) string {
	if n == nil || depth > 8 {
		return "..."
	}
	inner := func(n elixir.Node) string { return showNode(n, depth+1) }
	switch n := n.(type) {
	case *elixir.Ident:
		return n.Name
	case *elixir.Alias:
		if n.Base != nil {
			return inner(n.Base) + "." + n.Name
		}
		return n.Name
	case *elixir.Atom:
		if n.Quoted {
			return `:"` + n.Name + strings.Repeat("#{...}", len(n.Parts)) + `"`
		}
		if n.Name == "nil" || n.Name == "true" || n.Name == "false" {
			return n.Name
		}
		return ":" + n.Name
	case *elixir.Number:
		return n.Text
	case *elixir.String:
		return `"` + n.Text + strings.Repeat("#{...}", len(n.Parts)) + `"`
	case *elixir.Unary:
		return n.Op + inner(n.X)
	case *elixir.Binop:
		return inner(n.Left) + " " + n.Op + " " + inner(n.Right)
	case *elixir.Access:
		return inner(n.X) + "[" + inner(n.Key) + "]"
	case *elixir.Tuple:
		return "{" + showAll(n.Elems, inner) + "}"
	case *elixir.List:
		if n.Unbraced {
			return showAll(n.Elems, inner)
		}
		return "[" + showAll(n.Elems, inner) + "]"
	case *elixir.Pair:
		return strings.TrimPrefix(inner(n.Key), ":") + ": " + inner(n.Value)
	case *elixir.Call:
		s := n.Name
		if n.Target != nil {
			s = inner(n.Target) + "." + n.Name
		}
		if n.Parens || len(n.Args) > 0 {
			s += "(" + showAll(n.Args, inner) + ")"
		}
		return s
	}
	return "..."
}

func showAll(nodes []elixir.Node, show func(elixir.Node) string) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = show(n)
	}
	return strings.Join(parts, ", ")
}
