package elixir

import (
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
)

// outline writes a tree in the lines of testdata/oracle.exs.
type outline struct{ strings.Builder }

func outlineOf(f *File) string {
	var o outline
	o.block(f.Body)
	return o.String()
}

func (o *outline) line(format string, args ...any) { fmt.Fprintf(o, format+"\n", args...) }

// placed writes a line with the place of the node.
func (o *outline) placed(n Node, format string, args ...any) {
	p := n.Position()
	o.line("%s@%d:%d", fmt.Sprintf(format, args...), p.Line, p.Column)
}

func (o *outline) nodes(list []Node) {
	for _, n := range list {
		o.node(n)
	}
}

func (o *outline) block(b *Block) {
	if len(b.Exprs) == 1 {
		o.node(b.Exprs[0])
		return
	}
	o.line("block %d", len(b.Exprs))
	o.nodes(b.Exprs)
}

func (o *outline) node(n Node) {
	switch n := n.(type) {
	case *Block:
		if len(n.Exprs) > 0 {
			if _, ok := n.Exprs[0].(*Clause); ok {
				o.clauseNodes(n.Exprs)
				return
			}
		}
		o.block(n)
	case *Ident:
		o.placed(n, "name %s", escaped(n.Name))
	case *Alias:
		if n.Base == nil {
			o.placed(n, "alias %s", n.Name)
			return
		}
		o.line("alias_of %s", n.Name)
		o.node(n.Base)
	case *Number:
		if strings.ContainsAny(n.Text, ".") && n.Text[0] != '?' {
			o.placed(n, "float")
			return
		}
		o.placed(n, "number %s", integer(n))
	case *Fn:
		o.placed(n, "fn")
		o.clauses(n.Clauses)
	case *Access:
		o.line("access")
		o.node(n.X)
		o.node(n.Key)
	case *Call:
		o.call(n)
	case *Unary:
		o.line("call %s 1", escaped(n.Op))
		o.node(n.X)
	case *Binop:
		o.binop(n)
	default:
		o.container(n)
	}
}

func (o *outline) container(n Node) {
	switch n := n.(type) {
	case *Atom:
		o.placed(n, "atom %s %d", escaped(n.Name), len(n.Parts))
		o.nodes(n.Parts)
	case *String:
		what := "string"
		if n.Charlist {
			what = "charlist"
		}
		o.placed(n, "%s %s %d", what, summed(n.Text), len(n.Parts))
		o.nodes(n.Parts)
	case *Sigil:
		o.placed(n, "sigil %s %s %s %d", n.Name, n.Modifiers, summed(n.Text), len(n.Parts))
		o.nodes(n.Parts)
	case *List:
		if n.Unbraced {
			o.line("keywords %d", len(n.Elems))
		} else {
			o.placed(n, "list %d", len(n.Elems))
		}
		o.nodes(n.Elems)
	case *Pair:
		o.line("pair")
		o.node(n.Key)
		o.node(n.Value)
	case *Tuple:
		o.placed(n, "tuple %d", len(n.Elems))
		o.nodes(n.Elems)
	case *Binary:
		o.placed(n, "bits %d", len(n.Elems))
		o.nodes(n.Elems)
	case *Map:
		o.mapping(n)
	default:
		o.line("unknown %T", n)
	}
}

func (o *outline) mapping(m *Map) {
	if m.Struct != nil {
		o.placed(m, "struct")
		o.node(m.Struct)
	}
	if m.Update != nil {
		o.line("update %d", len(m.Elems))
		o.node(m.Update)
	} else {
		o.line("map %d", len(m.Elems))
	}
	o.nodes(m.Elems)
}

func (o *outline) binop(b *Binop) {
	left, ok := b.Left.(*Binop)
	switch {
	case b.Op == "//" && ok && left.Op == "..":
		o.line("call %s 3", escaped("..//"))
		o.nodes([]Node{left.Left, left.Right, b.Right})
		return
	case b.Op == "not in":
		o.line("call not 1")
		o.line("call in 2")
	case b.Op == "in" && ok && left.Op == "not in":
		// Elixir takes the not of what is left out of it, in a not in b in c too.
		o.binop(&Binop{Op: "not in", Left: &Binop{Op: "in", Left: left.Left, Right: left.Right}, Right: b.Right})
		return
	default:
		o.line("call %s 2", escaped(b.Op))
	}
	o.node(b.Left)
	o.node(b.Right)
}

func (o *outline) call(c *Call) {
	arity := len(c.Args)
	if c.Sections != nil {
		arity++
	}
	switch {
	case c.Target == nil:
		o.placed(c, "call %s %d", escaped(c.Name), arity)
	case c.Name == "":
		o.placed(c, "apply %d", arity)
		o.node(c.Target)
	default:
		what := "remote"
		if !c.Parens && c.Args == nil && c.Sections == nil && c.Name != "{}" {
			what = "select"
		}
		o.placed(c, "%s %s %d", what, escaped(c.Name), arity)
		o.node(c.Target)
	}
	o.nodes(c.Args)
	if c.Sections == nil {
		return
	}
	o.line("keywords %d", len(c.Sections))
	for _, s := range c.Sections {
		o.line("pair")
		o.line("atom %s 0@-", s.Name)
		if s.Clauses != nil {
			o.clauses(s.Clauses)
		} else {
			o.block(s.Body)
		}
	}
}

func (o *outline) clauses(list []*Clause) {
	o.line("clauses %d", len(list))
	for _, c := range list {
		o.clause(c)
	}
}

func (o *outline) clauseNodes(list []Node) {
	o.line("clauses %d", len(list))
	for _, n := range list {
		o.clause(n.(*Clause))
	}
}

func (o *outline) clause(c *Clause) {
	if c.Guard != nil {
		o.line("clause %d guard", len(c.Args))
	} else {
		o.line("clause %d", len(c.Args))
	}
	o.nodes(c.Args)
	if c.Guard != nil {
		o.node(c.Guard)
	}
	if len(c.Body.Exprs) == 0 {
		o.line("atom nil 0@-")
		return
	}
	o.block(c.Body)
}

// integer is the value of n in decimal, however large.
func integer(n *Number) string {
	if v, ok := n.Int(); ok {
		return fmt.Sprint(v)
	}
	v, ok := new(big.Int).SetString(n.Text, 0)
	if !ok {
		return "unreadable " + n.Text
	}
	return v.String()
}

func summed(s string) string { return fmt.Sprintf("%d:%d", len(s), crc32.ChecksumIEEE([]byte(s))) }

func escaped(s string) string {
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; isLetter(c) || isDigit(c) || strings.IndexByte("-.~", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
