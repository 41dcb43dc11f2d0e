package golangci

import (
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"

	"github.com/headcount-go/headcount/audit/analyzers"
	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestThePluginIsRegisteredWithAllRules(t *testing.T) {
	build, err := register.GetPlugin("headcount")
	if err != nil {
		t.Fatal(err)
	}
	p, err := build(nil)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := p.BuildAnalyzers()
	if err != nil || len(rules) != len(analyzers.All()) {
		t.Fatalf("%d of %d rules: %v", len(rules), len(analyzers.All()), err)
	}
	if p.GetLoadMode() != register.LoadModeTypesInfo {
		t.Errorf("the load mode is %q, without types", p.GetLoadMode())
	}
}

func TestSettingsLeaveRulesOutAndSetTheConfidence(t *testing.T) {
	t.Cleanup(func() { New(map[string]any{"confidence": "medium"}) })
	p, err := New(map[string]any{"confidence": "high", "disable": []string{"HC120"}})
	if err != nil {
		t.Fatal(err)
	}
	rules, _ := p.BuildAnalyzers()
	if len(rules) != len(analyzers.All())-1 {
		t.Errorf("%d rules are left of %d", len(rules), len(analyzers.All()))
	}
	for _, a := range rules {
		if a.Name == "HC120" {
			t.Error("HC120 is still there")
		}
		if got := a.Flags.Lookup("confidence").Value.String(); got != "high" {
			t.Errorf("the confidence of %s is %s", a.Name, got)
		}
	}
}

func TestWrongSettingsAreErrorsThatNameThem(t *testing.T) {
	for setting, settings := range map[string]map[string]any{
		"HC999":   {"disable": []string{"HC999"}},
		"certain": {"confidence": "certain"},
		"colour":  {"colour": "red"},
	} {
		if _, err := New(settings); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%v: %v", settings, err)
		}
	}
}
