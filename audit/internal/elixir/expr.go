package elixir

import "strings"

// expr reads an expression of operators that bind at least as tight as least, by precedence climbing.
func (p *parser) expr(least uint16) Node {
	height := p.enter()
	x := p.unary(least)
	if _, ok := x.(*group); !ok {
		x = p.infix(x, least)
	}
	p.leave(height)
	return x
}

// infix reads the operators behind left, and their other operands.
func (p *parser) infix(left Node, least uint16) Node {
	for isInfix(p.tok.kind) && p.tok.operator().prec >= least {
		op := p.advance().operator()
		p.skip(tNewline)
		p.grow()
		left = &Binop{Pos: left.Position(), Op: op.text, Left: left, Right: p.rightOperand(op)}
	}
	return left
}

func isInfix(k kind) bool {
	return k == tBinary || k == tDual || k == tRange || k == tStep
}

func (p *parser) rightOperand(op *operator) Node {
	if op == opWhen && p.atKey() {
		return p.openKeywords()
	}
	least := op.prec
	if !op.right {
		least++
	}
	return p.expr(least)
}

// unary reads an operand with the operators before it and the calls and accesses behind it. What may follow binds at least as
// tight as least.
func (p *parser) unary(least uint16) Node {
	t := p.tok
	switch {
	case t.kind == tDual || t.kind == tUnary:
		p.advance()
		p.skip(tNewline)
		return p.negated(&Unary{Pos: t.pos(), Op: t.operator().text, X: p.operand(precUnary)}, least)
	case t.kind == tStep:
		// &//2 captures the operator /.
		p.advance()
		p.skip(tNewline)
		return &Binop{Pos: t.pos(), Op: "/", Left: &Ident{Pos: t.pos(), Name: "/"}, Right: p.expr(precUnary)}
	case t.kind == tCapture && !p.atArgument():
		p.advance()
		p.skip(tNewline)
		return &Unary{Pos: t.pos(), Op: t.operator().text, X: p.operand(precCapture + 1)}
	case t.kind == tAt:
		return p.postfix(p.attribute())
	}
	return p.postfix(p.primary())
}

// atArgument reports whether an argument such as &1 comes. A float or a character is an expression to capture.
func (p *parser) atArgument() bool {
	if !p.at(tCapture) {
		return false
	}
	number := p.peek(1)
	if number.kind == tNewline {
		number = p.peek(2)
	}
	return number.kind == tNumber && p.src[number.start] != '?' && strings.IndexByte(p.text(number), '.') < 0
}

// operand reads what an operator before it applies to. With a do-block in it that goes on to the right as far as it can,
// whatever binds tighter: not if a do b end and c is not (if a do b end and c).
func (p *parser) operand(least uint16) Node {
	before := p.blocks
	x := p.expr(least)
	if p.blocks > before {
		x = p.infix(x, 0)
	}
	return x
}

// negated reads on behind not x and !x: with in they mean not (x in y).
func (p *parser) negated(u *Unary, least uint16) Node {
	for (u.Op == "not" || u.Op == "!") && p.at(tBinary) && p.tok.operator() == opIn && opIn.prec >= least {
		in := p.advance()
		p.skip(tNewline)
		p.grow()
		u.X = &Binop{Pos: u.X.Position(), Op: "in", Left: u.X, Right: p.rightOperand(in.operator())}
	}
	return u
}

// attribute reads @ and its operand, which a dot or bracket behind it does not belong to: @name[key] is (@name)[key].
func (p *parser) attribute() Node {
	t := p.advance()
	p.skip(tNewline)
	height, blocks := p.enter(), p.blocks
	var x Node
	switch {
	case p.at(tAt):
		for x = p.attribute(); p.at(tLBracket); {
			p.grow()
			x = p.access(x)
		}
	case p.at(tUnary), p.at(tDual), p.at(tCapture) && !p.atArgument():
		x = p.unary(precUnary)
	case p.at(tAlias):
		name := p.advance()
		x = &Alias{Pos: name.pos(), Name: p.text(name)}
	default:
		x = p.primary()
	}
	if p.blocks > blocks {
		x = p.infix(x, 0)
	}
	p.leave(height)
	return &Unary{Pos: t.pos(), Op: t.operator().text, X: x}
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
			p.grow()
			x = p.access(x)
		default:
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
	outer := p.allowDo()
	p.skip(tNewline)
	var key Node
	if p.atKey() {
		key = &List{Pos: p.tok.pos(), Elems: p.keywords(), Unbraced: true}
	} else {
		key = p.expr(0)
		p.skip(tComma)
	}
	p.closing(tRBracket, open)
	p.scope = outer
	return &Access{Pos: x.Position(), X: x, Key: key}
}

// A scope is what brackets begin anew and restore at their end. Nothing defers that, as unwinding thousands of levels with
// deferred calls takes long.
type scope struct {
	// noDo is set within the arguments of a call without parentheses: a do-block there belongs to that call.
	noDo bool
	// blocks counts the calls with do-blocks that have been read.
	blocks int
}

// allowDo lets calls have do-blocks again, as within brackets. Its result is the scope to restore behind them.
func (p *parser) allowDo() (outer scope) {
	outer = p.scope
	p.noDo = false
	return outer
}
