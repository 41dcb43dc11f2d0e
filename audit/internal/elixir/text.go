package elixir

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// readText reads a string, charlist, sigil, quoted atom or quoted key with what is interpolated.
func (p *parser) readText() Node {
	begin := p.advance()
	var text strings.Builder
	var parts []Node
	lineBegins := begin.flags&flagHeredoc != 0
	for !p.at(tTextEnd) {
		t := p.advance()
		if t.kind == tInterpolation {
			parts = append(parts, p.interpolated(t))
		} else {
			p.piece(&text, begin, t, lineBegins)
		}
		lineBegins = false
	}
	end := p.advance()
	pos := begin.pos()
	switch begin.text {
	case textAtom, textKeyword:
		return &Atom{Pos: pos, Name: text.String(), Quoted: true, Parts: parts}
	case textSigil, textRawSigil:
		return &Sigil{Pos: pos, Name: p.text(begin), Text: text.String(), Modifiers: p.text(end), Parts: parts}
	}
	return &String{Pos: pos, Text: text.String(), Charlist: begin.text == textCharlist, Parts: parts}
}

func (p *parser) interpolated(open *token) Node {
	outer, height := p.allowDo(), p.enter()
	body := p.block(open.pos())
	p.closing(tInterpolationEnd, open)
	p.leave(height)
	p.scope = outer
	if len(body.Exprs) == 1 {
		return body.Exprs[0]
	}
	return body
}

// piece writes a fixed part of a text, without the indentation of a heredoc and with escapes undone.
func (p *parser) piece(to *strings.Builder, begin, t *token, lineBegins bool) {
	raw := p.text(t)
	if begin.indent > 0 {
		raw = outdent(raw, int(begin.indent), lineBegins)
	}
	if strings.IndexByte(raw, '\\') < 0 {
		to.WriteString(raw)
		return
	}
	if begin.text == textSigil || begin.text == textRawSigil {
		unescapeEnd(to, raw, closer(p.src[begin.end:], begin.flags&flagHeredoc != 0))
		return
	}
	unescape(to, raw)
}

// closer is what ends a text that opens so.
func closer(open string, heredoc bool) string {
	if heredoc {
		return open[:3]
	}
	i := strings.IndexByte(delimiters, open[0])
	return delimiters[i+1 : i+2]
}

// unescapeEnd takes the backslash off what would end a sigil. What a sigil makes of other escapes is its own business.
func unescapeEnd(to *strings.Builder, s, end string) {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			to.WriteString(s)
			return
		}
		if strings.HasPrefix(s[i+1:], end) {
			to.WriteString(s[:i])
			to.WriteString(end)
			s = s[i+1+len(end):]
			continue
		}
		to.WriteString(s[:i+2])
		s = s[i+2:]
	}
}

// outdent takes up to n spaces off the beginning of each line; the first line may be the rest of one.
func outdent(s string, n int, lineBegins bool) string {
	var out strings.Builder
	for len(s) > 0 {
		if lineBegins {
			k := 0
			for k < n && k < len(s) && (s[k] == ' ' || s[k] == '\t') {
				k++
			}
			s = s[k:]
		}
		end := strings.IndexByte(s, '\n') + 1
		if end == 0 {
			end = len(s)
		}
		out.WriteString(s[:end])
		s = s[end:]
		lineBegins = true
	}
	return out.String()
}

// unescape writes s as its escapes mean it. An escape that Elixir refuses stays as it is.
func unescape(to *strings.Builder, s string) {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			to.WriteString(s)
			return
		}
		to.WriteString(s[:i])
		c := s[i+1]
		s = s[i+2:]
		switch {
		case c == '\n':
		case c == '\r' && strings.HasPrefix(s, "\n"):
			s = s[1:]
		case c == 'x' || c == 'u':
			s = s[codePoint(to, c, s):]
		case c < utf8.RuneSelf:
			to.WriteByte(escapeByte(c))
		default:
			to.WriteByte(c)
		}
	}
}

// codePoint writes what \x or \u and the digits behind it mean, and reports how much of digits it has used.
func codePoint(to *strings.Builder, c byte, s string) int {
	digits, used := "", 0
	switch {
	case strings.HasPrefix(s, "{"):
		if end := strings.IndexByte(s[:min(len(s), 8)], '}'); end > 0 {
			digits, used = s[1:end], end+1
		}
	case c == 'u' && len(s) >= 4:
		digits, used = s[:4], 4
	case c == 'x' && len(s) >= 2 && isHex(s[1]):
		digits, used = s[:2], 2
	case c == 'x' && len(s) >= 1:
		digits, used = s[:1], 1
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	switch {
	case err != nil || v > utf8.MaxRune:
		to.WriteByte('\\')
		to.WriteByte(c)
		return 0
	case c == 'x' && used == 2:
		to.WriteByte(byte(v))
	default:
		to.WriteRune(rune(v))
	}
	return used
}
