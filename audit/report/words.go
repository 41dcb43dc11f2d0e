package report

import (
	"fmt"
	"strings"
)

// The words that reports use, by value.
var (
	severityWords    = [...]string{Note: "note", Warning: "warning", Error: "error"}
	confidenceWords  = [...]string{Low: "low", Medium: "medium", High: "high"}
	criticalityWords = [...]string{NotKnown: "not known", Internal: "internal", Unbounded: "unbounded", UserOwned: "user-owned", External: "external"}
	limitStateWords  = [...]string{LimitNotKnown: "not known", Set: "set", Expression: "expression", Unlimited: "unlimited", NotApplicable: "not applicable"}
)

func (s Severity) String() string    { return word(severityWords[:], int(s)) }
func (c Confidence) String() string  { return word(confidenceWords[:], int(c)) }
func (c Criticality) String() string { return word(criticalityWords[:], int(c)) }
func (s LimitState) String() string  { return word(limitStateWords[:], int(s)) }

func word(words []string, n int) string {
	if n < 0 || n >= len(words) || words[n] == "" {
		return fmt.Sprintf("(%d)", n)
	}
	return words[n]
}

// ParseSeverity reads a word such as "warning".
func ParseSeverity(s string) (Severity, error) {
	n, err := parse(severityWords[:], s)
	return Severity(n), err
}

// ParseConfidence reads a word such as "medium".
func ParseConfidence(s string) (Confidence, error) {
	n, err := parse(confidenceWords[:], s)
	return Confidence(n), err
}

func parse(words []string, s string) (int, error) {
	var known []string
	for n, w := range words {
		if w == "" {
			continue
		}
		if w == s {
			return n, nil
		}
		known = append(known, w)
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(known, ", "))
}
