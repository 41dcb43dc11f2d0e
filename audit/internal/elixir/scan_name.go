package elixir

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameEnd is where the name that begins at from ends. A name may hold @ only as an atom or key.
func (s *scanner) nameEnd(from int) (end int, hasAt bool) {
	for end = from; end < len(s.src); {
		c := s.src[end]
		switch {
		case isLetter(c) || isDigit(c):
			end++
		case c == '@' && end > from:
			hasAt = true
			end++
		case (c == '?' || c == '!') && end > from:
			return end + 1, hasAt
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s.src[end:])
			if !isNameRune(r) {
				return end, hasAt
			}
			end += size
		default:
			return end, hasAt
		}
	}
	return end, hasAt
}

func isNameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.In(r, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_ID_Continue, unicode.Other_ID_Start)
}

// word reads a name, an alias, a key or a reserved word.
func (s *scanner) word() {
	start := s.pos
	end, hasAt := s.nameEnd(start)
	if end == start {
		r, _ := utf8.DecodeRuneInString(s.rest())
		s.fail(start, "an expression", strconv.QuoteRune(r))
	}
	name := s.src[start:end]
	isKey := end < len(s.src) && s.src[end] == ':' && !strings.HasPrefix(s.src[end:], "::")
	if isKey && end+1 < len(s.src) {
		if !isSpace(s.src[end+1]) {
			s.fail(end+1, "a space behind the key "+name+":", quoteByte(s.src[end+1]))
		}
		s.keyword(start, end)
		return
	}
	if hasAt {
		s.fail(start+strings.IndexByte(name, '@'), "the end of a name", "@")
	}
	if s.last() != tDot && s.reserved(name, start, end) {
		return
	}
	s.pos = end
	if isUpper(name[0]) {
		s.emit(tAlias, start, 0)
		return
	}
	s.emit(tIdent, start, s.callFlags())
}

// reserved emits a word that is no name.
func (s *scanner) reserved(name string, start, end int) bool {
	k := tEOF
	switch name {
	case "fn":
		k = tFn
	case "do":
		k = tDo
		s.joinLines()
	case "end":
		k = tEnd
	case "else", "rescue", "catch", "after":
		k = tBlock
	case "true", "false", "nil":
		k = tAtom
	case "not":
		s.wordOperator(opNot, start, end)
		return true
	case "and":
		s.wordOperator(opAnd, start, end)
		return true
	case "or":
		s.wordOperator(opOr, start, end)
		return true
	case "when":
		s.wordOperator(opWhen, start, end)
		return true
	case "in":
		s.wordOperator(opIn, start, end)
		return true
	default:
		return false
	}
	s.pos = end
	s.emit(k, start, 0)
	return true
}

func (s *scanner) wordOperator(op *operator, start, end int) {
	if s.slashFollows(end, false) {
		s.pos = end
		s.emit(tIdent, start, 0)
		return
	}
	if last := len(s.tokens) - 1; op == opIn && last >= 0 && s.tokens[last].operator() == opNot {
		s.tokens = s.tokens[:last]
		op = opNotIn
	}
	s.operatorToken(op, start, end-start)
}

// colon reads an atom, or the operator ::.
func (s *scanner) colon() {
	start := s.pos
	rest := s.src[start+1:]
	if rest == "" {
		s.fail(start+1, "the name of an atom", endOfFile)
	}
	for _, sign := range atomSigns {
		if strings.HasPrefix(rest, sign) {
			s.atom(start, start+1+len(sign))
			return
		}
	}
	if rest[0] == ':' {
		s.operator()
		return
	}
	if rest[0] == '"' || rest[0] == '\'' {
		s.pos = start + 2
		s.textParts(frame{begin: s.begin(textAtom, start, start, start, 0), close: rest[:1]})
		return
	}
	if op := matchOperator(rest, asAtom); op != nil {
		s.atom(start, start+1+len(op.text))
		return
	}
	end, _ := s.nameEnd(start + 1)
	if end == start+1 || isDigit(rest[0]) {
		s.fail(start+1, "the name of an atom", quoteByte(rest[0]))
	}
	s.atom(start, end)
}

// atomSigns are atoms of signs that are no operators, longest first; ::: is the atom of ::.
var atomSigns = []string{"...", "<<>>", "%{}", "..//", "{}", "::", "..", "%", "."}

func (s *scanner) atom(start, end int) {
	s.pos = end
	s.emit(tAtom, start, 0)
	s.tokens[len(s.tokens)-1].start++
}

// char reads ?c.
func (s *scanner) char() {
	start := s.pos
	n := 1
	if s.at(1) == '\\' {
		n = 2
	}
	_, size := utf8.DecodeRuneInString(s.src[min(start+n, len(s.src)):])
	if size == 0 {
		s.fail(start+n, "a character behind ?", endOfFile)
	}
	newline := s.src[start+n] == '\n'
	s.take(tNumber, n+size)
	if newline {
		s.line++
		s.start = s.pos
	}
}

// number reads 1_000, 0x1F, 0o17, 0b101, 1.5e-3.
func (s *scanner) number() {
	start, end := s.pos, s.pos
	digit := isDigit
	if s.src[end] == '0' {
		if d := digitsOf(s.at(1)); d != nil && d(s.at(2)) {
			digit = d
			end += 2
		}
	}
	based := end > start
	end = s.digits(end, digit)
	if !based && end+1 < len(s.src) && s.src[end] == '.' && isDigit(s.src[end+1]) {
		end = s.exponent(s.digits(end+1, isDigit))
	}
	if !based && end < len(s.src) && isLetter(s.src[end]) {
		s.fail(end, "the end of the number "+s.src[start:end], quoteByte(s.src[end]))
	}
	s.take(tNumber, end-start)
}

// digits is where digits end that may have underscores between them.
func (s *scanner) digits(at int, digit func(byte) bool) int {
	for at < len(s.src) {
		if digit(s.src[at]) {
			at++
		} else if s.src[at] == '_' && at+1 < len(s.src) && digit(s.src[at+1]) {
			at += 2
		} else {
			break
		}
	}
	return at
}

func (s *scanner) exponent(at int) int {
	if at >= len(s.src) || s.src[at] != 'e' && s.src[at] != 'E' {
		return at
	}
	digits := at + 1
	if digits < len(s.src) && (s.src[digits] == '+' || s.src[digits] == '-') {
		digits++
	}
	if digits < len(s.src) && isDigit(s.src[digits]) {
		return s.digits(digits, isDigit)
	}
	return at
}

// digitsOf tells the digits of a base by its letter.
func digitsOf(base byte) func(byte) bool {
	switch base {
	case 'x':
		return isHex
	case 'o':
		return func(c byte) bool { return c >= '0' && c <= '7' }
	case 'b':
		return func(c byte) bool { return c == '0' || c == '1' }
	}
	return nil
}

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// quoteByte shows a byte in a message.
func quoteByte(c byte) string { return strconv.QuoteRune(rune(c)) }
