// Package comment finds the comments of a source file that run to the end of their line.
package comment

import (
	"bytes"
	"go/scanner"
	"go/token"
	"strings"
	"unicode/utf8"
)

// A Comment runs from its mark to the end of the line.
type Comment struct {
	Line, Column int    // from 1, in bytes
	Text         string // without the mark and the white space around
	Alone        bool   // there is nothing else on the line
}

// Go finds the comments of Go source that begin with two slashes. What is no Go is read as far as it is.
func Go(src []byte) []Comment {
	var (
		out []Comment
		s   scanner.Scanner
	)
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, src, func(token.Position, string) {}, scanner.ScanComments)
	last := 0 // the last line with code on it
	for {
		pos, kind, text := s.Scan()
		if kind == token.EOF {
			return out
		}
		at := file.PositionFor(pos, false)
		switch {
		case kind == token.SEMICOLON && text == "\n":
		case kind != token.COMMENT:
			last = at.Line + strings.Count(text, "\n")
		case strings.HasPrefix(text, "//"):
			out = append(out, Comment{at.Line, at.Column, strings.TrimSpace(text[2:]), last != at.Line})
		}
	}
}

// Elixir finds the comments of Elixir source. Strings are told apart as far as a line tells; of those that span lines, heredocs are known.
func Elixir(src []byte) []Comment { return byLine(src, '#', true) }

// Erlang finds the comments of Erlang source, in the same way.
func Erlang(src []byte) []Comment { return byLine(src, '%', false) }

func byLine(src []byte, mark byte, elixir bool) []Comment {
	var (
		out  []Comment
		open string // what ends the heredoc that the line is in
		n    int
	)
	for line := range bytes.Lines(src) {
		n++
		text := strings.TrimRight(string(line), "\r\n")
		if open != "" {
			if strings.HasPrefix(strings.TrimLeft(text, " \t"), open) {
				open = ""
			}
			continue
		}
		at := -1
		at, open = commentIn(text, mark, elixir)
		if at >= 0 {
			out = append(out, Comment{n, at + 1, strings.TrimSpace(strings.TrimLeft(text[at:], string(mark))), strings.TrimSpace(text[:at]) == ""})
		}
	}
	return out
}

// commentIn finds where in a line a comment begins, -1 for nowhere, and what ends the heredoc that the line begins.
func commentIn(line string, mark byte, elixir bool) (at int, heredoc string) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == mark:
			return i, ""
		case c == '"' || c == '\'':
			if three := strings.Repeat(string(c), 3); strings.HasPrefix(line[i:], three) {
				if strings.TrimSpace(line[i+3:]) == "" {
					return -1, three
				}
			}
			i = closing(line, i+1, c)
		case elixir && c == '?' && !wordBefore(line, i), !elixir && c == '$':
			if i++; i < len(line) && line[i] == '\\' {
				i++
			}
		case elixir && c == '~':
			i++
			for i < len(line) && (line[i]|0x20 >= 'a' && line[i]|0x20 <= 'z' || line[i] >= '0' && line[i] <= '9') {
				i++
			}
			if i >= len(line) {
				return -1, ""
			}
			if three := strings.Repeat(line[i:i+1], 3); line[i] == '"' || line[i] == '\'' {
				if strings.HasPrefix(line[i:], three) {
					return -1, three
				}
			}
			if end := sigilEnd(line[i]); end != 0 {
				i = closing(line, i+1, end)
			}
		}
	}
	return -1, ""
}

// wordBefore reports whether a question mark belongs to the name before it, as in empty?.
func wordBefore(line string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(line[:i])
	return r == '_' || r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || r >= utf8.RuneSelf && r != utf8.RuneError
}

func sigilEnd(begin byte) byte {
	switch begin {
	case '(':
		return ')'
	case '[':
		return ']'
	case '{':
		return '}'
	case '<':
		return '>'
	case '/', '|', '"', '\'':
		return begin
	}
	return 0
}

// closing finds the end of a string, which is behind the line where the string goes on there.
func closing(line string, i int, end byte) int {
	for ; i < len(line) && line[i] != end; i++ {
		if line[i] == '\\' {
			i++
		}
	}
	return i
}
