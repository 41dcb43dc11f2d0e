// Package changed tells which lines of a work tree have changed since a revision, by asking git.
package changed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Lines are the changed lines of files, by the path in the repository.
type Lines map[string][]span

// A span is lines that are new, first to last. Where lines were only removed, it lies between two: last is first-1.
type span struct{ first, last int }

// whole is a file of which every line is new.
var whole = span{1, math.MaxInt}

// Touch reports whether anything has changed in the lines from first to last of a file, or has been removed between them.
func (l Lines) Touch(file string, first, last int) bool {
	last = max(first, last)
	return slices.ContainsFunc(l[file], func(s span) bool {
		if s.last < s.first {
			return first < s.first && s.first <= last
		}
		return s.first <= last && first <= s.last
	})
}

// parse reads a diff without context, as git writes it with the prefixes a/ and b/.
func parse(diff io.Reader) (Lines, error) {
	out := Lines{}
	r := bufio.NewReaderSize(diff, 64<<10)
	file := ""
	skip := 0 // lines of the hunk that are still to come
	for {
		line, err := readLine(r)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case skip > 0 && (strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-")):
			skip--
		case strings.HasPrefix(line, "diff --git "):
			file, skip = "", 0
		case strings.HasPrefix(line, "+++ "):
			if file, err = newName(line[len("+++ "):]); err != nil {
				return nil, err
			}
		case strings.HasPrefix(line, "@@ "):
			removed, s, err := hunk(line)
			if err != nil {
				return nil, err
			}
			if file != "" {
				out[file] = append(out[file], s)
			}
			skip = removed + s.last - s.first + 1
		}
	}
}

// readLine reads a line of which only the beginning is kept when it is long: what is parsed here is short.
func readLine(r *bufio.Reader) (string, error) {
	line, long, err := r.ReadLine()
	text := string(line)
	for long && err == nil {
		_, long, err = r.ReadLine()
	}
	return text, err
}

// newName is the name behind +++. It is quoted as in C when it has unusual characters, and ends in a tab when it has a space.
func newName(s string) (string, error) {
	s = strings.TrimSuffix(s, "\t")
	if strings.HasPrefix(s, `"`) {
		unquoted, err := strconv.Unquote(s)
		if err != nil {
			return "", fmt.Errorf("the diff of git names a file %s, which cannot be read", s)
		}
		s = unquoted
	}
	if s == "/dev/null" {
		return "", nil
	}
	name, ok := strings.CutPrefix(s, "b/")
	if !ok {
		return "", fmt.Errorf("the diff of git names a file %q without the prefix b/", s)
	}
	return name, nil
}

// hunk reads "@@ -1,2 +3,4 @@".
func hunk(line string) (removed int, added span, err error) {
	f := strings.Fields(line)
	if len(f) < 4 || f[3] != "@@" {
		return 0, span{}, badHunk(line)
	}
	_, removed, err1 := numbers(f[1], "-")
	start, n, err2 := numbers(f[2], "+")
	if err := errors.Join(err1, err2); err != nil {
		return 0, span{}, badHunk(line)
	}
	if n == 0 {
		return removed, span{start + 1, start}, nil
	}
	return removed, span{start, start + n - 1}, nil
}

func badHunk(line string) error { return fmt.Errorf("the diff of git has a hunk %q", line) }

// numbers reads "+3,4" as 3 and 4; without a comma the second is 1.
func numbers(s, sign string) (start, n int, err error) {
	s, ok := strings.CutPrefix(s, sign)
	if !ok {
		return 0, 0, strconv.ErrSyntax
	}
	first, second, two := strings.Cut(s, ",")
	if !two {
		second = "1"
	}
	a, err1 := strconv.ParseUint(first, 10, 30)
	b, err2 := strconv.ParseUint(second, 10, 30)
	return int(a), int(b), errors.Join(err1, err2)
}
