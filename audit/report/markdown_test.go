package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

// With raw HTML let through, as it would be by a reader that trusts the report.
var render = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))

var anyTag = regexp.MustCompile(`</?([a-zA-Z]+)[^>]*>`)

// shape is the tags of a rendered report, in their order.
func shape(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := render.Convert([]byte(written(t, "markdown", r)), &b); err != nil {
		t.Fatal(err)
	}
	return strings.Join(anyTag.FindAllString(b.String(), -1), "")
}

// FuzzMarkdown reports on code whose every text is what the fuzzer likes. It must be rendered as if it were a plain word.
func FuzzMarkdown(f *testing.F) {
	everywhere := func(s string) *Report {
		return New([]string{s}, Result{
			Findings: []Finding{{
				Rule: "HC104", Position: Position{File: s, Line: 3, Column: 2}, Symbol: s, Message: s, Remedy: "x\n" + s, Code: s,
				Confidence: High, Criticality: External, Reach: []Step{{s, Position{File: s}}},
			}, {
				Rule: "HC104", Position: Position{File: s, Line: 4}, Message: s, Remedy: "x " + strings.ReplaceAll(s, "\n", " "), Confidence: High,
			}},
			Supervisors: []Supervisor{{
				Position: Position{File: s}, Language: "go", Kind: s, Name: s, Strategy: s, Restarts: s, Symbol: s, Limit: Limit{Expression, 0, s},
				Reach: []Step{{Name: s}},
			}},
			Unread: []Unread{{Position{File: s}, s}},
		}, []Rule{{ID: "HC104", Name: "go-in-loop"}})
	}
	for _, s := range []string{"a|b", "`", "``\n", "<b>", "*a*", "www.example.com", "a@b.example", "http://f", "\\", "x\\|y`", "- [ ] x", "~~~", "&lt;", "![a](b)", "a\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// Without a text there is nothing to be shown.
		if strings.TrimSpace(s) == "" {
			return
		}
		if got, want := shape(t, everywhere(s)), shape(t, everywhere("word")); got != want {
			t.Errorf("%q is rendered as\n%s\nnot as\n%s", s, got, want)
		}
	})
}
