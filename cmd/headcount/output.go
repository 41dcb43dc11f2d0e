package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"charm.land/lipgloss/v2"
)

// writeJSON writes v, with all escaped that does not print, also what JSON would let pass: a terminal takes some of it for
// commands.
func writeJSON(w io.Writer, v any, indent bool) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if indent {
		e.SetIndent("", "  ")
	}
	if err := e.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range b.String() {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// writeTable writes rows below a heading. Columns are as wide as what is in them on the screen; those of right are set to
// the right.
func writeTable(w io.Writer, heading []string, right string, rows [][]string) error {
	rows = append([][]string{heading}, rows...)
	width := make([]int, len(heading))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], lipgloss.Width(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		line := ""
		for i, cell := range r {
			pad := strings.Repeat(" ", width[i]-lipgloss.Width(cell))
			if right[i] == 'r' {
				cell = pad + cell
			} else {
				cell += pad
			}
			line += cell + "  "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
