package elixir

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A scanner cuts a source into tokens, by the rules of Elixir's tokenizer (elixir_tokenizer.erl). It goes over the source once.
type scanner struct {
	file   string
	src    string
	pos    int
	line   int
	start  int // where the line begins
	tokens []token
	open   []frame // the braces and texts that are open, innermost last
}

// A frame is a brace, or a text that waits for the end of an interpolation.
type frame struct {
	brace bool
	begin int // the token that began the text
	close string
	raw   bool
}

// scan gives the tokens of a source, the last of them tEOF, and the text that their offsets are for. It panics with a
// *SyntaxError.
func scan(file, src string) (string, []token) {
	s := &scanner{file: file, src: strings.TrimPrefix(src, "\uFEFF"), line: 1}
	s.checkEncoding()
	s.tokens = make([]token, 0, len(src)/5+16)
	for s.next() {
	}
	s.checkOpen()
	s.emit(tEOF, s.pos, 0)
	return s.src, s.tokens
}

func (s *scanner) checkEncoding() {
	if utf8.ValidString(s.src) {
		return
	}
	for i, r := range s.src {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s.src[i:]); size == 1 {
				before := s.src[:i]
				s.line = 1 + strings.Count(before, "\n")
				s.start = 1 + strings.LastIndexByte(before, '\n')
				s.fail(i, "text in UTF-8", "other bytes")
			}
		}
	}
}

// checkOpen names the text whose interpolation the file never ends. The parser finds all other brackets.
func (s *scanner) checkOpen() {
	for i := len(s.open) - 1; i >= 0; i-- {
		if f := s.open[i]; !f.brace {
			s.fail(s.pos, "} for the interpolation in the text that begins in line "+strconv.Itoa(int(s.tokens[f.begin].line)), endOfFile)
		}
	}
}

func (s *scanner) fail(at int, expected, found string) {
	panic(&SyntaxError{File: s.file, Pos: Pos{Line: s.line, Column: at - s.start + 1}, Expected: expected, Found: found})
}

// at returns the byte that stands n further, 0 behind the end.
func (s *scanner) at(n int) byte {
	if s.pos+n < len(s.src) {
		return s.src[s.pos+n]
	}
	return 0
}

// rest is what has not been read.
func (s *scanner) rest() string { return s.src[s.pos:] }

// emit adds the token that begins at start and goes to the current position.
func (s *scanner) emit(k kind, start int, flags uint8) *token {
	s.tokens = append(s.tokens, token{
		kind: k, flags: flags, line: int32(s.line), column: int32(start - s.start + 1),
		start: int32(start), end: int32(s.pos),
	})
	return &s.tokens[len(s.tokens)-1]
}

// take emits a token of n bytes.
func (s *scanner) take(k kind, n int) {
	start := s.pos
	s.pos += n
	s.emit(k, start, 0)
}

// last is the kind of the last token.
func (s *scanner) last() kind {
	if len(s.tokens) == 0 {
		return tNewline
	}
	return s.tokens[len(s.tokens)-1].kind
}

// joinLines takes back a newline, for what goes on with the line before it.
func (s *scanner) joinLines() {
	if n := len(s.tokens); n > 0 && s.tokens[n-1].kind == tNewline {
		s.tokens = s.tokens[:n-1]
	}
}

func (s *scanner) newline() {
	switch s.last() {
	case tComma, tSemicolon, tNewline:
		s.pos++
	default:
		s.take(tNewline, 1)
	}
	s.line++
	s.start = s.pos
}

// next reads what comes; it is false at the end.
func (s *scanner) next() bool {
	if s.pos >= len(s.src) {
		return false
	}
	switch c := s.src[s.pos]; {
	case c == ' ' || c == '\t':
		s.pos++
	case c == '\n':
		s.newline()
	case c == '\r' && s.at(1) == '\n':
		s.pos++
		s.newline()
	case c == '\\' && (s.at(1) == '\n' || s.at(1) == '\r' && s.at(2) == '\n'):
		s.pos += 1 + strings.IndexByte(s.rest(), '\n')
		s.line++
		s.start = s.pos
	case c == '#':
		if n := strings.IndexByte(s.rest(), '\n'); n >= 0 {
			s.pos += n
			if s.src[s.pos-1] == '\r' {
				s.pos--
			}
		} else {
			s.pos = len(s.src)
		}
	case isDigit(c):
		s.number()
	case isLetter(c) || c >= utf8.RuneSelf:
		s.word()
	case c == '"' || c == '\'':
		s.quote()
	case c == ':':
		s.colon()
	case c == '~' && isLetter(s.at(1)) && s.at(1) != '_':
		s.sigil()
	case c == '?':
		s.char()
	case c == '.':
		s.dot()
	default:
		s.sign(c)
	}
	return true
}

// sign reads brackets, separators and operators.
func (s *scanner) sign(c byte) {
	if s.signKeyword() {
		return
	}
	switch c {
	case ',':
		s.take(tComma, 1)
	case ';':
		s.take(tSemicolon, 1)
	case '(':
		s.take(tLParen, 1)
	case ')':
		s.take(tRParen, 1)
	case '[':
		s.take(tLBracket, 1)
	case ']':
		s.take(tRBracket, 1)
	case '{':
		s.open = append(s.open, frame{brace: true})
		s.take(tLBrace, 1)
	case '}':
		s.closeBrace()
	case '%':
		if s.at(1) == '{' {
			s.take(tMap, 1)
		} else {
			s.take(tStruct, 1)
		}
	default:
		s.operator()
	}
}

// closeBrace ends a brace, or an interpolation: then the text around it goes on.
func (s *scanner) closeBrace() {
	if len(s.open) == 0 {
		s.fail(s.pos, "an expression", "} that nothing opens")
	}
	f := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	if f.brace {
		s.take(tRBrace, 1)
		return
	}
	s.take(tInterpolationEnd, 1)
	s.textParts(f)
}

// signKeywords are signs that may be keys although they are no operators.
var signKeywords = []string{"<<>>", "%{}", "{}", "%"}

func (s *scanner) signKeyword() bool {
	for _, name := range signKeywords {
		if strings.HasPrefix(s.rest(), name) && s.keyEnds(len(name)) {
			s.keyword(s.pos, s.pos+len(name))
			return true
		}
	}
	return false
}

// keyEnds reports whether a colon and a space follow n further: what comes before is a key then.
func (s *scanner) keyEnds(n int) bool {
	return s.at(n) == ':' && isSpace(s.at(n+1))
}

// keyword emits the key from start to end and goes behind its colon.
func (s *scanner) keyword(start, end int) {
	s.pos = end
	s.emit(tKeyword, start, 0)
	s.pos++
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// isLetter reports whether c is an ASCII letter or _.
func isLetter(c byte) bool { return isLower(c) || isUpper(c) || c == '_' }

func (s *scanner) atConflictMarker() bool {
	return s.pos == s.start && strings.HasPrefix(s.rest(), "<<<<<<<")
}
