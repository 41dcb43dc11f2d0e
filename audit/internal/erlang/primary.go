package erlang

import (
	"strconv"
	"strings"
)

// primary reads an expression without operators around it.
func (p *parser) primary() Node {
	t := p.peek()
	switch t.kind {
	case atom, quoted:
		if t.kind == atom && p.text(t) == "maybe" && p.beginsMaybe() {
			return p.keyword()
		}
		return p.atom()
	case variable:
		p.take()
		return &Var{t.pos(), p.text(t)}
	case integer, char:
		p.take()
		return p.integer(t)
	case float:
		p.take()
		return &Float{t.pos(), p.text(t)}
	case text, heredoc:
		return p.strings(t)
	case word:
		return p.keyword()
	case sign:
		return p.bracketed(t)
	}
	p.fail("expected an expression")
	return nil
}

func (p *parser) bracketed(t token) Node {
	switch p.text(t) {
	case "(":
		p.take()
		n := p.expression()
		p.expect(")")
		return n
	case "{":
		p.take()
		return &Tuple{t.pos(), p.until("}")}
	case "[":
		p.take()
		return p.list(t.pos())
	case "<<":
		p.take()
		return p.binary(t.pos())
	case "#":
		p.take()
		return p.hash(t.pos(), nil)
	case "?", "??":
		return p.macro()
	}
	p.fail("expected an expression")
	return nil
}

func (p *parser) atom() *Atom {
	t := p.take()
	name := p.text(t)
	if t.kind == quoted {
		name = unescape(name[1 : len(name)-1])
	}
	return &Atom{t.pos(), name}
}

func (p *parser) integer(t token) Node {
	n := &Int{Pos: t.pos(), Text: p.text(t)}
	if t.kind == char {
		r, size := escape(n.Text[1:])
		if n.Text[1] != '\\' || size == 0 {
			for _, r = range n.Text[1:] {
				break
			}
		}
		n.Value, n.Known = int64(r), true
		return n
	}
	digits, base := strings.ReplaceAll(n.Text, "_", ""), 10
	if b, rest, ok := strings.Cut(digits, "#"); ok {
		base, _ = strconv.Atoi(b)
		digits = rest
	}
	v, err := strconv.ParseInt(digits, base, 64)
	n.Value, n.Known = v, err == nil
	return n
}

// strings reads a row of strings, which are one; macros between them are passed over.
func (p *parser) strings(at token) Node {
	var parts []string
	for p.err == nil {
		switch t := p.peek(); {
		case t.kind == text:
			parts = append(parts, quotedText(p.text(p.take())))
			continue
		case t.kind == heredoc:
			parts = append(parts, heredocText(p.text(p.take())))
			continue
		case p.is(t, "?"), p.is(t, "??"):
			p.macroAlone()
			continue
		}
		break
	}
	return &String{at.pos(), strings.Join(parts, "")}
}

// quotedText is the text of "..." and of a sigil: verbatim for ~S and ~B.
func quotedText(s string) string {
	verbatim := false
	if s[0] == '~' {
		s = s[1:]
		for s[0] >= 'A' && s[0] <= 'Z' || s[0] >= 'a' && s[0] <= 'z' {
			verbatim = s[0] == 'S' || s[0] == 'B'
			s = s[1:]
		}
	}
	s = s[1 : len(s)-1]
	if verbatim {
		return s
	}
	return unescape(s)
}

// heredocText takes the first and the last line away, and from the others what the last one is indented by.
func heredocText(s string) string {
	lines := strings.Split(s, "\n")
	indent := lines[len(lines)-1]
	indent = indent[:len(indent)-len(strings.TrimLeft(indent, " \t"))]
	lines = lines[1 : len(lines)-1]
	for i := range lines {
		lines[i] = strings.TrimSuffix(strings.TrimPrefix(lines[i], indent), "\r")
	}
	return strings.Join(lines, "\n")
}

func (p *parser) list(at Pos) Node {
	l := &List{Pos: at}
	if p.accept("]") {
		return l
	}
	l.Elems = p.expressions()
	switch {
	case p.accept("||"):
		return p.comprehension(at, l.Elems, "]")
	case p.accept("|"):
		l.Tail = p.expression()
	}
	p.expect("]")
	return l
}

// binary reads <<X:Size/type, ...>>.
func (p *parser) binary(at Pos) Node {
	b := &Binary{Pos: at}
	if p.accept(">>") {
		return b
	}
	for p.err == nil {
		b.Elems = append(b.Elems, p.segment())
		if p.accept("||") {
			return p.comprehension(at, b.Elems, ">>")
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(">>")
	return b
}

func (p *parser) segment() Node {
	if !p.deeper() {
		return nil
	}
	defer func() { p.depth-- }()
	var n Node
	switch t := p.peek(); {
	case p.accept("-"), p.accept("+"), p.accept("bnot"), p.accept("not"):
		n = &Op{Pos: t.pos(), Op: p.text(t), Right: p.primary()}
	default:
		n = p.primary()
	}
	if t := p.peek(); p.accept(":") {
		n = &Op{Pos: t.pos(), Op: ":", Left: n, Right: p.primary()}
	}
	if p.accept("/") {
		for p.err == nil {
			p.primary()
			if p.accept(":") {
				p.primary()
			}
			if !p.accept("-") {
				break
			}
		}
	}
	return n
}

// macro reads ?NAME, ?NAME(...) and ??NAME, and passes over the strings that follow it: ?PREFIX "name".
func (p *parser) macro() Node {
	m := p.macroAlone()
	if t := p.peek(); t.kind == text || t.kind == heredoc {
		p.strings(t)
	}
	return m
}

func (p *parser) macroAlone() Node {
	t := p.take()
	name := p.take()
	if name.kind != atom && name.kind != variable && name.kind != word && name.kind != quoted {
		p.i--
		p.fail("expected the name of a macro")
		return nil
	}
	m := &Macro{Pos: t.pos(), Name: p.text(name)}
	if open := p.peek(); p.is(t, "?") && p.is(open, "(") {
		m.Called = true
		p.arguments(m, open)
	}
	return m
}

// arguments reads those of a macro. They are tokens to Erlang: what is no expression is passed over.
func (p *parser) arguments(m *Macro, open token) {
	if !p.deeper() {
		return
	}
	depth := p.depth
	defer func() { p.depth = depth - 1 }()
	p.take()
	for p.err == nil && !p.accept(")") {
		n := p.expression()
		if at := p.peek(); p.accept("when") {
			tests := p.guard()
			n = &Op{Pos: at.pos(), Op: "when", Left: n, Right: &Tuple{at.pos(), tests}}
		}
		m.Args = append(m.Args, n)
		p.comma(")")
	}
	if p.err != nil && open.close > 0 {
		p.err, p.i, p.depth = nil, int(open.close)+1, depth
		m.Args = []Node{&Type{m.Pos}}
	}
}
