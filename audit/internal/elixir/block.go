package elixir

import "strconv"

// block reads expressions up to what can't begin one.
func (p *parser) block(pos Pos) *Block {
	b := &Block{Pos: pos}
	p.skipSeparators()
	for !p.endsBlock() {
		b.Exprs = append(b.Exprs, p.expr(0))
		if !p.skipSeparators() {
			break
		}
	}
	return b
}

func (p *parser) endsBlock() bool {
	switch p.tok.kind {
	case tEOF, tEnd, tBlock, tRParen, tRBracket, tRBrace, tRBits, tInterpolationEnd:
		return true
	}
	return false
}

// doBlock reads the do-block of a call, unless one around it gets it.
func (p *parser) doBlock(c *Call) {
	if p.noDo || !p.at(tDo) {
		return
	}
	open, outer := p.tok, p.allowDo()
	for {
		t := p.advance()
		s := Section{Name: p.text(t)}
		s.Body, s.Clauses = p.stab(t)
		c.Sections = append(c.Sections, s)
		if !p.at(tBlock) {
			break
		}
	}
	p.closing(tEnd, open)
	p.scope = outer
	p.blocks++
}

// stab reads what may be either a block or clauses, behind open: between do and end, in parentheses, behind fn. One of the
// results is nil. Expressions without an arrow belong to the clause before them.
func (p *parser) stab(open *token) (*Block, []*Clause) {
	height := p.enter()
	body := &Block{Pos: open.pos()}
	var clauses []*Clause
	p.skipSeparators()
	for !p.endsBlock() {
		arrow, head := p.clauseHead()
		if arrow == nil {
			body.Exprs = append(body.Exprs, p.noHead(head, open))
		} else {
			if clauses == nil && len(body.Exprs) > 0 {
				p.failAt(arrow, "a new line before the first clause to have ->, as those behind it do")
			}
			clauses = append(clauses, head)
			body = head.Body
		}
		if !p.skipSeparators() {
			break
		}
	}
	p.leave(height)
	if clauses != nil {
		return nil, clauses
	}
	return body, nil
}

// clauseHead reads an expression, or the arguments, the guard, the arrow and the first expression of a clause.
func (p *parser) clauseHead() (arrow *token, c *Clause) {
	c = &Clause{Pos: p.tok.pos()}
	switch {
	case p.at(tArrow):
	case p.atKey():
		c.Args = []Node{p.openKeywords()}
	default:
		p.groupAt = p.next
		first := p.expr(0)
		if g, ok := first.(*group); ok {
			p.groupHead(c, g)
			break
		}
		c.Args = []Node{first}
		if p.skip(tComma) {
			c.Args = append(c.Args, p.openArgs()...)
		}
		if p.at(tArrow) {
			splitGuard(c)
		}
	}
	if !p.at(tArrow) {
		return nil, c
	}
	arrow = p.advance()
	p.clauseBody(c, arrow)
	return arrow, c
}

// groupHead reads on behind the arguments of a clause in parentheses.
func (p *parser) groupHead(c *Clause, g *group) {
	c.Args = g.elems
	if !p.at(tArrow) {
		p.advance()
		p.skip(tNewline)
		c.Guard = p.expr(0)
	}
	if !p.at(tArrow) {
		p.expected("->")
	}
}

// splitGuard takes the guard off the last argument.
func splitGuard(c *Clause) {
	last := len(c.Args) - 1
	if when, ok := c.Args[last].(*Binop); ok && when.Op == "when" {
		c.Args[last], c.Guard = when.Left, when.Right
	}
}

// noHead is the expression that was read where a clause might have begun. Several of them are only allowed in parentheses that
// hold all arguments of a clause.
func (p *parser) noHead(c *Clause, open *token) Node {
	list, isList := c.Args[0].(*List)
	if len(c.Args) == 1 && !(isList && list.Unbraced) {
		return c.Args[0]
	}
	if open.kind != tLParen {
		p.expected("->")
	}
	return &group{Pos: c.Pos, elems: c.Args}
}

// clauseBody reads the first expression behind an arrow, if there is one.
func (p *parser) clauseBody(c *Clause, arrow *token) {
	c.Body = &Block{Pos: arrow.pos()}
	p.skip(tNewline)
	switch {
	case p.at(tSemicolon):
		// An arrow with nothing behind it is nil, and so it is before what follows.
		c.Body.Exprs = append(c.Body.Exprs, &Atom{Pos: arrow.pos(), Name: "nil"})
	case !p.endsBlock():
		c.Body.Exprs = append(c.Body.Exprs, p.expr(0))
	}
}

// A group is (a, b) before -> or when. It never stays in a tree.
type group struct {
	Pos
	elems []Node
}

func lineOf(t *token) string { return strconv.Itoa(int(t.line)) }

func (p *parser) failAt(t *token, expected string) {
	panic(&SyntaxError{File: p.file, Pos: t.pos(), Expected: expected, Found: strconv.Quote(p.text(t))})
}
