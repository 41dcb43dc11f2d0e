package analyzers

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/headcount-go/headcount/audit/report"
	"github.com/headcount-go/headcount/internal/leak"
)

var (
	confidences   = map[report.Confidence]string{report.Low: "low", report.Medium: "medium", report.High: "high"}
	criticalities = map[report.Criticality]string{
		report.NotKnown: "not known", report.Internal: "internal", report.Unbounded: "unbounded", report.UserOwned: "owned", report.External: "external",
	}
)

func TestMain(m *testing.M) { leak.Main(m) }

// Each rule has its programs in testdata/src/hcNNN. What must be found is a comment there; all else must not be. The
// programs are loaded once for all rules, because most of the time goes into the standard library.
func TestRulesFindWhatTheyShouldAndNothingElse(t *testing.T) {
	var programs []string
	for _, a := range All() {
		programs = append(programs, strings.ToLower(a.Name)+"/...")
	}
	analysistest.Run(t, analysistest.TestData(), together("programs"), programs...)
}

func TestFixesGiveServersTheirTimeouts(t *testing.T) {
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), together("fixes"), "fix/hc110", "fix/hc111", "fix/hc112")
}

// What a driver shows is less than what is found: comments with a reason let a rule pass, and so does a low confidence.
func TestDriversAreToldWhatIsNotIgnored(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), byID(t, "HC112"), "ignored")
}

func TestConfidenceIsOneOfThreeWords(t *testing.T) {
	if err := byID(t, "HC112").Flags.Set("confidence", "sure"); err == nil {
		t.Fatal("a confidence of \"sure\" was taken")
	}
}

func TestEveryRuleHasItsPage(t *testing.T) {
	for _, r := range Rules() {
		if !strings.HasPrefix(r.Page, "# "+r.ID+" "+r.Name+"\n") {
			t.Errorf("the page of %s does not begin with its id and name", r.ID)
		}
		for _, part := range []string{"\nSilent", "\nConfidence: ", "\nBad:\n", "\nGood:\n"} {
			if !strings.Contains(r.Page, part) {
				t.Errorf("the page of %s has no part %q", r.ID, strings.TrimSpace(part))
			}
		}
	}
}

// together is an analyzer that reports what all rules have found, of any confidence: of each rule where the package is its
// own.
func together(name string) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: name, Doc: name, Requires: All(),
		Run: func(pass *analysis.Pass) (any, error) {
			for _, a := range All() {
				if !strings.Contains("/"+pass.Pkg.Path()+"/", "/"+strings.ToLower(a.Name)+"/") {
					continue
				}
				for _, p := range pass.ResultOf[a].(*Result).Problems {
					message := fmt.Sprintf("%s (%s) %s %s", p.Message, a.Name, confidences[p.Confidence], criticalities[p.Criticality])
					pass.Report(analysis.Diagnostic{Pos: p.Pos, End: p.End, Message: message, SuggestedFixes: p.Fixes})
				}
			}
			return nil, nil
		},
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
