package report

import (
	"fmt"
	"strings"
)

// totals counts the supervisors by what is known of their limit.
func (r *Report) totals() (byState [NotApplicable + 1]int) {
	for _, s := range r.Supervisors {
		if s.State >= 0 && s.State <= NotApplicable {
			byState[s.State]++
		}
	}
	return byState
}

// summaryOfFindings is such as "3 findings: 1 error, 2 warnings".
func (r *Report) summaryOfFindings() string {
	if len(r.Findings) == 0 {
		return "no findings"
	}
	var bySeverity [Error + 1]int
	for _, f := range r.Findings {
		bySeverity[f.Severity()]++
	}
	var parts []string
	for s := Error; s >= Note; s-- {
		if n := bySeverity[s]; n > 0 {
			parts = append(parts, count(n, s.String()))
		}
	}
	return count(len(r.Findings), "finding") + ": " + strings.Join(parts, ", ")
}

// summaryOfHidden says what the findings do not contain; it is "" where that is nothing.
func (r *Report) summaryOfHidden() string {
	byWhere := map[AcceptedWhere]int{}
	for _, a := range r.Accepted {
		byWhere[a.Where]++
	}
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{
		{byWhere[ByComment], "ignored by a comment with its reason"},
		{byWhere[ByBaseline], "in the baseline"},
		{r.Hidden.Unsure, "of too low a confidence"},
		{r.Hidden.Unchanged, "on lines that have not changed"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.text))
		}
	}
	var sentences []string
	if len(parts) > 0 {
		sentences = append(sentences, "not shown: "+strings.Join(parts, ", "))
	}
	if n := r.Hidden.Gone; n > 0 {
		sentences = append(sentences, fmt.Sprintf("gone from the baseline: %d", n))
	}
	return strings.Join(sentences, "; ")
}

// summaryOfSupervisors is such as "5 supervisors: 2 with a limit, 3 without".
func (r *Report) summaryOfSupervisors() string {
	if len(r.Supervisors) == 0 {
		return "no supervisors"
	}
	n := r.totals()
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{
		{n[Unlimited], "without a limit"},
		{n[LimitNotKnown], "with a limit that is not known"},
		{n[Set] + n[Expression], "with a limit"},
		{n[NotApplicable], "with declared children"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.text))
		}
	}
	return count(len(r.Supervisors), "supervisor") + ": " + strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
