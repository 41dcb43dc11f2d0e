package report

import (
	"bufio"
	"fmt"
	"strings"
)

// writeGitHub writes workflow commands, which GitHub shows beside the lines of a pull request. It shows ten of each kind in a step;
// the log has the others.
func writeGitHub(w *bufio.Writer, r *Report) error {
	shown := shownList{}
	for _, f := range r.Findings {
		if !shown.pass(f.Rule) {
			continue
		}
		rule, _ := r.rule(f.Rule)
		message, way := oneLine(f.Message), oneLine(Way(f.Reach))
		if way != "" {
			message += "\nReached by: " + way
		}
		if f.Remedy != "" {
			message += "\nWrite: " + block(f.Remedy)
		}
		command := f.Severity().String()
		if f.Severity() == Note {
			command = "notice"
		}
		annotation(w, command, f.Position, strings.TrimSpace(f.Rule+" "+rule.Name), message)
	}
	for rule, n := range shown.cut() {
		annotation(w, "notice", Position{}, rule, fmt.Sprintf("%d more; the formats json and sarif have all", n))
	}
	for i, u := range r.Unread {
		if i == maxShown {
			annotation(w, "error", Position{}, "could not be read", fmt.Sprintf("%d more", len(r.Unread)-maxShown))
			break
		}
		annotation(w, "error", u.Position, "could not be read", oneLine(u.Reason))
	}
	summary := r.summaryOfFindings() + "; " + r.summaryOfSupervisors()
	if hidden := r.summaryOfHidden(); hidden != "" {
		summary += "; " + hidden
	}
	fmt.Fprintln(w, summary)
	return nil
}

// annotation writes one command. The escapes are those of the toolkit's own command.ts.
func annotation(w *bufio.Writer, command string, p Position, title, message string) {
	fmt.Fprintf(w, "::%s ", command)
	if p.File != "" {
		fmt.Fprintf(w, "file=%s,", githubProperty.Replace(oneLine(p.File)))
		if p.Line > 0 {
			fmt.Fprintf(w, "line=%d,endLine=%d,", p.Line, max(p.EndLine, p.Line))
		}
		// With a column GitHub refuses an annotation of several lines.
		if p.Column > 0 && p.EndLine <= p.Line {
			fmt.Fprintf(w, "col=%d,", p.Column)
		}
	}
	fmt.Fprintf(w, "title=%s::%s\n", githubProperty.Replace(title), githubData.Replace(message))
}

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
