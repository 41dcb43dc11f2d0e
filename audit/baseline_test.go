package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func (p project) writeBaseline(r *report.Report) {
	p.t.Helper()
	var b bytes.Buffer
	if err := WriteBaseline(&b, r); err != nil {
		p.t.Fatal(err)
	}
	p.write(map[string]string{"baseline.json": b.String()})
}

func TestABaselineAnswersForWhatWasThere(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"go.mod": goMod, "a.go": "package a\n\nfunc f() {\n\tLEAK(1)\n\tLEAK(2)\n}\n", "b.go": "package a\nLEAK\nLEAK\n"})
	p.writeBaseline(p.want(Config{}, "HC101 a.go:4:1, HC101 a.go:5:1, HC101 b.go:2:1, HC101 b.go:3:1"))
	if r := p.want(Config{Baseline: "baseline.json"}, ""); len(r.Accepted) != 4 || r.Accepted[0].Where != report.ByBaseline {
		t.Errorf("%+v", r)
	}
	// Lines move and are indented anew; a finding is mended; two are new, of which one is like those that were there.
	p.write(map[string]string{
		"a.go": "package a\n\n// More text.\n\nfunc f() {\n\tif true {\n\t\tLEAK(1)\n\t}\n\tLEAK(3)\n}\n",
		"b.go": "package a\n\n\nLEAK\nLEAK\nLEAK\n",
	})
	r := p.want(Config{Baseline: filepath.Join(p.dir, "baseline.json")}, "HC101 a.go:9:1, HC101 b.go:6:1")
	if len(r.Accepted) != 3 || r.Hidden.Gone != 1 {
		t.Errorf("%d accepted, %d gone", len(r.Accepted), r.Hidden.Gone)
	}
}

func TestABaselineIsTheSameEachTime(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"go.mod": goMod, "a.go": "LEAK a <b>\nLEAK c\nLEAK   a <b>\n", "b.go": "LEAK a\n"})
	p.writeBaseline(p.run(Config{}))
	got, err := os.ReadFile(filepath.Join(p.dir, "baseline.json"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "schema": "headcount.audit.baseline/1",
  "findings": [
    {
      "rule": "HC101",
      "symbol": "a",
      "line": "LEAK a <b>",
      "count": 2
    },
    {
      "rule": "HC101",
      "symbol": "a",
      "line": "LEAK c",
      "count": 1
    },
    {
      "rule": "HC101",
      "symbol": "b",
      "line": "LEAK a",
      "count": 1
    }
  ]
}
`
	if string(got) != want {
		t.Errorf("it is\n%s", got)
	}
}

func TestABaselineThatCannotBeReadIsAnError(t *testing.T) {
	p := newProject(t)
	p.write(map[string]string{"go.mod": goMod, "a.go": "package a\n"})
	for content, want := range map[string]string{
		"":                 "it is not the JSON of a baseline",
		`{"schema":"x/2"}`: `schema is "x/2"; this program reads "headcount.audit.baseline/1"`,
		`{"schema":"headcount.audit.baseline/1","findings":[{"rule":"x","count":1}]}`:     `findings[0].rule is "x"`,
		`{"schema":"headcount.audit.baseline/1","findings":[{"rule":"HC101","count":0}]}`: `findings[0].count is 0`,
	} {
		p.write(map[string]string{"baseline.json": content})
		if _, err := p.try(Config{Baseline: "baseline.json"}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "baseline.json") {
			t.Errorf("%s: error %v, want %s", content, err, want)
		}
	}
	if _, err := p.try(Config{Baseline: "nowhere.json"}); err == nil || !strings.Contains(err.Error(), "nowhere.json") {
		t.Errorf("error %v", err)
	}
}

func FuzzBaseline(f *testing.F) {
	f.Add([]byte(`{"schema":"headcount.audit.baseline/1","findings":[{"rule":"HC101","symbol":"a","line":"b","count":9223372036854775807},{"rule":"HC101","symbol":"a","line":"b","count":1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := readBaseline(bytes.NewReader(text))
		if err != nil {
			return
		}
		for k, n := range b.counts() {
			if n < 1 || k.Rule == "" {
				t.Errorf("%+v is there %d times", k, n)
			}
		}
	})
}
