package elixir

import "strings"

// primary reads an operand without what may follow it.
func (p *parser) primary() Node {
	t := p.tok
	switch t.kind {
	case tIdent:
		return p.call(nil)
	case tAlias:
		return p.alias(nil)
	case tAtom:
		p.advance()
		return &Atom{Pos: t.pos(), Name: p.text(t)}
	case tNumber:
		return p.number()
	case tTextBegin:
		if t.text != textKeyword {
			return p.readText()
		}
	case tLParen:
		return p.parens()
	case tLBracket:
		p.advance()
		return &List{Pos: t.pos(), Elems: p.listElements(t)}
	case tLBrace:
		p.advance()
		return &Tuple{Pos: t.pos(), Elems: p.container(tRBrace, t)}
	case tLBits:
		p.advance()
		return &Binary{Pos: t.pos(), Elems: p.container(tRBits, t)}
	case tMap, tStruct:
		return p.mapping()
	case tFn:
		return p.function()
	case tCapture:
		if p.atArgument() {
			p.advance()
			p.skip(tNewline)
			return &Unary{Pos: t.pos(), Op: t.operator().text, X: p.number()}
		}
	case tRange:
		// Alone it is the range of everything.
		p.advance()
		return &Ident{Pos: t.pos(), Name: ".."}
	}
	p.expected("an expression")
	return nil
}

func (p *parser) number() Node {
	t := p.advance()
	return &Number{Pos: t.pos(), Text: p.text(t)}
}

// alias reads Foo.Bar, behind base and its dot where there is one.
func (p *parser) alias(base Node) Node {
	first := p.advance()
	a := &Alias{Pos: first.pos(), Base: base, Name: p.text(first)}
	if base != nil {
		a.Pos = base.Position()
	}
	if !p.at(tDot) || p.peek(1).kind != tAlias {
		return a
	}
	var name strings.Builder
	name.WriteString(a.Name)
	for p.at(tDot) && p.peek(1).kind == tAlias {
		p.advance()
		name.WriteByte('.')
		name.WriteString(p.text(p.advance()))
	}
	a.Name = name.String()
	return a
}

// function reads fn clauses end.
func (p *parser) function() Node {
	open := p.advance()
	outer := p.allowDo()
	_, clauses := p.stab(open)
	if clauses == nil {
		p.expected("-> in the fn of line " + lineOf(open))
	}
	p.closing(tEnd, open)
	p.scope = outer
	return &Fn{Pos: open.pos(), Clauses: clauses}
}

// parens reads an expression, a block, or clauses in parentheses; and at the beginning of a clause all its arguments.
func (p *parser) parens() Node {
	begins := p.groupAt == p.next
	open := p.advance()
	outer := p.allowDo()
	body, clauses := p.stab(open)
	p.closing(tRParen, open)
	p.scope = outer
	if clauses != nil {
		body = &Block{Pos: open.pos()}
		for _, c := range clauses {
			body.Exprs = append(body.Exprs, c)
		}
		return body
	}
	if len(body.Exprs) == 0 && begins && p.atClause() {
		return &group{Pos: open.pos()}
	}
	if len(body.Exprs) != 1 {
		return body
	}
	if _, ok := body.Exprs[0].(*group); ok && !(begins && p.atClause()) {
		p.failAt(open, "an expression: arguments in parentheses stand right behind the name of what is called")
	}
	return body.Exprs[0]
}

// atClause reports whether what came before is the arguments of a clause.
func (p *parser) atClause() bool {
	return p.at(tArrow) || p.at(tBinary) && p.tok.operator() == opWhen
}
