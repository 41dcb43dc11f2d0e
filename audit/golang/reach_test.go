package golang

import (
	"slices"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestAFindingTellsTheWayFromAnOutsider(t *testing.T) {
	res := review(t, "testdata/api")
	for code, want := range map[string][]string{
		"go func() { // want HC102 high":                                       {"route /cancel", "HTTP handler main.server.cancel", "main.server.audit", "go"},
		"s.background(func() { s.mail.send(\"refunds\") }) // want HC102 high": {"route /refund", "HTTP handler main.server.refund", "main.server.background"},
		"go s.mail.send(\"orders\") // want HC102 high":                        {"gRPC method main.server.Place", "go"},
		"go s.mail.send(\"somebody\") // want HC103 high":                      {"each websocket message in main.server.commands", "main.server.dispatch", "go"},
		"go s.mail.send(string(text)) // want HC103 high":                      {"route /chat", "HTTP handler main.server.chat", "go"},
	} {
		f := coded(t, res, code)
		if got := names(f.Reach); !slices.Equal(got, want) {
			t.Errorf("%s: reached by %q, want %q", code, got, want)
		}
		if f.Criticality != report.External {
			t.Errorf("%s: criticality %d", code, f.Criticality)
		}
	}
	if f := coded(t, res, "go func() { // want HC102 high"); f.Symbol != "example.com/api.server.audit" || !strings.Contains(f.Remedy, "MaxChildren") {
		t.Errorf("symbol %q, remedy %q", f.Symbol, f.Remedy)
	}
}

func coded(t *testing.T, res report.Result, code string) report.Finding {
	t.Helper()
	for _, f := range res.Findings {
		if f.Code == code {
			return f
		}
	}
	t.Fatalf("no finding at %q", code)
	return report.Finding{}
}

func TestInternalStartsHaveNoWay(t *testing.T) {
	f := coded(t, review(t, "testdata/inside"), "go c.tell(p) // want HC105 low")
	if f.Criticality != report.Internal || len(f.Reach) > 0 {
		t.Errorf("criticality %d by %q", f.Criticality, names(f.Reach))
	}
}

// HC114 is found in one package; that a route leads there is known of the whole.
func TestRulesOfOnePackageAreToldWhoReachesThem(t *testing.T) {
	for _, f := range review(t, "testdata/bulk").Findings {
		if f.Rule == "HC114" && strings.HasSuffix(f.Symbol, "importBatch") {
			if got, want := names(f.Reach), []string{"route POST /batch", "HTTP handler main.shop.importBatch"}; !slices.Equal(got, want) {
				t.Errorf("reached by %q, want %q", got, want)
			}
			return
		}
	}
	t.Error("the body of importBatch is not found")
}

func TestALineIsToldOnceByRulesThatSayTheSame(t *testing.T) {
	for _, f := range review(t, "testdata/bulk").Findings {
		if aboutGroups(f.Rule) {
			t.Errorf("%v %s beside the rule about starts", f.Position, f.Rule)
		}
	}
	low, high := report.Finding{Rule: "HC105", Confidence: report.Low}, report.Finding{Rule: "HC120", Confidence: report.Medium}
	if got := oneEach([]report.Finding{low}, []report.Finding{high}); len(got) != 1 || got[0].Rule != "HC120" {
		t.Errorf("of a low and a medium finding %v is left", got)
	}
}
