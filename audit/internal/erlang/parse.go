package erlang

import (
	"fmt"
	"slices"
	"strings"
)

// maxDepth is how deep an expression may be nested: more than anybody writes, less than a stack can bear.
const maxDepth = 5000

// maxSource keeps places within the 32 bits that a token has for them.
const maxSource = 1 << 30

// Parse reads a file. What it cannot read is in the file's Problems.
func Parse(src string) *File {
	f := &File{}
	switch {
	case len(src) > maxSource:
		f.Problems = []Problem{{Pos: Pos{1, 1}, Form: 1, Reason: "too large"}}
		return f
	case strings.IndexByte(src, 0) >= 0:
		f.Problems = []Problem{{Pos: Pos{1, 1}, Form: 1, Reason: "a binary file"}}
		return f
	}
	l := &lexer{src: src, line: 1}
	if strings.HasPrefix(src, "#!") { // a script's first line
		l.skipLine()
	}
	p := &parser{src: src, file: f}
	for {
		p.toks, p.i, p.depth, p.err = l.form(p.toks), 0, 0, nil
		last := p.toks[len(p.toks)-1]
		if last.kind == end && len(p.toks) == 1 {
			return f
		}
		if last.kind == bad {
			p.problem(last, l.reason)
			continue
		}
		p.form()
		if p.err != nil {
			f.Problems = append(f.Problems, *p.err)
		}
	}
}

// A parser reads the tokens of one form after the other. The first thing wrong is kept in err, and then every token looks
// like the end, which ends all loops.
type parser struct {
	src   string
	toks  []token
	i     int
	depth int
	err   *Problem
	file  *File
}

func (p *parser) problem(at token, reason string) {
	p.file.Problems = append(p.file.Problems, Problem{Pos: at.pos(), Form: int(p.toks[0].line), Reason: reason})
}

func (p *parser) peek() token {
	if p.err != nil {
		return token{kind: end}
	}
	return p.toks[p.i]
}

// ahead looks n tokens further.
func (p *parser) ahead(n int) token {
	if p.err != nil || p.i+n >= len(p.toks) {
		return token{kind: end}
	}
	return p.toks[p.i+n]
}

func (p *parser) take() token {
	t := p.peek()
	if p.err == nil && p.i < len(p.toks)-1 {
		p.i++
	}
	return t
}

func (p *parser) text(t token) string { return p.src[t.start:t.end] }

// is reports whether t is the sign or the reserved word s.
func (p *parser) is(t token, s string) bool {
	return (t.kind == sign || t.kind == word) && p.src[t.start:t.end] == s
}

func (p *parser) accept(s string) bool {
	if p.is(p.peek(), s) {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail("expected " + s)
	}
}

// fail notes what is wrong at the next token. Only the first complaint counts.
func (p *parser) fail(reason string) {
	if p.err != nil {
		return
	}
	t := p.toks[p.i]
	found := "the end of the form"
	if t.kind != dot && t.kind != end {
		found = p.text(t)
		if len(found) > 40 {
			found = found[:40] + "..."
		}
	}
	p.err = &Problem{Pos: t.pos(), Form: int(p.toks[0].line), Reason: fmt.Sprintf("%s, found %q", reason, found)}
}

// deeper counts the nesting; false where it is too deep.
func (p *parser) deeper() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(fmt.Sprintf("nested more than %d deep", maxDepth))
		return false
	}
	return true
}

func (p *parser) form() {
	t := p.peek()
	switch {
	case t.kind == dot:
	case p.is(t, "-"):
		p.attribute()
	case p.is(t, "?"):
		if p.ahead(1).kind != end && !slices.ContainsFunc(p.toks, func(t token) bool { return p.is(t, "->") }) {
			p.expression() // a macro that stands for whole forms
			p.formEnd()
			return
		}
		p.function()
	default:
		p.function()
	}
}

func (p *parser) formEnd() {
	if t := p.peek(); p.err == nil && t.kind != dot {
		p.fail("expected the end of the form")
	}
}

// withoutTerms are the attributes that hold types. -record has types too, and defaults that the rules do not ask for.
var withoutTerms = map[string]bool{"spec": true, "type": true, "opaque": true, "nominal": true, "callback": true, "record": true}

func (p *parser) attribute() {
	at := p.take()
	if p.is(p.peek(), "?") {
		return // a macro that stands for an attribute: -?deprecated(f/1).
	}
	t := p.take()
	name := p.text(t)
	if t.kind != atom && t.kind != word {
		p.i--
		p.fail("expected the name of an attribute")
		return
	}
	a := &Attribute{Pos: at.pos(), Name: name}
	switch {
	case name == "define":
		p.define(at)
		return
	case withoutTerms[name]:
	case p.accept("("):
		a.Args = p.until(")")
		p.formEnd()
	case p.peek().kind != dot:
		a.Args = p.expressions()
		p.formEnd()
	}
	p.file.Attributes = append(p.file.Attributes, a)
}

// define reads -define(NAME, ...) . What it stands for may be any row of tokens: only an expression is kept.
func (p *parser) define(at token) {
	p.expect("(")
	t := p.take()
	if p.err == nil && t.kind != atom && t.kind != variable && t.kind != quoted && t.kind != word {
		p.fail("expected the name of a macro")
	}
	if p.err != nil {
		return
	}
	d := &Define{Pos: at.pos(), Name: p.text(t)}
	if p.accept("(") {
		d.Called = true
		for p.err == nil && !p.accept(")") {
			d.Params = append(d.Params, p.text(p.take()))
			p.accept(",")
			if k := p.peek().kind; k == dot || k == end {
				p.fail("expected )")
			}
		}
	}
	if p.accept(",") {
		d.Body = p.expression()
		if !p.is(p.peek(), ")") || p.ahead(1).kind != dot {
			d.Body = nil
		}
		p.err = nil
	}
	p.file.Defines = append(p.file.Defines, d)
}

func (p *parser) function() {
	first := p.peek()
	f := &Function{Pos: first.pos(), EndLine: int(p.toks[len(p.toks)-1].line)}
	for p.err == nil {
		p.clause(f)
		if !p.accept(";") {
			break
		}
	}
	p.formEnd()
	if p.err == nil && len(f.Clauses) > 0 {
		f.Arity = len(f.Clauses[0].Params)
		p.file.Functions = append(p.file.Functions, f)
	}
}

// clause reads one clause of a function. A macro in its place may hold whole clauses, which are not seen then.
func (p *parser) clause(f *Function) {
	c := &Clause{Pos: p.peek().pos()}
	name, isMacro := "", p.is(p.peek(), "?")
	switch t := p.peek(); {
	case t.kind == atom, t.kind == quoted:
		name = p.atom().Name
	case isMacro:
		p.take()
		name = "?" + p.text(p.take())
		if !p.is(p.peek(), "(") {
			return
		}
	default:
		p.fail("expected a function")
		return
	}
	p.expect("(")
	c.Params = p.until(")")
	if isMacro && !p.is(p.peek(), "->") && !p.is(p.peek(), "when") {
		return
	}
	f.Name = name
	p.clauseRest(c)
	f.Clauses = append(f.Clauses, c)
}

// clauseRest reads from the guard to the end of the body.
func (p *parser) clauseRest(c *Clause) {
	if p.accept("when") {
		c.Guard = p.guard()
	}
	p.expect("->")
	c.Body = p.expressions()
}

// guard reads tests with , and ; between them.
func (p *parser) guard() []Node {
	nodes := p.expressions()
	for p.accept(";") {
		nodes = append(nodes, p.expressions()...)
	}
	return nodes
}

// expressions reads one or more with commas between.
func (p *parser) expressions() []Node {
	nodes := []Node{p.expression()}
	for p.accept(",") {
		nodes = append(nodes, p.expression())
	}
	return nodes
}

// until reads none or more expressions with commas between up to the closing bracket.
func (p *parser) until(closing string) []Node {
	if p.accept(closing) {
		return nil
	}
	nodes := p.expressions()
	p.expect(closing)
	return nodes
}
