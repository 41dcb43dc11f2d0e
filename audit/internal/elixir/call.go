package elixir

// call reads a name with the arguments and do-block it may have, behind target and its dot where there is one.
func (p *parser) call(target Node) Node {
	t := p.advance()
	c := &Call{Pos: t.pos(), Target: target, Name: p.text(t)}
	if target != nil {
		c.Pos = target.Position()
	}
	switch {
	case t.flags&flagParen != 0 && p.at(tLParen):
		c.Parens = true
		c.Args = p.parenArgs()
		return p.callResults(c)
	case t.flags&flagBracket != 0:
	case t.flags&flagUnary != 0 || p.beginsArgument():
		c.Args = p.openArgs()
		p.doBlock(c)
	default:
		p.doBlock(c)
	}
	if target == nil && c.Args == nil && c.Sections == nil {
		return &Ident{Pos: c.Pos, Name: c.Name}
	}
	return c
}

// callResults reads the arguments for what a call returns, as in f(x)(y), and the do-block.
func (p *parser) callResults(c *Call) Node {
	for p.at(tLParen) {
		p.grow()
		c = &Call{Pos: c.Pos, Target: c, Parens: true, Args: p.parenArgs()}
	}
	p.doBlock(c)
	return c
}

// beginsArgument reports whether the next token begins an argument of a name without parentheses. What may also stand between
// two operands does so.
func (p *parser) beginsArgument() bool {
	switch p.tok.kind {
	case tIdent, tAlias, tAtom, tKeyword, tNumber, tTextBegin, tLParen, tLBracket, tLBrace, tLBits, tMap, tStruct, tFn, tUnary, tAt, tCapture:
		return true
	}
	return false
}

// openArgs reads arguments without parentheses.
func (p *parser) openArgs() []Node {
	outer := p.scope
	p.noDo = true
	var args []Node
	for {
		if p.atKey() {
			args = append(args, p.openKeywords())
			break
		}
		args = append(args, p.expr(0))
		if !p.skip(tComma) {
			break
		}
	}
	p.scope = outer
	return args
}

// openKeywords reads the keywords that end arguments without parentheses.
func (p *parser) openKeywords() Node {
	list := &List{Pos: p.tok.pos(), Unbraced: true}
	for {
		if !p.atKey() {
			p.expected("key: value, as keywords come last")
		}
		list.Elems = append(list.Elems, p.pair())
		if !p.skip(tComma) {
			return list
		}
	}
}

// parenArgs reads arguments in parentheses.
func (p *parser) parenArgs() []Node {
	open := p.advance()
	return p.container(tRParen, open)
}

// container reads what is separated by commas up to the token that closes it. Keywords come last, as one list.
func (p *parser) container(end kind, open *token) []Node {
	outer := p.allowDo()
	var elems []Node
	p.skip(tNewline)
	for !p.endsBlock() {
		if p.atKey() {
			elems = append(elems, &List{Pos: p.tok.pos(), Elems: p.keywords(), Unbraced: true})
			break
		}
		elems = append(elems, p.expr(0))
		if !p.skip(tComma) {
			break
		}
	}
	p.closing(end, open)
	p.scope = outer
	return elems
}

// listElements reads a list up to its end. Its keywords are elements like others.
func (p *parser) listElements(open *token) []Node {
	outer := p.allowDo()
	var elems []Node
	p.skip(tNewline)
	for !p.endsBlock() {
		if p.atKey() {
			elems = append(elems, p.keywords()...)
			break
		}
		elems = append(elems, p.expr(0))
		if !p.skip(tComma) {
			break
		}
	}
	p.closing(tRBracket, open)
	p.scope = outer
	return elems
}

// keywords reads key: value pairs, and a comma that may end them.
func (p *parser) keywords() []Node {
	var pairs []Node
	for p.atKey() {
		pairs = append(pairs, p.pair())
		if !p.skip(tComma) {
			break
		}
	}
	return pairs
}

func (p *parser) atKey() bool {
	return p.at(tKeyword) || p.at(tTextBegin) && p.tok.text == textKeyword
}

// pair reads key: value.
func (p *parser) pair() Node {
	pos := p.tok.pos()
	var key Node
	if p.at(tKeyword) {
		key = &Atom{Pos: pos, Name: p.text(p.advance())}
	} else {
		key = p.readText()
	}
	p.skip(tNewline)
	return &Pair{Pos: pos, Key: key, Value: p.expr(0)}
}
