package analyzers

import (
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// Each rule has its programs in testdata/src/hcNNN. What must be found is a comment there; all else must not be.
func TestRulesFindWhatTheyShouldAndNothingElse(t *testing.T) {
	for _, a := range All() {
		t.Run(a.Name, func(t *testing.T) {
			showAll(t, a)
			analysistest.Run(t, analysistest.TestData(), a, strings.ToLower(a.Name)+"/...")
		})
	}
}

func TestFixesGiveTheServersTimeouts(t *testing.T) {
	for _, id := range []string{"HC112"} {
		t.Run(id, func(t *testing.T) {
			analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), byID(t, id), "fix/"+strings.ToLower(id))
		})
	}
}

func byID(t *testing.T, id string) *analysis.Analyzer {
	t.Helper()
	for _, a := range All() {
		if a.Name == id {
			return a
		}
	}
	t.Fatalf("there is no rule %s", id)
	return nil
}

// showAll has a report all it finds, until the test ends.
func showAll(t *testing.T, a *analysis.Analyzer) {
	t.Helper()
	set := func(least string) {
		if err := a.Flags.Set("confidence", least); err != nil {
			t.Error(err)
		}
	}
	set("low")
	t.Cleanup(func() { set("medium") })
}
