package erlang

// beginsMaybe tells the keyword from the atom, which old code may use: a block begins with an expression.
func (p *parser) beginsMaybe() bool {
	switch next := p.ahead(1); next.kind {
	case dot, end:
		return false
	case sign:
		switch p.text(next) {
		case "{", "[", "<<", "#", "?":
			return true
		}
		return false
	case word:
		switch p.text(next) {
		case "begin", "case", "if", "receive", "try", "fun", "catch":
			return true
		}
		return false
	}
	return true
}

// keyword reads what a reserved word begins.
func (p *parser) keyword() Node {
	if !p.deeper() {
		return nil
	}
	defer func() { p.depth-- }()
	t := p.take()
	b := &Block{Pos: t.pos(), Keyword: p.text(t)}
	switch b.Keyword {
	case "fun":
		return p.fun(t)
	case "begin":
		b.Body = p.expressions()
	case "case":
		b.Subject = []Node{p.expression()}
		p.expect("of")
		p.clauses(b)
	case "if":
		p.tests(b)
	case "receive":
		if !p.is(p.peek(), "after") {
			p.clauses(b)
		}
		if p.accept("after") {
			b.Timeout = p.expression()
			p.expect("->")
			b.After = p.expressions()
		}
	case "try":
		p.try(b)
	case "maybe":
		b.Body = p.expressions()
		if next := p.peek(); next.kind == atom && p.text(next) == "else" {
			p.take()
			p.clauses(b)
		}
	default:
		p.i--
		p.fail("expected an expression")
		return nil
	}
	p.expect("end")
	return b
}

// clauses reads patterns with their bodies.
func (p *parser) clauses(b *Block) {
	for p.err == nil {
		c := &Clause{Pos: p.peek().pos(), Params: []Node{pattern(p.expression())}}
		if !p.standsForClauses(c.Params[0]) {
			p.clauseRest(c)
		}
		b.Clauses = append(b.Clauses, c)
		if !p.accept(";") {
			return
		}
	}
}

// pattern takes back that a macro behind a colon is the name of what is called: nothing is called in throw:?FAILURE(X).
func pattern(n Node) Node {
	if c, ok := n.(*Call); ok && c.Module != nil {
		if m, ok := c.Fun.(*Macro); ok {
			return &Op{Pos: c.Pos, Op: ":", Left: c.Module, Right: &Macro{Pos: m.Pos, Name: m.Name, Called: true, Args: c.Args}}
		}
	}
	return n
}

// standsForClauses reports whether n is a macro that is not the pattern of a clause but holds whole ones.
func (p *parser) standsForClauses(n Node) bool {
	_, ok := n.(*Macro)
	return ok && !p.is(p.peek(), "->") && !p.is(p.peek(), "when")
}

// tests reads the branches of if, which have a guard alone.
func (p *parser) tests(b *Block) {
	for p.err == nil {
		c := &Clause{Pos: p.peek().pos(), Guard: p.expressions()}
		for p.accept(";") {
			c.Guard = append(c.Guard, p.expressions()...)
		}
		p.expect("->")
		c.Body = p.expressions()
		b.Clauses = append(b.Clauses, c)
		if !p.accept(";") {
			return
		}
	}
}

func (p *parser) try(b *Block) {
	b.Subject = p.expressions()
	if p.accept("of") {
		p.clauses(b)
	}
	if p.accept("catch") {
		p.clauses(b)
	}
	if p.accept("after") {
		b.After = p.expressions()
	}
}

// fun reads fun (...) -> ... end, fun Name(...) -> ... end, fun name/1 and fun mod:name/1.
func (p *parser) fun(t token) Node {
	if next := p.peek(); p.is(next, "(") || next.kind == variable && p.is(p.ahead(1), "(") {
		f := &Fun{Pos: t.pos()}
		for p.err == nil {
			c := &Clause{Pos: p.peek().pos()}
			if name := p.peek(); name.kind == variable {
				p.take()
				f.Name = p.text(name)
			}
			p.expect("(")
			c.Params = p.until(")")
			p.clauseRest(c)
			f.Clauses = append(f.Clauses, c)
			if !p.accept(";") {
				break
			}
		}
		p.expect("end")
		return f
	}
	r := &FunRef{Pos: t.pos(), Name: p.primary()}
	if p.accept(":") {
		r.Module, r.Name = r.Name, p.primary()
	}
	if p.accept("/") {
		r.Arity = p.primary()
	} else if _, ok := r.Name.(*Macro); !ok { // fun ?NAME may hold name/1
		p.fail("expected / and the arity")
	}
	return r
}
