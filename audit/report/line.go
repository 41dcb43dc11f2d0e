package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneLine makes a text from outside fit to be shown in one line: without control characters, which could move a terminal's cursor or
// begin a line that a program reads as a command, without marks that turn the direction of writing, and not too long.
func oneLine(s string) string {
	cut := false
	if len(s) > maxLine {
		s, cut = strings.TrimRightFunc(s[:maxLine], func(r rune) bool { return r == utf8.RuneError }), true
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	if cut {
		b.WriteString("…")
	}
	// The older form of commands in a log, which counts anywhere in a line.
	return strings.ReplaceAll(b.String(), "##[", "## [")
}

// way is how an outsider comes to a place, in one line.
func way(steps []Step) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Name
	}
	return strings.Join(names, " -> ")
}

// block is oneLine for a text of several lines, of which it keeps the first hundred.
func block(s string) string {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
	if len(lines) > maxShown {
		lines = append(lines[:maxShown], "…")
	}
	for i, l := range lines {
		indent := l[:len(l)-len(strings.TrimLeft(l, "\t "))]
		text := oneLine(l[len(indent):])
		if strings.HasPrefix(text, "::") { // a command to a build server, were the report printed to its log
			text = ": :" + text[2:]
		}
		lines[i] = indent + text
	}
	return strings.Join(lines, "\n")
}
