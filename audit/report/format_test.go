package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

func TestFormatsForPeople(t *testing.T) {
	for _, format := range []string{"text", "github", "markdown"} {
		t.Run(format, func(t *testing.T) { golden(t, "report."+format, written(t, format, example())) })
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			got := written(t, format, hostile())
			for _, r := range got {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%q was written as it is", r)
				}
			}
			switch format {
			case "text", "github", "markdown":
				golden(t, "hostile."+format, got)
			}
		})
	}
}

// A build server reads lines of the log that begin with two colons as commands.
func TestNoLineIsACommandThatWeDidNotWrite(t *testing.T) {
	for _, format := range Formats() {
		for line := range strings.Lines(written(t, format, hostile())) {
			line = strings.TrimSpace(line)
			if strings.Contains(line, "##[") && format != "json" && format != "sarif" {
				t.Errorf("%s: %q", format, line)
			}
			if strings.HasPrefix(line, "::") && !(format == "github" && strings.HasPrefix(line, "::error file=") && strings.Count(line, "::") >= 2) {
				t.Errorf("%s: %q", format, line)
			}
		}
	}
}

func TestPeopleAreShownTheFirstHundredOfARule(t *testing.T) {
	r := example()
	r.Findings, r.Rules = nil, r.Rules[1:] // a rule that nobody has listed is cut and told like the others
	for i := range 130 {
		r.Findings = append(r.Findings, Finding{Rule: "HC104", Message: "m", Position: Position{File: "x.go", Line: 1000 + i}, Confidence: High})
	}
	r.Findings = append(r.Findings, Finding{Rule: "HC201", Message: "m", Position: Position{File: "x.ex", Line: 5}, Confidence: High})
	for format, more := range map[string]string{"text": "HC104: 30 more", "github": "title=HC104::30 more", "markdown": "30 more of HC104"} {
		got := written(t, format, r)
		if !strings.Contains(got, more) || !strings.Contains(got, "x.ex") || strings.Count(got, "x.go") != maxShown {
			t.Errorf("%s shows %d of 130, and of the others:\n%s", format, strings.Count(got, "x.go"), got[len(got)-300:])
		}
	}
	for _, format := range []string{"json", "sarif"} {
		if n := strings.Count(written(t, format, r), `"x.go"`); n != 130 {
			t.Errorf("%s has %d of 130", format, n)
		}
	}
}

func TestTheTableOfSupervisorsIsBounded(t *testing.T) {
	r := example()
	for i := range 1500 {
		r.Supervisors = append(r.Supervisors, Supervisor{Kind: "K", Position: Position{File: fmt.Sprint("f", i)}})
	}
	got := written(t, "markdown", r)
	if !strings.Contains(got, "\n503 more; the format json has all.\n") || strings.Count(got, "| `K` |") != 998 {
		t.Errorf("%d rows", strings.Count(got, "| `K` |"))
	}
}

func TestAnUnknownFormatIsNamed(t *testing.T) {
	err := Write(&strings.Builder{}, "xml", example())
	if err == nil || err.Error() != `format is "xml"; it must be one of text, json, sarif, github, markdown` {
		t.Errorf("error %v", err)
	}
}

func TestTheMostCriticalComesFirst(t *testing.T) {
	r := example()
	r.Findings = append(r.Findings, Finding{Rule: "HC104", Position: Position{File: "a.go"}, Confidence: High, Criticality: UserOwned})
	r = New(nil, Result{Findings: r.Findings, Supervisors: r.Supervisors}, nil)
	for i, want := range []string{"lib/chat/application.ex", "a.go", "internal/store/import.go", "cmd/tool/main.go"} {
		if r.Findings[i].File != want {
			t.Errorf("%d is %s, want %s", i, r.Findings[i].File, want)
		}
	}
	if r.Supervisors[0].State != Unlimited || r.Supervisors[1].State != LimitNotKnown {
		t.Errorf("supervisors %v", r.Supervisors)
	}
	if r.Worst() != Error {
		t.Errorf("the worst is %s", r.Worst())
	}
}
