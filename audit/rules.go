package audit

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/report"
)

//go:embed rules
var pages embed.FS

// Rules about the comments that answer for findings.
const (
	ruleBadIgnore    = "HC001"
	ruleUnusedIgnore = "HC002"
)

func ownRules() []report.Rule {
	return []report.Rule{
		{
			ID: ruleBadIgnore, Name: "ignore-without-reason", Confidence: report.High, Page: page(ruleBadIgnore),
			Summary: "a comment that would ignore a finding gives no reason, or names no rule",
		},
		{
			ID: ruleUnusedIgnore, Name: "ignore-unused", Confidence: report.High, Page: page(ruleUnusedIgnore),
			Summary: "a comment ignores a finding that is not there",
		},
	}
}

func page(id string) string {
	text, err := pages.ReadFile("rules/" + id + ".md")
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// A registry is rules in the order of their ids, each once.
type registry []report.Rule

func (r *reviewers) registry() registry {
	all := ownRules()
	for _, rules := range r.rules {
		all = append(all, rules()...)
	}
	slices.SortStableFunc(all, func(a, b report.Rule) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b report.Rule) bool { return a.ID == b.ID })
}

func (g registry) find(id string) (report.Rule, bool) {
	i, ok := slices.BinarySearchFunc(g, id, func(r report.Rule, id string) int { return strings.Compare(r.ID, id) })
	if !ok {
		return report.Rule{}, false
	}
	return g[i], true
}

// Rules are all rules, in the order of their ids.
func Rules() []report.Rule { return theReviewers.registry() }

// Explain writes the page of a rule, in Markdown.
func Explain(w io.Writer, id string) error {
	rules := theReviewers.registry()
	rule, ok := rules.find(strings.ToUpper(id))
	if !ok {
		ids := make([]string, len(rules))
		for i, r := range rules {
			ids[i] = r.ID
		}
		return fmt.Errorf("there is no rule %q; there are %s", id, strings.Join(ids, ", "))
	}
	_, err := io.WriteString(w, strings.TrimRight(rule.Page, "\n")+"\n")
	return err
}

// WriteRules writes the pages of all rules as one document, docs/audit-rules.md.
func WriteRules(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# The rules of headcount audit\n\n")
	b.WriteString("What `headcount audit` looks for; `headcount audit -explain RULE` prints the same. How to use it is told in [audit.md](audit.md).\n")
	b.WriteString("This file is made of the rules' own pages by `go generate ./audit`.\n\n")
	b.WriteString("| rule | name | what it finds | confidence |\n| --- | --- | --- | --- |\n")
	rules := Rules()
	for _, r := range rules {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.ID, strings.ToLower(r.ID), r.Name, strings.ReplaceAll(r.Summary, "|", `\|`), r.Confidence)
	}
	for _, r := range rules {
		fmt.Fprintf(&b, "\n<a id=%q></a>\n\n%s\n", strings.ToLower(r.ID), strings.TrimRight(deeper(r.Page), "\n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// deeper makes the headings of a page one level deeper, but not what looks like one in a block of code.
func deeper(page string) string {
	lines := strings.Split(page, "\n")
	fence := ""
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		mark := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
		switch {
		case fence == "" && len(mark) >= 3:
			fence = mark
		case fence != "" && strings.HasPrefix(mark, fence):
			fence = ""
		case fence == "" && strings.HasPrefix(line, "#"):
			lines[i] = "#" + line
		}
	}
	return strings.Join(lines, "\n")
}
