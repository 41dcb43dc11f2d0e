package report

import (
	"bufio"
	"fmt"
	"strings"
)

// writeText writes a line for each finding, as compilers do, and a summary.
func writeText(w *bufio.Writer, r *Report) error {
	shown := shownList{}
	for _, f := range r.Findings {
		if shown.pass(f.Rule) {
			fmt.Fprintln(w, textLine(r, f))
		}
	}
	for rule, n := range shown.cut() {
		fmt.Fprintf(w, "%s: %d more; the formats json and sarif have all\n", rule, n)
	}
	for i, u := range r.Unread {
		if i == maxShown {
			fmt.Fprintf(w, "%d more could not be read\n", len(r.Unread)-maxShown)
			break
		}
		fmt.Fprintf(w, "%s: could not be read: %s\n", lineStart(u.Position.String()), oneLine(u.Reason))
	}
	if len(r.Findings)+len(r.Unread) > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, r.summaryOfFindings())
	if hidden := r.summaryOfHidden(); hidden != "" {
		fmt.Fprintln(w, hidden)
	}
	fmt.Fprintln(w, r.summaryOfSupervisors())
	if n := len(r.Unread); n > 0 {
		fmt.Fprintf(w, "the review is not complete: %s could not be read\n", count(n, "place"))
	}
	return nil
}

func textLine(r *Report, f Finding) string {
	rule, _ := r.rule(f.Rule)
	about := f.Confidence.String() + " confidence"
	if f.Criticality != NotKnown {
		about += ", " + f.Criticality.String()
	}
	message, way := oneLine(f.Message), oneLine(Way(f.Reach))
	if way != "" {
		about += ": " + way
	}
	name := f.Rule
	if rule.Name != "" {
		name += " " + rule.Name
	}
	return fmt.Sprintf("%s: %s: %s: %s [%s]", lineStart(f.Place()), f.Severity(), name, message, about)
}

// lineStart is a place at the start of a line. Build servers read lines that begin with two colons as commands.
func lineStart(place string) string {
	place = oneLine(place)
	if strings.HasPrefix(place, ":") || place != strings.TrimSpace(place) {
		return "./" + place
	}
	return place
}
