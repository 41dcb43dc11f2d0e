package alert

import (
	"strings"
	"time"
)

// Severity says how soon a person should look.
type Severity string

// The severities of the rules.
const (
	Info     Severity = "info"     // when there is time
	Warning  Severity = "warning"  // today
	Critical Severity = "critical" // now
)

// An Alert is one rule that does not hold at one place.
type Alert struct {
	Rule     string // the name of the rule, such as HeadcountNearLimit
	Severity Severity
	Path     string // of the supervisor
	Limit    string // max_children, the name of a gate, or the file that limits are from; empty if the rule is not about one
	Summary  string // the same for all places
	Details  string // the numbers, as they were last
	Runbook  string // where to read on
	Value    float64
	Began    time.Time // when it fired
	Ended    time.Time // when it was resolved; zero while it fires
}

// Resolved reports whether the alert is over.
func (a Alert) Resolved() bool { return !a.Ended.IsZero() }

// String is the alert in one line.
func (a Alert) String() string {
	var b strings.Builder
	if a.Resolved() {
		b.WriteString("resolved: ")
	}
	b.WriteString(a.Rule + " at " + a.Path)
	if a.Limit != "" {
		b.WriteString(" (" + a.Limit + ")")
	}
	return b.String() + ": " + a.Details
}

// key is what makes two alerts the same.
type key struct{ rule, path, limit string }

func (a Alert) key() key { return key{a.Rule, a.Path, a.Limit} }
