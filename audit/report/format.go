package report

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
)

// formats are the ways to write a report, in the order in which help shows them.
var formats = []struct {
	name  string
	write func(*bufio.Writer, *Report) error
}{
	{"text", writeText},
	{"json", writeJSON},
	{"sarif", writeSARIF},
	{"github", writeGitHub},
	{"markdown", writeMarkdown},
}

// Formats names the formats that Write knows.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// CheckFormat says whether Write knows a format.
func CheckFormat(format string) error {
	for _, f := range formats {
		if f.name == format {
			return nil
		}
	}
	return fmt.Errorf("format is %q; it must be one of %s", format, strings.Join(Formats(), ", "))
}

// Write writes a report in a format.
//
// For people (text, github, markdown) it shows the first hundred findings of each rule and says how many more there are; for machines
// (json, sarif) it writes all of them. What comes from the code under review is escaped for the format.
func Write(w io.Writer, format string, r *Report) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	for _, f := range formats {
		if f.name != format {
			continue
		}
		b := bufio.NewWriter(w)
		if err := f.write(b, r); err != nil {
			return err
		}
		return b.Flush()
	}
	return nil
}

// What people are shown at most.
const (
	maxShown       = 100  // findings of a rule, accepted findings, places that could not be read
	maxSupervisors = 1000 // rows of the table of all supervisors
	maxLine        = 400  // bytes of one text from outside
)

// A shownList lets the first hundred of each rule pass and counts the others.
type shownList map[string]int

func (s shownList) pass(rule string) bool {
	s[rule]++
	return s[rule] <= maxShown
}

// cut gives the rules of which not all were let pass, and how many were not.
func (s shownList) cut() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, rule := range slices.Sorted(maps.Keys(s)) {
			if more := s[rule] - maxShown; more > 0 && !yield(rule, more) {
				return
			}
		}
	}
}
