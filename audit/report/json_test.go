package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed report.schema.json
var reportSchema []byte

//go:embed testdata/sarif.schema.json
var sarifSchema []byte

func valid(t *testing.T, schema []byte, document string) error {
	t.Helper()
	s, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", s); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(d)
}

func reports() map[string]*Report {
	return map[string]*Report{"example": example(), "hostile": hostile(), "empty": New(nil, Result{}, nil)}
}

func TestJSONIsAsItsSchemaSays(t *testing.T) {
	for name, r := range reports() {
		if err := valid(t, reportSchema, written(t, "json", r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	golden(t, "report.json", written(t, "json", example()))
	for _, wrong := range [][2]string{
		{"headcount.audit/1", "headcount.audit/2"}, {`"severity": "error"`, `"severity": "bad"`}, {`"line": 12`, `"line": 0`},
		{`"state": "unlimited"`, `"state": "unlimited", "value": 3`},
	} {
		text := written(t, "json", example())
		changed := strings.Replace(text, wrong[0], wrong[1], 1)
		if changed == text {
			t.Fatalf("no %s in the report", wrong[0])
		}
		if valid(t, reportSchema, changed) == nil {
			t.Errorf("the schema allows %s", wrong[1])
		}
	}
}

func TestSARIFKeepsToTheStandard(t *testing.T) {
	for name, r := range reports() {
		if err := valid(t, sarifSchema, written(t, "sarif", r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	golden(t, "report.sarif", written(t, "sarif", example()))
}

// The schema cannot say that an index leads to the rule of that id, and that a fingerprint tells results apart.
func TestSARIFResultsReferToTheirRules(t *testing.T) {
	r := example()
	r.Findings = append(r.Findings, r.Findings[0])
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID              string
				RuleIndex           *int
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(written(t, "sarif", r)), &log); err != nil {
		t.Fatal(err)
	}
	prints := map[string]bool{}
	for _, result := range log.Runs[0].Results {
		if result.RuleIndex == nil || log.Runs[0].Tool.Driver.Rules[*result.RuleIndex].ID != result.RuleID {
			t.Errorf("%s has the index %v", result.RuleID, result.RuleIndex)
		}
		prints[result.PartialFingerprints[fingerprint]] = true
	}
	if len(prints) != 5 {
		t.Errorf("%d fingerprints for 5 results", len(prints))
	}
}

func TestSARIFColumnsCountCharacters(t *testing.T) {
	if got := codePoint("ä := go f()", 7); got != 6 {
		t.Errorf("byte 7 is character %d, want 6", got)
	}
}

func TestFilesAreURIs(t *testing.T) {
	for path, want := range map[string]string{
		"a/b.go": "a/b.go", "a b/ü.go": "a%20b/%C3%BC.go", "c:d/e.go": "./c:d/e.go", "../x.go": "../x.go", "a?b#c%d.go": "a%3Fb%23c%25d.go",
	} {
		if got := fileURI(path); got != want {
			t.Errorf("%s became %s, want %s", path, got, want)
		}
	}
}
