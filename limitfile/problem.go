package limitfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/headcount-go/headcount/internal/plain"
)

// A Problem is something wrong with a file, at one place in it.
type Problem struct {
	File    string
	Line    int // from 1; 0 if it is about the file as a whole
	Column  int // from 1, in characters
	Message string
	Excerpt string // the lines around it, with a mark
}

// Error is the problem with its excerpt.
func (p *Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s\n%s", p.File, p.Line, p.Column, p.Message, p.Excerpt)
}

// An Error is all that is wrong with a file.
type Error struct {
	Problems []*Problem // the first hundred
	Total    int
}

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(strings.TrimRight(p.Error(), "\n"))
	}
	if more := e.Total - len(e.Problems); more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}

// Unwrap gives the problems.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// A report collects what is wrong with one file.
type report struct {
	file  string
	lines []string
	err   Error
}

const (
	maxProblems = 100
	maxExcerpt  = 100 // characters of a line
)

// at is a place in the file.
type at struct{ line, column int }

func (r *report) add(where at, format string, args ...any) {
	r.err.Total++
	if len(r.err.Problems) >= maxProblems {
		return
	}
	p := &Problem{File: r.file, Line: where.line, Column: where.column, Message: fmt.Sprintf(format, args...)}
	if where.line > 0 {
		p.Excerpt = r.excerpt(where)
	}
	r.err.Problems = append(r.err.Problems, p)
}

func (r *report) orNil() error {
	if r.err.Total == 0 {
		return nil
	}
	slices.SortStableFunc(r.err.Problems, func(a, b *Problem) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return &r.err
}

// excerpt shows the line, the one before it, and a mark under the column.
func (r *report) excerpt(where at) string {
	if where.line > len(r.lines) {
		return ""
	}
	var b strings.Builder
	width := len(strconv.Itoa(where.line))
	for i := max(where.line-1, 1); i <= where.line; i++ {
		sign := " "
		if i == where.line {
			sign = ">"
		}
		fmt.Fprintf(&b, "%s %*d | %s\n", sign, width, i, printable(r.lines[i-1]))
	}
	if where.column <= maxExcerpt {
		fmt.Fprintf(&b, "  %*s | %s^\n", width, "", strings.Repeat(" ", max(where.column-1, 0)))
	}
	return b.String()
}

// printable replaces what would move the mark or the cursor, and cuts.
func printable(s string) string {
	s = strings.TrimRight(s, "\r")
	if utf8.RuneCountInString(s) > maxExcerpt {
		s = string([]rune(s)[:maxExcerpt]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// nearest is "; did you mean x?" for the word that differs least from s, if one is close.
func nearest(s string, words []string) string {
	if best := plain.Nearest(s, words); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// shown is a word of the file in a message.
func shown(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
