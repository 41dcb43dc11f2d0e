package report

import "strings"

// escape makes a text from outside plain text in Markdown, in one line, in a cell of a table as well.
func escape(s string) string { return markdownEscapes.Replace(oneLine(s)) }

// Every character that can begin markup, HTML or a mention.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "~", `\~`, "#", `\#`,
	"@", "&#64;", "!", `\!`, "$", `\$`, "://", ":&#47;/", "www.", "www&#46;",
)

// code is a text from outside as a code span, in one line. The marks around it are longer than any in it.
func code(s string) string {
	s = strings.TrimSpace(oneLine(s))
	if s == "" {
		return ""
	}
	mark := strings.Repeat("`", longest(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		return mark + " " + s + " " + mark
	}
	return mark + s + mark
}

// cell is a code span in a table, where a bar ends the cell even within code.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// fenced is a text from outside as a block of code, indented by margin.
func fenced(s, margin string) string {
	s = block(s)
	fence := strings.Repeat("`", max(3, longest(s, '`')+1))
	lines := append([]string{fence}, strings.Split(s, "\n")...)
	lines = append(lines, fence)
	return margin + strings.Join(lines, "\n"+margin)
}

// longest is the length of the longest run of a byte.
func longest(s string, b byte) int {
	most, run := 0, 0
	for i := range len(s) {
		run++
		if s[i] != b {
			run = 0
		}
		most = max(most, run)
	}
	return most
}
