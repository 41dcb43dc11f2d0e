package report

import (
	"bufio"
	"fmt"
	"strings"
)

// writeMarkdown writes the gap report: what is there, what is missing, what to write, most critical first.
func writeMarkdown(w *bufio.Writer, r *Report) error {
	fmt.Fprint(w, "# Supervisors and their limits\n\n")
	subject := make([]string, 0, len(r.Subject))
	for _, s := range r.Subject {
		subject = append(subject, code(s))
	}
	fmt.Fprintf(w, "Of %s: %s; %s.\n", strings.Join(subject, ", "), r.summaryOfSupervisors(), r.summaryOfFindings())
	if hidden := r.summaryOfHidden(); hidden != "" {
		fmt.Fprintf(w, "%s%s.\n", strings.ToUpper(hidden[:1]), hidden[1:])
	}
	if len(r.Unread) > 0 {
		fmt.Fprintf(w, "\n**The review is not complete**: [%s](#not-read) could not be read.\n", count(len(r.Unread), "place"))
	}
	implemented(w, r)
	missing(w, r)
	everySupervisor(w, r)
	accepted(w, r)
	unread(w, r)
	return nil
}

func implemented(w *bufio.Writer, r *Report) {
	fmt.Fprint(w, "\n## Currently implemented\n\n")
	if len(r.Supervisors) == 0 {
		fmt.Fprint(w, "No supervisor was found.\n")
		return
	}
	var kinds []string
	byKind := map[string]*[NotApplicable + 1]int{}
	for _, s := range r.Supervisors {
		n := byKind[s.Kind]
		if n == nil {
			n = new([NotApplicable + 1]int)
			byKind[s.Kind] = n
			kinds = append(kinds, s.Kind)
		}
		if s.State >= 0 && s.State <= NotApplicable {
			n[s.State]++
		}
	}
	fmt.Fprint(w, "| kind | with a limit | without | not known | declared children |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, k := range kinds[:min(len(kinds), maxShown)] {
		n := byKind[k]
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d |\n", cell(k), n[Set]+n[Expression], n[Unlimited], n[LimitNotKnown], n[NotApplicable])
	}
}

func missing(w *bufio.Writer, r *Report) {
	fmt.Fprint(w, "\n## Missing, and what to write\n\n")
	if len(r.Findings) == 0 {
		fmt.Fprint(w, "Nothing was found to be missing.\n")
		return
	}
	fmt.Fprint(w, "Most critical first.\n")
	shown, n := shownList{}, 0
	for _, f := range r.Findings {
		if !shown.pass(f.Rule) {
			continue
		}
		n++
		gap(w, r, n, f)
	}
	for rule, n := range shown.cut() {
		fmt.Fprintf(w, "\n%d more of %s; the formats json and sarif have all.\n", n, rule)
	}
}

func gap(w *bufio.Writer, r *Report, n int, f Finding) {
	rule, known := r.rule(f.Rule)
	message, way := oneLine(f.Message), oneLine(Way(f.Reach))
	fmt.Fprintf(w, "\n### %d. %s\n\n", n, escape(message))
	name := escape(strings.TrimSpace(f.Rule + " " + rule.Name))
	if known {
		name = fmt.Sprintf("[%s](%s)", name, rule.URL())
	}
	fmt.Fprintf(w, "**%s** at %s", f.Severity(), code(f.Place()))
	if f.Symbol != "" && f.File != "" {
		fmt.Fprintf(w, " in %s", code(f.Symbol))
	}
	fmt.Fprintf(w, "; %s, %s confidence.\n", name, f.Confidence)
	fmt.Fprintf(w, "\n- Criticality: %s.\n", serves(f.Criticality))
	if way != "" {
		fmt.Fprintf(w, "- Reached by: %s\n", code(way))
	}
	if line := strings.TrimSpace(f.Code); line != "" {
		fmt.Fprintf(w, "- Now: %s\n", code(line))
	}
	switch {
	case strings.Contains(strings.TrimSpace(f.Remedy), "\n"):
		fmt.Fprintf(w, "- Write:\n\n%s\n", fenced(f.Remedy, "  "))
	case f.Remedy != "":
		fmt.Fprintf(w, "- Write: %s\n", code(f.Remedy))
	}
	if advice := choose(f); advice != "" {
		fmt.Fprintf(w, "- The number: %s\n", advice)
	}
}

func everySupervisor(w *bufio.Writer, r *Report) {
	if len(r.Supervisors) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Every supervisor\n\nThose without a limit first.\n\n")
	fmt.Fprint(w, "| place | kind | name | limit | strategy | restarts | serves |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for i, s := range r.Supervisors {
		if i == maxSupervisors {
			fmt.Fprintf(w, "\n%d more; the format json has all.\n", len(r.Supervisors)-maxSupervisors)
			break
		}
		place := s.Position.String()
		if s.File == "" {
			place = s.Symbol
		}
		serves := s.Criticality.String()
		if len(s.Reach) > 0 {
			serves += ": " + Way(s.Reach)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n",
			cell(place), cell(s.Kind), cell(s.Name), limit(s.Limit), escape(s.Strategy), escape(s.Restarts), escape(serves))
	}
}

func limit(l Limit) string {
	switch {
	case l.State == Unlimited:
		return "**none**"
	case l.State == NotApplicable:
		return "declared children"
	case l.State == Set && (l.Text == "" || l.Text == fmt.Sprint(l.Value)):
		return fmt.Sprint(l.Value)
	case l.State == Set:
		return fmt.Sprintf("%d (%s)", l.Value, cell(l.Text))
	case l.Text == "":
		return l.State.String()
	case l.State == Expression:
		return cell(l.Text)
	default:
		return "not known: " + cell(l.Text)
	}
}

func accepted(w *bufio.Writer, r *Report) {
	var byComment []Accepted
	for _, a := range r.Accepted {
		if a.Where == ByComment {
			byComment = append(byComment, a)
		}
	}
	if len(byComment) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Accepted, with reasons\n\n| place | rule | reason |\n| --- | --- | --- |\n")
	for i, a := range byComment {
		if i == maxShown {
			fmt.Fprintf(w, "\n%d more; the formats json and sarif have all.\n", len(byComment)-maxShown)
			break
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", cell(a.Place()), a.Rule, escape(a.Reason))
	}
}

func unread(w *bufio.Writer, r *Report) {
	if len(r.Unread) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Not read\n\n")
	for i, u := range r.Unread {
		if i == maxShown {
			fmt.Fprintf(w, "- %d more; the formats json and sarif have all.\n", len(r.Unread)-maxShown)
			break
		}
		fmt.Fprintf(w, "- %s: %s\n", code(u.Position.String()), escape(u.Reason))
	}
}
