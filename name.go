package headcount

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name in bytes.
const maxName = 128

// maxShownKey is where the text of a shown key is cut, in bytes, quotes and
// ellipsis not counted.
const maxShownKey = 64

// nameProblem says what is wrong with the name of a child or a supervisor, or
// returns "". A name is one element of a path, so it holds no slash; and it
// is printed in logs, metrics and terminals as it is, so it holds nothing
// that would need quoting there.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > maxName:
		return "must be at most 128 bytes long"
	case !utf8.ValidString(name):
		return "must be valid UTF-8"
	case name == "." || name == "..":
		return `must not be "." or ".."`
	}
	for _, r := range name {
		if !nameRune(r) {
			return "must not contain " + strconv.QuoteRuneToASCII(r) + ": letters, digits and _ - . : @ + are allowed"
		}
	}
	return ""
}

func nameRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	case r == '_', r == '-', r == '.', r == ':', r == '@', r == '+':
		return true
	case r < utf8.RuneSelf, r == utf8.RuneError:
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// joinPath returns the path of a child below parent; the root has no parent.
func joinPath(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "/" + name
}

// shownKey returns the key s in a form that can stand as one element of a
// path, in a log line and on a terminal, whoever chose the key. What could be
// a name stands as it is; all else is quoted as Go quotes strings, with each
// slash as \x2f. Two keys never look the same unless they were cut: a long
// one is cut at 64 bytes, between runes, and ends in an ellipsis.
func shownKey(s string) string {
	if plainKey(s) {
		return cut(s, maxShownKey)
	}
	var b strings.Builder
	b.WriteByte('"')
	var space [16]byte // the longest escape is \U0010ffff with its quotes
	for size, shown := 0, 0; s != ""; s = s[size:] {
		_, size = utf8.DecodeRuneInString(s)
		escaped := `\x2f`
		if s[0] != '/' {
			quoted := strconv.AppendQuote(space[:0], s[:size])
			escaped = string(quoted[1 : len(quoted)-1])
		}
		if shown += len(escaped); shown > maxShownKey {
			b.WriteString(`"…`)
			return b.String()
		}
		b.WriteString(escaped)
	}
	b.WriteByte('"')
	return b.String()
}

// plainKey reports whether s needs no quotes. It reads no more of s than is
// shown, because a key may be as long as whoever sent it liked.
func plainKey(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for i, r := range s {
		if i >= maxShownKey {
			break
		}
		if !nameRune(r) {
			return false
		}
	}
	return true
}
