package report

import (
	"strings"
	"testing"
)

func TestTheNumberIsAdvisedForWhatTheRuleIsAbout(t *testing.T) {
	for rule, want := range map[string]string{
		"HC001": "", "HC110": "", "HC114": "", "HC130": "", "HC305": "",
		"HC102": "the rate that is served",
		"HC201": "the rate that is served",
		"HC213": "how many failures in a minute",
		"HC241": "how many failures in a minute",
	} {
		got := choose(Finding{Rule: rule, Criticality: External})
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", rule, got, want)
		}
	}
}
