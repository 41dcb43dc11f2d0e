package erlang

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads 1, 1_000, 16#ff, 1.5 and 1.5e-3.
func (l *lexer) number() kind {
	start := l.at
	l.digits(10)
	if l.byteAt(l.at) == '#' {
		base, err := strconv.Atoi(strings.ReplaceAll(l.src[start:l.at], "_", ""))
		if err == nil && 2 <= base && base <= 36 && digit(l.byteAt(l.at+1)) < base {
			l.at++
			l.digits(base)
			return integer
		}
		return integer
	}
	if l.byteAt(l.at) != '.' || digit(l.byteAt(l.at+1)) >= 10 {
		return integer
	}
	l.at++
	l.digits(10)
	if c := l.byteAt(l.at); c == 'e' || c == 'E' {
		exponent := l.at + 1
		if s := l.byteAt(exponent); s == '+' || s == '-' {
			exponent++
		}
		if digit(l.byteAt(exponent)) < 10 {
			l.at = exponent
			l.digits(10)
		}
	}
	return float
}

func (l *lexer) digits(base int) {
	for digit(l.byteAt(l.at)) < base || l.byteAt(l.at) == '_' && digit(l.byteAt(l.at+1)) < base {
		l.at++
	}
}

// digit is the value of a digit, and more than every base for what is none.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	}
	return 99
}

func (l *lexer) byteAt(i int) byte {
	if i < len(l.src) {
		return l.src[i]
	}
	return 0
}

// character reads $a, $\n, $\x{41} and the like.
func (l *lexer) character() kind {
	l.at++
	if l.at >= len(l.src) {
		return l.fail("a $ without a character")
	}
	if l.src[l.at] == '\\' {
		_, n := escape(l.src[l.at:])
		l.at += n
		if l.src[l.at-1] == '\n' {
			l.newline()
		}
		return char
	}
	r, n := l.rune()
	l.at += n
	if r == '\n' {
		l.newline()
	}
	return char
}

// quote reads what stands between the quote at l.at and the next one of its kind. It may go over lines.
func (l *lexer) quote(k kind) kind {
	q := l.src[l.at]
	if q == '"' {
		if n := l.quotes(); n >= 3 && l.endsLine(l.at+n) {
			return l.heredoc(n)
		}
	}
	l.at++
	return l.until(q, true, k)
}

// until reads up to the closing delimiter.
func (l *lexer) until(closing byte, escapes bool, k kind) kind {
	line, lineStart, start := l.line, l.lineStart, l.at
	for i := l.at; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == closing:
			l.at = i + 1
			return k
		case c == '\\' && escapes && i+1 < len(l.src):
			i++
			if l.src[i] == '\n' {
				l.at = i + 1
				l.newline()
			}
		case c == '\n':
			l.at = i + 1
			l.newline()
		}
	}
	return l.notClosed(line, lineStart, start)
}

// notClosed goes on behind the line of a quote that has no end, so that one forgotten quote costs one form and not the file.
func (l *lexer) notClosed(line, lineStart, start int) kind {
	l.unclosed++
	if l.unclosed > maxUnclosed {
		l.at = len(l.src)
	} else {
		l.line, l.lineStart, l.at = line, lineStart, start
		l.skipLine()
	}
	return l.fail("a quote that is not closed")
}

// quotes counts the quotes at l.at.
func (l *lexer) quotes() int {
	n := 0
	for l.byteAt(l.at+n) == '"' {
		n++
	}
	return n
}

func (l *lexer) endsLine(i int) bool {
	for l.byteAt(i) == ' ' || l.byteAt(i) == '\t' || l.byteAt(i) == '\r' {
		i++
	}
	return l.byteAt(i) == '\n'
}

// heredoc reads a string of n quotes up to a line that begins with as many.
func (l *lexer) heredoc(n int) kind {
	line, lineStart, start := l.line, l.lineStart, l.at
	for {
		l.skipLine()
		if l.at >= len(l.src) {
			return l.notClosed(line, lineStart, start)
		}
		l.at++
		l.newline()
		for l.byteAt(l.at) == ' ' || l.byteAt(l.at) == '\t' {
			l.at++
		}
		if l.quotes() >= n {
			l.at += n
			return heredoc
		}
	}
}

// sigil reads ~"...", ~s(...) and the like.
func (l *lexer) sigil() kind {
	l.at++
	for c := l.byteAt(l.at); 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'; c = l.byteAt(l.at) {
		l.at++
	}
	verbatim := l.byteAt(l.at-1) == 'S' || l.byteAt(l.at-1) == 'B'
	if n := l.quotes(); n >= 3 && l.endsLine(l.at+n) {
		return l.heredoc(n)
	}
	i := strings.IndexByte("([{</|'\"`#", l.byteAt(l.at))
	if i < 0 || l.at >= len(l.src) {
		return l.fail("a ~ without a string")
	}
	l.at++
	return l.until(")]}>/|'\"`#"[i], !verbatim, text)
}

// escape undoes the escape that s begins with and tells its length.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return '\\', len(s)
	}
	switch c := s[1]; {
	case '0' <= c && c <= '7':
		n := 2
		for n < len(s) && n < 4 && '0' <= s[n] && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[1:n], 8, 32)
		return rune(v), n
	case c == 'x':
		if len(s) > 2 && s[2] == '{' {
			if i := strings.IndexByte(s[:min(len(s), 16)], '}'); i > 0 {
				v, err := strconv.ParseUint(s[3:i], 16, 31)
				if err == nil {
					return rune(v), i + 1
				}
			}
		}
		if len(s) >= 4 {
			if v, err := strconv.ParseUint(s[2:4], 16, 32); err == nil {
				return rune(v), 4
			}
		}
		return 'x', 2
	case c == '^' && len(s) > 2:
		return rune(s[2] & 31), 3
	}
	if i := strings.IndexByte("nrtvbfesd", s[1]); i >= 0 {
		return rune("\n\r\t\v\b\f\x1b \x7f"[i]), 2
	}
	r, n := utf8.DecodeRuneInString(s[1:])
	return r, n + 1
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for s != "" {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		r, n := escape(s[i:])
		b.WriteRune(r)
		s = s[i+n:]
	}
	return b.String()
}
