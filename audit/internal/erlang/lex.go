package erlang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	end kind = iota
	dot      // ends a form
	atom
	quoted // '...'
	variable
	integer
	float
	char
	text // "..." and sigils
	heredoc
	word // a reserved word
	sign // operators, brackets and other punctuation
	bad
)

// A token keeps its place only: a form of many million tokens must not take much more than its source.
type token struct {
	kind         kind
	start, end   int32
	line, column int32
	close        int32 // of an opening bracket: the index of the token that closes it, or 0
}

func (t token) pos() Pos { return Pos{int(t.line), int(t.column)} }

type lexer struct {
	src       string
	at        int
	line      int
	lineStart int
	// reason tells what is wrong with a bad token.
	reason string
	// unclosed counts quotes without an end. After each the reading goes on behind its line; after many the rest is given up,
	// because each of them is looked for up to the end of the file.
	unclosed int
}

const maxUnclosed = 8

// form reads the tokens up to the next dot into buf; the dot is the last of them. Without a dot the last one is end or bad.
func (l *lexer) form(buf []token) []token {
	buf = buf[:0]
	var open []int32
	for {
		t := l.next()
		if t.kind == sign {
			switch l.src[t.start] {
			case '(', '[', '{':
				open = append(open, int32(len(buf)))
			case ')', ']', '}':
				if len(open) > 0 {
					buf[open[len(open)-1]].close = int32(len(buf))
					open = open[:len(open)-1]
				}
			}
		}
		buf = append(buf, t)
		if t.kind == dot || t.kind == end || t.kind == bad {
			return buf
		}
	}
}

func (l *lexer) next() token {
	l.space()
	t := token{start: int32(l.at), line: int32(l.line), column: int32(l.at - l.lineStart + 1)}
	t.kind = l.read()
	t.end = int32(l.at)
	return t
}

func (l *lexer) space() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\n':
			l.at++
			l.newline()
		case c <= ' ' || c == 0x7f:
			l.at++
		case c == '%':
			l.skipLine()
		case c == 0xC2 && strings.HasPrefix(l.src[l.at:], "\u00a0"), c == 0xEF && strings.HasPrefix(l.src[l.at:], "\ufeff"):
			_, n := utf8.DecodeRuneInString(l.src[l.at:])
			l.at += n
		default:
			return
		}
	}
}

func (l *lexer) newline() { l.line++; l.lineStart = l.at }

func (l *lexer) skipLine() {
	if i := strings.IndexByte(l.src[l.at:], '\n'); i >= 0 {
		l.at += i
	} else {
		l.at = len(l.src)
	}
}

func (l *lexer) read() kind {
	if l.at >= len(l.src) {
		return end
	}
	switch c := l.src[l.at]; {
	case 'a' <= c && c <= 'z':
		return l.name(atom)
	case 'A' <= c && c <= 'Z', c == '_':
		return l.name(variable)
	case '0' <= c && c <= '9':
		return l.number()
	case c == '"':
		return l.quote(text)
	case c == '\'':
		return l.quote(quoted)
	case c == '$':
		return l.character()
	case c == '~':
		return l.sigil()
	case c == '.':
		return l.period()
	case c >= utf8.RuneSelf:
		r, _ := l.rune()
		switch {
		case unicode.IsUpper(r):
			return l.name(variable)
		case unicode.IsLetter(r):
			return l.name(atom)
		}
	}
	return l.sign()
}

// rune decodes one character. Old files are in Latin-1, where a byte is a character.
func (l *lexer) rune() (rune, int) {
	r, n := utf8.DecodeRuneInString(l.src[l.at:])
	if r == utf8.RuneError && n == 1 {
		return rune(l.src[l.at]), 1
	}
	return r, n
}

func (l *lexer) name(k kind) kind {
	start := l.at
	for l.at < len(l.src) {
		c := l.src[l.at]
		if c < utf8.RuneSelf {
			if !isNameByte(c) {
				break
			}
			l.at++
			continue
		}
		r, n := l.rune()
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		l.at += n
	}
	if k == atom && isReserved(l.src[start:l.at]) {
		return word
	}
	return k
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '@'
}

func isReserved(s string) bool {
	switch s {
	case "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "div", "end", "fun",
		"if", "not", "of", "or", "orelse", "receive", "rem", "try", "when", "xor":
		return true
	}
	return false
}

// period tells the dot that ends a form from those inside: #state.name and the dots of types.
func (l *lexer) period() kind {
	l.at++
	if l.at >= len(l.src) || l.src[l.at] <= ' ' || l.src[l.at] == '%' {
		return dot
	}
	for l.at < len(l.src) && l.src[l.at] == '.' {
		l.at++
	}
	return sign
}

// signs are those of more than one character, the longer ones first.
var signs = []string{
	"=:=", "=/=", "<:-", "<:=", "->", "<-", "<=", "=>", ":=", "||", "::", "==", "/=", "=<", ">=", "++", "--", "<<", ">>", "?=", "??", "&&",
}

func (l *lexer) sign() kind {
	rest := l.src[l.at:]
	c := rest[0]
	if strings.IndexByte("=<-:|/>+?&", c) >= 0 && strings.IndexByte("=<-:|/>+?&", l.byteAt(l.at+1)) >= 0 {
		for _, s := range signs {
			if strings.HasPrefix(rest, s) {
				l.at += len(s)
				return sign
			}
		}
	}
	if strings.IndexByte("()[]{},;|:=<>+-*/#?!", c) >= 0 {
		l.at++
		return sign
	}
	_, n := l.rune()
	l.at += n
	return l.fail("a character that begins nothing")
}

func (l *lexer) fail(reason string) kind {
	l.reason = reason
	return bad
}
