package audit

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/audit-rules.md")

func TestTheDocumentOfTheRulesIsCurrent(t *testing.T) {
	const file = "../docs/audit-rules.md"
	var b bytes.Buffer
	if err := WriteRules(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s is not what the rules say now; go generate ./audit writes it", file)
	}
}

func TestEachRuleHasAPageWithItsExamples(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if !ruleID.MatchString(r.ID) || !name.MatchString(r.Name) || r.Summary == "" || r.Confidence == 0 {
				t.Errorf("%+v", r)
			}
			if !strings.HasPrefix(r.Page, "# "+r.ID) {
				t.Errorf("its page begins %.40q", r.Page)
			}
			for _, part := range []string{"Silent|When it is silent", "Bad", "Good"} {
				if !regexp.MustCompile(`(?m)^(## )?(` + part + `)`).MatchString(r.Page) {
					t.Errorf("no paragraph that begins with %q", part)
				}
			}
		})
	}
}

func TestExplainPrintsThePageOfARule(t *testing.T) {
	var b bytes.Buffer
	if err := Explain(&b, "hc001"); err != nil || !strings.HasPrefix(b.String(), "# HC001 ignore-without-reason\n") {
		t.Errorf("error %v, page %s", err, b.String())
	}
	if err := Explain(&b, "HC999"); err == nil || !strings.Contains(err.Error(), `no rule "HC999"; there are HC001, HC002`) {
		t.Errorf("error %v", err)
	}
}

func TestHeadingsInCodeStayAsTheyAre(t *testing.T) {
	got := deeper("# a\n````\n# b\n```\n# c\n````\n## d")
	if want := "## a\n````\n# b\n```\n# c\n````\n### d"; got != want {
		t.Errorf("it became %q", got)
	}
}
