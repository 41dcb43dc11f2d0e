package elixir

import (
	"strings"
	"unicode/utf8"
)

// quote reads a string, a charlist or a heredoc.
func (s *scanner) quote() {
	start, q := s.pos, s.src[s.pos:s.pos+1]
	kind := textString
	if q == "'" {
		kind = textCharlist
	}
	if triple := q + q + q; strings.HasPrefix(s.rest(), triple) {
		s.pos += 3
		s.heredoc(kind, start, start, start, triple, false)
		return
	}
	s.pos++
	s.textParts(frame{begin: s.begin(kind, start, start, start, 0), close: q})
}

// delimiters are what may open the text of a sigil, each with what closes it.
const delimiters = `()[]{}<>//||""''`

// sigil reads ~name and its text. Names are one letter, or several in upper case, which may end in digits.
func (s *scanner) sigil() {
	start, name := s.pos, s.pos+1
	end := name + 1
	raw := isUpper(s.src[name])
	for raw && end < len(s.src) && (isUpper(s.src[end]) || isDigit(s.src[end])) {
		end++
	}
	kind := textSigil
	if raw {
		kind = textRawSigil
	}
	if end >= len(s.src) {
		s.fail(end, "what begins the text of the sigil "+s.src[start:end], endOfFile)
	}
	open := s.src[end : end+1]
	if triple := open + open + open; (open == `"` || open == "'") && strings.HasPrefix(s.src[end:], triple) {
		s.pos = end + 3
		s.heredoc(kind, start, name, end, triple, raw)
		return
	}
	i := strings.Index(delimiters, open)
	if i < 0 || i%2 != 0 {
		s.fail(end, "one of / | \" ' ( [ { < behind the sigil "+s.src[start:end], quoteByte(s.src[end]))
	}
	s.pos = end + 1
	s.textParts(frame{begin: s.begin(kind, start, name, end, 0), close: closer(open, false), raw: raw})
}

// begin emits the beginning of a text, whose name goes from nameStart to nameEnd, and returns the index of its token.
func (s *scanner) begin(kind textKind, start, nameStart, nameEnd int, flags uint8) int {
	t := s.emit(tTextBegin, start, flags)
	t.text, t.start, t.end = kind, int32(nameStart), int32(nameEnd)
	return len(s.tokens) - 1
}

// heredoc reads the text whose first line is the next one.
func (s *scanner) heredoc(kind textKind, start, nameStart, nameEnd int, close string, raw bool) {
	n := s.skipBlank(s.pos)
	if !strings.HasPrefix(s.src[n:], "\n") && !strings.HasPrefix(s.src[n:], "\r\n") {
		found := endOfFile
		if n < len(s.src) {
			found = quoteByte(s.src[n])
		}
		s.fail(n, "a new line behind "+close, found)
	}
	f := frame{begin: s.begin(kind, start, nameStart, nameEnd, flagHeredoc), close: close, raw: raw}
	s.pos = n + strings.IndexByte(s.src[n:], '\n') + 1
	s.line++
	s.start = s.pos
	if !s.heredocEnds(f, s.pos) {
		s.textParts(f)
	}
}

// heredocEnds ends a heredoc if its end stands in the line that begins here. Its last piece of text begins at textStart.
func (s *scanner) heredocEnds(f frame, textStart int) bool {
	n := s.skipBlank(s.pos)
	if !strings.HasPrefix(s.src[n:], f.close) {
		return false
	}
	s.textToken(textStart, s.pos)
	s.tokens[f.begin].indent = int32(n - s.pos)
	s.pos = n
	s.textEnd(f)
	return true
}

// textParts reads a text up to its end, or up to an interpolation, behind which it is called again.
func (s *scanner) textParts(f frame) {
	start := s.pos
	stop := f.close[0]
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		switch {
		case c == '\\':
			s.skipEscape(f)
			if s.pos == s.start && len(f.close) == 3 && s.heredocEnds(f, start) {
				return
			}
		case c == '\n':
			s.pos++
			s.line++
			s.start = s.pos
			if len(f.close) == 3 && s.heredocEnds(f, start) {
				return
			}
		case c == stop && len(f.close) == 1:
			s.textToken(start, s.pos)
			s.textEnd(f)
			return
		case c == '#' && !f.raw && s.at(1) == '{':
			s.textToken(start, s.pos)
			s.take(tInterpolation, 2)
			s.open = append(s.open, f)
			return
		default:
			s.pos++
		}
	}
	s.failAt(&s.tokens[f.begin], f.close+" at the end of the text that begins here", endOfFile)
}

// skipEscape goes over a backslash and what it escapes.
func (s *scanner) skipEscape(f frame) {
	s.pos++
	if len(f.close) == 3 && strings.HasPrefix(s.rest(), f.close) {
		s.pos += 3
		return
	}
	if s.at(0) == '\r' && s.at(1) == '\n' {
		s.pos++
	}
	_, size := utf8.DecodeRuneInString(s.rest())
	newline := s.at(0) == '\n'
	s.pos += size
	if newline {
		s.line++
		s.start = s.pos
	}
}

func (s *scanner) failAt(t *token, expected, found string) {
	panic(&SyntaxError{File: s.file, Pos: t.pos(), Expected: expected, Found: found})
}

func (s *scanner) textToken(from, to int) {
	if from == to {
		return
	}
	s.tokens = append(s.tokens, token{kind: tText, line: int32(s.line), start: int32(from), end: int32(to)})
}

// textEnd reads the closing delimiter, and what may follow it: the modifiers of a sigil, or the colon that makes the text a key.
func (s *scanner) textEnd(f frame) {
	s.pos += len(f.close)
	start := s.pos
	begin := &s.tokens[f.begin]
	switch begin.text {
	case textSigil, textRawSigil:
		for isLetter(s.at(0)) && s.at(0) != '_' || isDigit(s.at(0)) {
			s.pos++
		}
	case textString, textCharlist:
		if len(f.close) == 1 && s.keyEnds(0) {
			begin.text = textKeyword
		}
	}
	s.emit(tTextEnd, start, 0)
	if begin.text == textKeyword {
		s.pos++
	}
}

// quotedName reads the name of a call such as mod."a name"(1).
func (s *scanner) quotedName(q byte) {
	line, start := s.line, s.start
	from := s.pos + 1
	for s.pos = from; s.pos < len(s.src); {
		switch s.src[s.pos] {
		case '\\':
			s.skipEscape(frame{close: string(q)})
		case '\n':
			s.pos++
			s.line++
			s.start = s.pos
		case q:
			end := s.pos
			s.pos++
			s.emit(tIdent, from-1, s.callFlags())
			t := &s.tokens[len(s.tokens)-1]
			t.start, t.end, t.line, t.column = int32(from), int32(end), int32(line), int32(from-start)
			return
		default:
			s.pos++
		}
	}
	s.line, s.start = line, start
	s.fail(from-1, string(q)+" at the end of the name", endOfFile)
}
