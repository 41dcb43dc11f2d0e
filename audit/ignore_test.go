package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestACommentWithAReasonAnswersForAFinding(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{
		"go.mod": goMod,
		"a.go":   "package p\nvar a = LEAK //headcount:ignore HC101 there are four\n\n// headcount:ignore HC101 five\n// of them\nvar b = LEAK\nvar c = LEAK\n",
		"b.ex":   "a LEAK # headcount:ignore HC201: six\n",
		"c.erl":  "% headcount:ignore HC201 seven\na() -> LEAK.\n",
	})
	r := p.want(Config{}, "HC101 a.go:7:1")
	var reasons []string
	for _, a := range r.Accepted {
		reasons = append(reasons, fmt.Sprintf("%s %s %s", a.Place(), a.Where, a.Reason))
	}
	slices.Sort(reasons)
	want := "a.go:2:1 comment there are four, a.go:6:1 comment five, b.ex:1:1 comment six, c.erl:2:1 comment seven"
	if got := strings.Join(reasons, ", "); got != want {
		t.Errorf("accepted %s, want %s", got, want)
	}
}

func TestACommentThatIsNotInOrderAnswersForNothing(t *testing.T) {
	for comment, fault := range map[string]string{
		"HC101":                "gives no reason",
		"HC101 - 42":           "gives no reason",
		"":                     "names no rule",
		"too many":             "names no rule",
		"HC101 HC999 a reason": "names HC999, which is no rule",
	} {
		p := newProject(t)
		p.write(map[string]string{"go.mod": goMod, "a.go": "package p\nvar a = LEAK //headcount:ignore " + comment + "\n"})
		r := p.run(Config{})
		if len(r.Findings) != 2 || r.Findings[1].Rule != "HC001" || !strings.Contains(r.Findings[1].Message, fault) || len(r.Accepted) != 0 {
			t.Errorf("%q: findings %+v, want one that it %s", comment, r.Findings, fault)
		}
	}
}

func TestACommentThatAnswersForNothingIsTold(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{
		"go.mod": goMod,
		"a.go":   "package p\nvar a = LEAK // headcount:ignore HC101, HC201 only the first is there\n",
		"b.go":   "package p\n\n// headcount:ignore HC101 the finding is not in the next line\n\nvar a = LEAK // headcount:ignored is another word\n",
		"c.ex":   "a = \"# headcount:ignore HC201 a string\"\nb HINT # headcount:ignore HC201 which is not told of anyway\n",
	})
	r := p.want(Config{}, "HC101 b.go:5:1, HC002 a.go:2:14, HC002 b.go:3:1")
	if !strings.Contains(r.Findings[1].Message, "no finding of HC201 here") || r.Findings[1].Severity() != report.Warning {
		t.Errorf("%+v", r.Findings[1])
	}
}

func TestWhereTheReviewSeesNothingACommentMayBeUnused(t *testing.T) {
	p := newProject(t)
	const unused = "package p\n\n// headcount:ignore HC101 a reason\n"
	p.write(map[string]string{
		"go.mod": goMod, "a_test.go": unused, "b.go": "//go:build never\n\n" + unused, "mix.exs": "", "c.ex": "# headcount:ignore HC201 a reason\n", "d.ex": "BROKEN\n",
	})
	p.want(Config{}, "")
}

func FuzzIgnores(f *testing.F) {
	f.Add("x.go", []byte("package p\n//headcount:ignore HC101,HC102 - why\n"))
	f.Add("x.ex", []byte("# headcount:ignore HC201 why\n# more\nx"))
	f.Add("x.erl", []byte("% headcount:ignore\n"))
	f.Fuzz(func(t *testing.T, file string, src []byte) {
		for _, x := range ignoresIn(file, src) {
			if x.target < x.Line || len(x.rules) > len(src) || strings.TrimSpace(x.reason) != x.reason {
				t.Errorf("%+v", x)
			}
			x.findings(fake().registry())
		}
	})
}
