package audit

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/headcount-go/headcount/audit/internal/comment"
	"github.com/headcount-go/headcount/audit/report"
)

// An ignore is a comment that answers for findings, such as
//
//	go serve(l) // headcount:ignore HC101 the listeners are in the configuration
//
// It speaks of its own line, or, if it is alone on its line, of the next line that is not such a comment.
type ignore struct {
	report.Position
	code   string // its line
	target int
	rules  []string
	reason string
	used   map[string]bool
	unsure bool // a finding that it speaks of may not have been seen
}

const ignoreMark = "headcount:ignore"

// ignoresIn finds the comments in a file that begin with the mark.
func ignoresIn(file string, src []byte) []*ignore {
	var comments []comment.Comment
	switch filepath.Ext(file) {
	case ".go":
		comments = comment.Go(src)
	case ".ex", ".exs":
		comments = comment.Elixir(src)
	default:
		comments = comment.Erlang(src)
	}
	var out []*ignore
	for i, c := range comments {
		rest, ok := strings.CutPrefix(c.Text, ignoreMark)
		if !ok || rest != "" && !unicode.IsSpace(rune(rest[0])) {
			continue
		}
		x := &ignore{Position: report.Position{File: file, Line: c.Line, Column: c.Column}, target: c.Line, used: map[string]bool{}}
		x.rules, x.reason = splitIgnore(rest)
		if c.Alone {
			x.target++
			for _, next := range comments[i+1:] {
				if next.Line != x.target || !next.Alone {
					break
				}
				x.target++
			}
		}
		out = append(out, x)
	}
	return out
}

var ruleID = regexp.MustCompile(`^HC[0-9]{3}$`)

// splitIgnore reads "HC101, HC102 reason".
func splitIgnore(s string) (rules []string, reason string) {
	rest := strings.TrimSpace(s)
	for rest != "" {
		word := rest
		if i := strings.IndexFunc(rest, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }); i >= 0 {
			word = rest[:i]
		}
		if !ruleID.MatchString(strings.TrimRight(word, ":")) {
			break
		}
		rules = append(rules, strings.TrimRight(word, ":"))
		rest = strings.TrimLeft(rest[len(word):], ", \t")
	}
	return rules, strings.TrimLeft(rest, "-–—:,; \t")
}

// answersFor reports whether the comment answers for a finding.
func (x *ignore) answersFor(f report.Finding, rules registry) bool {
	if x.fault(rules) != "" || x.File != f.File || x.target != f.Line {
		return false
	}
	return slices.Contains(x.rules, f.Rule)
}

// fault says why the comment answers for nothing, or "".
func (x *ignore) fault(rules registry) string {
	switch {
	case len(x.rules) == 0:
		return "names no rule"
	case !strings.ContainsFunc(x.reason, unicode.IsLetter):
		return "gives no reason"
	}
	for _, id := range x.rules {
		if _, ok := rules.find(id); !ok {
			return fmt.Sprintf("names %s, which is no rule", id)
		}
	}
	return ""
}

// findings are what is to be said of the comment itself, once all findings that it may answer for are known.
func (x *ignore) findings(rules registry) []report.Finding {
	finding := func(rule, message, remedy string) report.Finding {
		return report.Finding{
			Rule: rule, Position: x.Position, Symbol: x.File, Message: message, Remedy: remedy,
			Confidence: report.High, Criticality: report.NotKnown, Code: x.code,
		}
	}
	if fault := x.fault(rules); fault != "" {
		return []report.Finding{finding(ruleBadIgnore, "this comment "+fault+", so nothing is ignored for it", ignoreMark+" HC101 why that is all right here")}
	}
	var out []report.Finding
	for _, rule := range x.rules {
		if !x.used[rule] && !x.unsure {
			out = append(out, finding(ruleUnusedIgnore, fmt.Sprintf("there is no finding of %s here that this comment could answer for", rule), ""))
		}
	}
	return out
}
