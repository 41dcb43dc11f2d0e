package erlang

// The levels of the operators are those of the reference manual: a higher one binds tighter.
const (
	levelMatch   = 100
	levelOrElse  = 150
	levelAndAlso = 160
	levelCompare = 200
	levelList    = 300
	levelAdd     = 400
	levelMul     = 500
)

// level tells how tight an operator binds, and whether it groups to the right; 0 for what is none.
func level(op string) (level int, right bool) {
	switch op {
	case "=", "!", "?=":
		return levelMatch, true
	case "orelse":
		return levelOrElse, true
	case "andalso":
		return levelAndAlso, true
	case "==", "/=", "=<", "<", ">=", ">", "=:=", "=/=":
		return levelCompare, false
	case "++", "--":
		return levelList, true
	case "+", "-", "bor", "bxor", "bsl", "bsr", "or", "xor":
		return levelAdd, false
	case "*", "/", "div", "rem", "band", "and":
		return levelMul, false
	}
	return 0, false
}

func (p *parser) expression() Node { return p.operators(1) }

// operators reads an expression of operators that bind at least as tight as least.
func (p *parser) operators(least int) Node {
	if !p.deeper() {
		return nil
	}
	depth := p.depth
	defer func() { p.depth = depth - 1 }()
	left := p.prefixed()
	for p.err == nil {
		t := p.peek()
		if t.kind != sign && t.kind != word {
			break
		}
		op := p.text(t)
		l, right := level(op)
		if l < least || l == 0 {
			break
		}
		p.take()
		if !p.deeper() { // a chain makes a tree as deep as it is long
			break
		}
		if !right {
			l++
		}
		left = &Op{Pos: t.pos(), Op: op, Left: left, Right: p.operators(l)}
	}
	return left
}

// prefixed reads an operand with what stands before it.
func (p *parser) prefixed() Node {
	t := p.peek()
	if t.kind != sign && t.kind != word {
		return p.postfixed()
	}
	switch op := p.text(t); op {
	case "+", "-", "bnot", "not":
		p.take()
		if !p.deeper() {
			return nil
		}
		defer func() { p.depth-- }()
		return &Op{Pos: t.pos(), Op: op, Right: p.prefixed()}
	case "catch":
		p.take()
		return &Op{Pos: t.pos(), Op: op, Right: p.operators(1)}
	}
	return p.postfixed()
}

// postfixed reads a primary with its calls, fields and changes: mod:f(X)#state.name.
func (p *parser) postfixed() Node {
	depth := p.depth
	defer func() { p.depth = depth }()
	n := p.primary()
	for p.err == nil && p.deeper() {
		t := p.peek()
		switch {
		case p.accept(":"):
			n = remote(t.pos(), n, p.primary())
		case p.accept("("):
			n = called(n, p.until(")"))
		case p.accept("#"):
			n = p.hash(t.pos(), n)
		default:
			return n
		}
	}
	return n
}

// remote makes mod:name of its parts. In mod:?NAME(...) the macro is the function's name: what is called must have one.
func remote(at Pos, module, name Node) Node {
	n := &Op{Pos: at, Op: ":", Left: module, Right: name}
	m, ok := name.(*Macro)
	if !ok || !m.Called {
		return n
	}
	n.Right = &Macro{Pos: m.Pos, Name: m.Name}
	return called(n, m.Args)
}

// called makes a call of what stands before the parentheses.
func called(f Node, args []Node) *Call {
	if o, ok := f.(*Op); ok && o.Op == ":" && o.Left != nil {
		return &Call{Pos: o.Left.Position(), Module: o.Left, Fun: o.Right, Args: args}
	}
	c := &Call{Fun: f, Args: args}
	if f != nil {
		c.Pos = f.Position()
	}
	return c
}

// hash reads what follows #: a map, a record or a field of one.
func (p *parser) hash(at Pos, base Node) Node {
	if p.accept("{") {
		return p.mapFields(at, base)
	}
	name := p.recordName()
	switch {
	case p.accept("{"):
		r := &Record{Pos: at, Base: base, Name: name}
		for p.err == nil && !p.accept("}") {
			f := Field{Key: p.primary()}
			if p.accept("=") {
				f.Value = p.expression()
			}
			r.Fields = append(r.Fields, f)
			p.comma("}")
		}
		return r
	case p.accept("."):
		return &RecordField{Pos: at, Base: base, Name: name, Field: p.recordName()}
	}
	p.fail("expected { or . behind the name of a record")
	return nil
}

// recordName reads an atom or a macro; ?NAME(...) would be another thing.
func (p *parser) recordName() Node {
	t := p.peek()
	switch {
	case t.kind == atom, t.kind == quoted:
		return p.atom()
	case t.kind == word: // records may be named like operators
		p.take()
		return &Atom{t.pos(), p.text(t)}
	case p.accept("?"):
		return &Macro{Pos: t.pos(), Name: p.text(p.take())}
	case t.kind == variable:
		p.take()
		return &Var{t.pos(), p.text(t)}
	}
	p.fail("expected a name")
	return nil
}

// comma reads the comma between two fields; behind the last one the closing bracket follows.
func (p *parser) comma(closing string) {
	if !p.accept(",") && !p.is(p.peek(), closing) {
		p.fail("expected , or " + closing)
	}
}

func (p *parser) mapFields(at Pos, base Node) Node {
	m := &Map{Pos: at, Base: base}
	for p.err == nil && !p.accept("}") {
		f := Field{Key: p.expression()}
		if p.accept("=>") || p.accept(":=") {
			f.Value = p.expression()
		}
		if p.accept("||") {
			return p.comprehension(at, []Node{f.Key, f.Value}, "}")
		}
		m.Fields = append(m.Fields, f)
		p.comma("}")
	}
	return m
}

// comprehension reads what follows ||.
func (p *parser) comprehension(at Pos, yield []Node, closing string) Node {
	c := &Comprehension{Pos: at, Yield: yield}
	for p.err == nil {
		n := p.expression()
		if p.accept(":=") {
			value := p.expression()
			n = &Op{Pos: n.Position(), Op: ":=", Left: n, Right: value}
		}
		for _, arrow := range []string{"<-", "<=", "<:-", "<:="} {
			if t := p.peek(); p.accept(arrow) {
				n = &Op{Pos: t.pos(), Op: arrow, Left: n, Right: p.expression()}
			}
		}
		c.From = append(c.From, n)
		if !p.accept(",") && !p.accept("&&") {
			break
		}
	}
	p.expect(closing)
	return c
}
