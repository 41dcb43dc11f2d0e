package report

import (
	"cmp"
	"slices"
	"strings"
)

// A Report is a whole review, ready to be written.
type Report struct {
	// Subject is what was reviewed, as the user named it.
	Subject []string
	// Findings are what is to be done, most critical first.
	Findings []Finding
	// Accepted are findings that somebody has answered for. They count for nothing.
	Accepted []Accepted
	// Supervisors are all places that start children, those without a limit first.
	Supervisors []Supervisor
	// Unread is what the review cannot speak about. When it is not empty, the review is not complete.
	Unread []Unread
	// Rules are those that were looked for.
	Rules []Rule

	Hidden Hidden
}

// Accepted is a finding that was answered for.
type Accepted struct {
	Finding
	Where  AcceptedWhere
	Reason string // "" for the baseline, which gives none
}

// AcceptedWhere says where a finding was answered for.
type AcceptedWhere int

const (
	ByComment AcceptedWhere = iota + 1
	ByBaseline
)

func (w AcceptedWhere) String() string {
	if w == ByComment {
		return "comment"
	}
	return "baseline"
}

// Hidden counts the findings that are not in the report.
type Hidden struct {
	Unsure    int // of too low a confidence
	Unchanged int // on lines that have not changed since the revision that was given
	Gone      int // of the baseline, and not found any more
}

// New puts the results of a review in order.
func New(subject []string, r Result, rules []Rule) *Report {
	p := &Report{Subject: subject, Findings: r.Findings, Supervisors: r.Supervisors, Unread: r.Unread, Rules: rules}
	slices.SortStableFunc(p.Findings, compareFindings)
	slices.SortStableFunc(p.Supervisors, compareSupervisors)
	slices.SortStableFunc(p.Unread, func(a, b Unread) int {
		return cmp.Or(comparePositions(a.Position, b.Position), strings.Compare(a.Reason, b.Reason))
	})
	p.Unread = slices.Compact(p.Unread)
	return p
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity(), a.Severity()),
		cmp.Compare(b.Criticality, a.Criticality),
		cmp.Compare(b.Confidence, a.Confidence),
		comparePositions(a.Position, b.Position),
		strings.Compare(a.Rule, b.Rule),
		strings.Compare(a.Symbol, b.Symbol),
	)
}

func compareSupervisors(a, b Supervisor) int {
	return cmp.Or(
		cmp.Compare(lack(a.Limit), lack(b.Limit)),
		cmp.Compare(b.Criticality, a.Criticality),
		comparePositions(a.Position, b.Position),
		strings.Compare(a.Kind, b.Kind),
		strings.Compare(a.Symbol, b.Symbol),
	)
}

// lack orders limits by how much they need looking at.
func lack(l Limit) int {
	return slices.Index([]LimitState{Unlimited, LimitNotKnown, Expression, Set, NotApplicable}, l.State)
}

func comparePositions(a, b Position) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// Worst is the highest severity among the findings, and 0 without any.
func (r *Report) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		worst = max(worst, f.Severity())
	}
	return worst
}

// rule finds a rule by its id.
func (r *Report) rule(id string) (Rule, bool) {
	i := slices.IndexFunc(r.Rules, func(x Rule) bool { return x.ID == id })
	if i < 0 {
		return Rule{ID: id}, false
	}
	return r.Rules[i], true
}

// URL is where the page of the rule can be read.
func (r Rule) URL() string {
	return "https://github.com/headcount-go/headcount/blob/main/docs/audit-rules.md#" + strings.ToLower(r.ID)
}

// Place is where a finding is: in a file, or in the tree of a running program.
func (f Finding) Place() string {
	if f.File == "" {
		return f.Symbol
	}
	return f.Position.String()
}
