package elixir

// expr reads an expression of operators that bind at least as tight as least, by precedence climbing.
func (p *parser) expr(least uint16) Node {
	height := p.enter()
	left := p.unary()
	for {
		t := p.tok
		if !isInfix(t.kind) || t.op.prec < least {
			break
		}
		p.advance()
		p.skip(tNewline)
		p.grow()
		left = &Binop{Pos: left.Position(), Op: t.op.text, Left: left, Right: p.rightOperand(t.op)}
	}
	p.leave(height)
	return left
}

func isInfix(k kind) bool {
	return k == tBinary || k == tDual || k == tRange || k == tStep
}

func (p *parser) rightOperand(op *operator) Node {
	if op.text == "when" && p.atKey() {
		return p.openKeywords()
	}
	least := op.prec
	if !op.right {
		least++
	}
	return p.expr(least)
}

// unary reads an operand with the operators before it and the calls and accesses behind it.
func (p *parser) unary() Node {
	t := p.tok
	switch {
	case t.kind == tDual || t.kind == tUnary && t.op.prec == precUnary:
		p.advance()
		p.skip(tNewline)
		return p.negated(&Unary{Pos: t.pos(), Op: t.op.text, X: p.expr(precUnary)})
	case t.kind == tStep:
		// &//2 captures the operator /.
		p.advance()
		p.skip(tNewline)
		return &Binop{Pos: t.pos(), Op: "/", Left: &Ident{Pos: t.pos(), Name: "/"}, Right: p.expr(precUnary)}
	case t.kind == tUnary && t.op.prec == precCapture:
		p.advance()
		p.skip(tNewline)
		if p.at(tNumber) {
			return p.postfix(&Unary{Pos: t.pos(), Op: t.op.text, X: p.number()})
		}
		return &Unary{Pos: t.pos(), Op: t.op.text, X: p.expr(precCapture + 1)}
	case t.kind == tUnary:
		return p.postfix(p.attribute())
	}
	return p.postfix(p.primary())
}

// negated reads on behind not x and !x: with in they mean not (x in y).
func (p *parser) negated(u *Unary) Node {
	if u.Op != "not" && u.Op != "!" || !p.at(tBinary) || p.tok.op.text != "in" {
		return u
	}
	in := p.advance()
	p.skip(tNewline)
	p.grow()
	u.X = &Binop{Pos: u.X.Position(), Op: "in", Left: u.X, Right: p.rightOperand(in.op)}
	return u
}

// attribute reads @ and its operand, which a dot or bracket behind it does not belong to: @name[key] is (@name)[key].
func (p *parser) attribute() Node {
	t := p.advance()
	p.skip(tNewline)
	height := p.enter()
	defer func() { p.leave(height) }()
	switch p.tok.kind {
	case tUnary, tDual:
		return &Unary{Pos: t.pos(), Op: t.op.text, X: p.unary()}
	}
	return &Unary{Pos: t.pos(), Op: t.op.text, X: p.primary()}
}

// postfix reads what follows an operand: .name, .(args), .{names}, [key] and a second pair of parentheses.
func (p *parser) postfix(x Node) Node {
	for {
		switch p.tok.kind {
		case tDot:
			p.grow()
			x = p.selection(x)
		case tDotCall:
			p.grow()
			p.advance()
			x = p.callResults(&Call{Pos: x.Position(), Target: x, Parens: true, Args: p.parenArgs()})
		case tLBracket:
			if call, ok := x.(*Call); ok && call.Sections != nil {
				return x
			}
			p.grow()
			x = p.access(x)
		default:
			return x
		}
		if call, ok := x.(*Call); ok && (call.Sections != nil || !call.Parens && len(call.Args) > 0) {
			return x
		}
	}
}

// selection reads a dot and what it selects.
func (p *parser) selection(x Node) Node {
	p.advance()
	switch p.tok.kind {
	case tIdent:
		return p.call(x)
	case tAlias:
		return p.alias(x)
	case tLBrace:
		open := p.advance()
		return &Call{Pos: x.Position(), Target: x, Name: "{}", Args: p.container(tRBrace, open)}
	}
	p.expected("a name, ( or { behind the dot")
	return nil
}

// access reads [key] behind x.
func (p *parser) access(x Node) Node {
	open := p.advance()
	defer p.allowDo()()
	p.skip(tNewline)
	var key Node
	if p.atKey() {
		key = &List{Pos: p.tok.pos(), Elems: p.keywords(), Unbraced: true}
	} else {
		key = p.expr(0)
		p.skip(tComma)
	}
	p.closing(tRBracket, open)
	return &Access{Pos: x.Position(), X: x, Key: key}
}

// allowDo lets calls have do-blocks again, as within brackets; its result restores what was.
func (p *parser) allowDo() (restore func()) {
	before := p.noDo
	p.noDo = false
	return func() { p.noDo = before }
}
