package elixir

import "strings"

// matchOperator finds the longest operator that text begins with.
func matchOperator(text string, fits func(*operator) bool) *operator {
	for _, op := range operatorsByByte[text[0]] {
		if fits(op) && strings.HasPrefix(text, op.text) {
			return op
		}
	}
	return nil
}

func anywhere(*operator) bool   { return true }
func asAtom(o *operator) bool   { return o.atom }
func afterDot(o *operator) bool { return o.dot }

// operator reads an operator. It is a name if a slash follows, as in &+/2.
func (s *scanner) operator() {
	if s.atConflictMarker() {
		s.fail(s.pos, "code", "the mark of a merge conflict")
	}
	if strings.HasPrefix(s.rest(), "<<") && s.at(2) != '<' && s.at(2) != '~' {
		s.take(tLBits, 2)
		return
	}
	if strings.HasPrefix(s.rest(), ">>") && s.at(2) != '>' {
		s.take(tRBits, 2)
		return
	}
	op := matchOperator(s.rest(), anywhere)
	if op == nil {
		s.fail(s.pos, "an expression", quoteByte(s.src[s.pos]))
	}
	start, n := s.pos, len(op.text)
	if op.kind != tAssoc && op.kind != tStep {
		if s.keyEnds(n) {
			s.keyword(start, start+n)
			return
		}
		if s.slashFollows(start+n, op.text == "&") {
			s.pos += n
			s.emit(tIdent, start, 0)
			return
		}
	}
	flagged := s.negates(op)
	s.operatorToken(op, start, n)
	if flagged {
		s.tokens[len(s.tokens)-2].flags |= flagUnary
	}
}

func (s *scanner) operatorToken(op *operator, start, n int) {
	switch op.kind {
	case tUnary, tAt, tCapture, tDual:
	default:
		s.joinLines()
	}
	s.pos = start + n
	s.emit(op.kind, start, 0).op = op.index
}

// slashFollows reports whether a slash follows, on the same line; behind an & two of them are the operator of a capture: &//2.
func (s *scanner) slashFollows(at int, capture bool) bool {
	at = s.skipBlank(at)
	if at >= len(s.src) || s.src[at] != '/' {
		return false
	}
	if !capture {
		return true
	}
	at = s.skipBlank(at + 1)
	return at >= len(s.src) || s.src[at] != '/'
}

func (s *scanner) skipBlank(at int) int {
	for at < len(s.src) && (s.src[at] == ' ' || s.src[at] == '\t') {
		at++
	}
	return at
}

// negates reports whether + or - belongs to the one operand behind it, the name before being a call: name -1, not name - 1.
func (s *scanner) negates(op *operator) bool {
	if op.kind != tDual || s.pos+1 >= len(s.src) || isSpace(s.at(1)) || strings.IndexByte("([<{%+-/>:", s.at(1)) >= 0 {
		return false
	}
	if len(s.tokens) == 0 {
		return false
	}
	before := &s.tokens[len(s.tokens)-1]
	return before.kind == tIdent && before.flags == 0 && int(before.end) < s.pos
}

// dot reads everything that begins with a dot: the dot of a call, a range, and the name that ... is.
func (s *scanner) dot() {
	switch rest := s.rest(); {
	case strings.HasPrefix(rest, "..."):
		if s.keyEnds(3) {
			s.keyword(s.pos, s.pos+3)
			return
		}
		start := s.pos
		s.pos += 3
		s.emit(tIdent, start, s.callFlags())
		return
	case strings.HasPrefix(rest, "..//"):
		if s.keyEnds(4) {
			s.keyword(s.pos, s.pos+4)
			return
		}
		if s.slashFollows(s.pos+4, false) {
			s.take(tIdent, 4)
			return
		}
		s.operator()
		return
	case strings.HasPrefix(rest, ".."):
		s.operator()
		return
	case s.keyEnds(1):
		s.keyword(s.pos, s.pos+1)
		return
	}
	s.joinLines()
	s.take(tDot, 1)
	s.skipToName()
	s.afterDot()
}

// skipToName goes over lines and comments between a dot and what it selects.
func (s *scanner) skipToName() {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '\n':
			s.pos++
			s.line++
			s.start = s.pos
		case isSpace(c):
			s.pos++
		case c == '#':
			n := strings.IndexByte(s.rest(), '\n')
			if n < 0 {
				n = len(s.rest())
			}
			s.pos += n
		default:
			return
		}
	}
}

// afterDot reads what only stands behind a dot; the rest is read as anywhere.
func (s *scanner) afterDot() {
	if s.pos >= len(s.src) {
		return
	}
	c := s.src[s.pos]
	switch {
	case c == '(':
		s.tokens[len(s.tokens)-1].kind = tDotCall
	case c == '"' || c == '\'':
		s.quotedName(c)
	default:
		if op := matchOperator(s.rest(), afterDot); op != nil {
			start := s.pos
			s.pos += len(op.text)
			s.emit(tIdent, start, s.callFlags())
		}
	}
}

// callFlags tells what stands right behind a name.
func (s *scanner) callFlags() uint8 {
	switch s.at(0) {
	case '(':
		return flagParen
	case '[':
		return flagBracket
	}
	return 0
}
