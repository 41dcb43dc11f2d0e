package elixir

import (
	"fmt"
	"strconv"
)

// Limits on what is read, so that no file can take more than its share: a byte becomes up to some hundred bytes of tokens and
// tree, and each level of nesting takes stack of whoever walks it.
const (
	maxBytes = 8 << 20
	maxDepth = 10_000
)

// Parse reads a source file. The error is a *SyntaxError.
func Parse(name string, src []byte) (file *File, err error) {
	if len(src) > maxBytes {
		return nil, &SyntaxError{
			File: name, Pos: Pos{Line: 1, Column: 1},
			Expected: fmt.Sprintf("a source of %d MiB at most", maxBytes>>20),
			Found:    fmt.Sprintf("one of %d MiB", len(src)>>20),
		}
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *SyntaxError:
			file, err = nil, r
		default:
			panic(r)
		}
	}()
	p := &parser{file: name}
	p.src, p.tokens = scan(name, string(src))
	p.tok = &p.tokens[0]
	body := p.block(Pos{Line: 1, Column: 1})
	if p.tok.kind != tEOF {
		p.expected("an expression")
	}
	return &File{Name: name, Body: body}, nil
}

// A parser makes the tree from the tokens. It never goes back, and fails by panic with a *SyntaxError.
type parser struct {
	file   string
	src    string
	tokens []token
	next   int    // index of tok
	tok    *token // what comes next

	scope
	// groupAt is the index of the token that begins a clause or expression of a stab: a parenthesis there may hold all arguments
	// of the clause.
	groupAt int
	// depth is how deep the grammar is nested around tok, and height how high the tree is that has been read of the
	// innermost expression. Both together stay below maxDepth.
	depth, height int
}

// advance goes to the next token and returns the one it leaves.
func (p *parser) advance() *token {
	t := p.tok
	if p.next < len(p.tokens)-1 {
		p.next++
		p.tok = &p.tokens[p.next]
	}
	return t
}

// peek is the token that stands n behind the next one.
func (p *parser) peek(n int) *token {
	return &p.tokens[min(p.next+n, len(p.tokens)-1)]
}

func (p *parser) at(k kind) bool { return p.tok.kind == k }

// skip goes over the next token if it is one of that kind.
func (p *parser) skip(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

// skipSeparators goes over newlines and semicolons, and reports whether there were any.
func (p *parser) skipSeparators() bool {
	from := p.next
	for p.at(tNewline) || p.at(tSemicolon) {
		p.advance()
	}
	return p.next > from
}

// expected fails at the next token.
func (p *parser) expected(what string) {
	panic(&SyntaxError{File: p.file, Pos: p.tok.pos(), Expected: what, Found: p.describe(p.tok)})
}

// closing takes the token that ends what open began.
func (p *parser) closing(k kind, open *token) {
	p.skip(tNewline)
	if !p.at(k) {
		p.expected(fmt.Sprintf("%s for the %s in line %d", spelling[k], p.text(open), open.line))
	}
	p.advance()
}

// text is what a token holds of the source.
func (p *parser) text(t *token) string { return p.src[t.start:t.end] }

// describe names a token in a message.
func (p *parser) describe(t *token) string {
	switch t.kind {
	case tEOF:
		return endOfFile
	case tNewline:
		return "the end of the line"
	case tTextBegin:
		return "a text"
	case tKeyword:
		return p.text(t) + ":"
	case tAtom:
		return "the atom " + p.text(t)
	}
	if s := p.text(t); len(s) <= 40 {
		return strconv.Quote(s)
	}
	return strconv.Quote(p.text(t)[:40]) + "..."
}

// spelling is how messages name what closes a bracket.
var spelling = map[kind]string{
	tRParen: ")", tRBracket: "]", tRBrace: "}", tRBits: ">>", tEnd: "end", tInterpolationEnd: "}",
}

// enter begins a level of nesting; its result ends it.
func (p *parser) enter() (height int) {
	p.depth++
	p.checkDepth()
	height = p.height
	p.height = 0
	return height
}

// leave ends the level of nesting for which enter gave height.
func (p *parser) leave(height int) {
	p.depth--
	p.height = max(height, p.height+1)
}

// grow counts a level that is put around what has been read.
func (p *parser) grow() {
	p.height++
	p.checkDepth()
}

func (p *parser) checkDepth() {
	if p.depth+p.height > maxDepth {
		p.expected(fmt.Sprintf("nesting of at most %d levels", maxDepth))
	}
}
