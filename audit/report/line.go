package report

import (
	"strings"

	"github.com/headcount-go/headcount/internal/plain"
)

// oneLine makes a text from outside fit to be shown in one line, wherever that is.
func oneLine(s string) string {
	// The older form of commands in the log of a build server, which counts anywhere in a line.
	return strings.ReplaceAll(plain.Cut(strings.ReplaceAll(s, "\t", " "), maxLine), "##[", "## [")
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
