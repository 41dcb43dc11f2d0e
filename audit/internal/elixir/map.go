package elixir

// mapping reads %{...} or %Struct{...}.
func (p *parser) mapping() Node {
	t := p.advance()
	m := &Map{Pos: t.pos()}
	if t.kind == tStruct {
		m.Struct = p.structName()
	}
	p.skip(tNewline)
	if !p.at(tLBrace) {
		p.expected("{ of a map")
	}
	open := p.advance()
	outer := p.allowDo()
	p.skip(tNewline)
	for first := true; !p.endsBlock(); first = false {
		if p.atKey() {
			m.Elems = append(m.Elems, p.keywords()...)
			break
		}
		least := uint16(0)
		if first {
			// The first | is no operator: what is left of it is the map to update.
			least = precPipe + 1
		}
		key := p.expr(least)
		if first && p.at(tBinary) && p.tok.operator().prec == precPipe {
			p.advance()
			p.skip(tNewline)
			m.Update = key
			continue
		}
		m.Elems = append(m.Elems, p.association(key))
		if !p.skip(tComma) {
			break
		}
	}
	p.closing(tRBrace, open)
	p.scope = outer
	return m
}

// association reads => and the value, if there is one: a call may stand for pairs.
func (p *parser) association(key Node) Node {
	if !p.skip(tAssoc) {
		return key
	}
	p.skip(tNewline)
	return &Pair{Pos: key.Position(), Key: key, Value: p.expr(0)}
}

// structName reads the name between % and {: an alias, or whatever a macro or pattern has there.
func (p *parser) structName() Node {
	t := p.tok
	switch t.kind {
	case tUnary, tAt, tDual:
		p.advance()
		height := p.enter()
		x := p.structName()
		p.leave(height)
		return &Unary{Pos: t.pos(), Op: t.operator().text, X: x}
	case tAlias, tAtom, tTextBegin, tLParen:
		return p.structPath(p.primary())
	case tIdent:
		return p.structPath(p.structPart(nil))
	}
	p.expected("the name of a struct, or {")
	return nil
}

// structPath reads the names behind dots.
func (p *parser) structPath(x Node) Node {
	for p.at(tDot) {
		p.grow()
		p.advance()
		switch p.tok.kind {
		case tAlias:
			x = p.alias(x)
		case tIdent:
			x = p.structPart(x)
		default:
			p.expected("a name behind the dot")
		}
	}
	return x
}

// structPart reads a name that has arguments only in parentheses, as { does not begin one here.
func (p *parser) structPart(target Node) Node {
	if p.tok.flags&flagParen != 0 {
		return p.call(target)
	}
	t := p.advance()
	if target == nil {
		return &Ident{Pos: t.pos(), Name: p.text(t)}
	}
	return &Call{Pos: target.Position(), Target: target, Name: p.text(t)}
}
