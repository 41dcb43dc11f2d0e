package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/headcount-go/headcount/audit/report"
)

// A baseline is the findings that were there when it was written. They are known by rule, symbol and line, and so found again when lines have
// moved or a file has another name.
type baseline struct {
	Schema   string          `json:"schema"`
	Findings []baselineEntry `json:"findings"`
}

type baselineEntry struct {
	Rule   string `json:"rule"`
	Symbol string `json:"symbol"`
	Line   string `json:"line"`
	Count  int    `json:"count"` // how many are alike
}

const (
	baselineSchema = "headcount.audit.baseline/1"
	maxBaseline    = 64 << 20 // bytes
)

// WriteBaseline writes a baseline with the findings of a report.
func WriteBaseline(w io.Writer, r *report.Report) error {
	counts := map[report.Key]int{}
	for _, f := range r.Findings {
		counts[f.Key()]++
	}
	b := baseline{Schema: baselineSchema, Findings: []baselineEntry{}}
	for k, n := range counts {
		b.Findings = append(b.Findings, baselineEntry{k.Rule, k.Symbol, k.Line, n})
	}
	slices.SortFunc(b.Findings, func(a, b baselineEntry) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Symbol, b.Symbol), strings.Compare(a.Line, b.Line))
	})
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(b)
}

func openBaseline(file string) (baseline, error) {
	f, err := os.Open(file)
	if err != nil {
		return baseline{}, fmt.Errorf("baseline: %w", err)
	}
	defer f.Close()
	b, err := readBaseline(f)
	if err != nil {
		return baseline{}, fmt.Errorf("baseline %s: %w", file, err)
	}
	return b, nil
}

func readBaseline(r io.Reader) (baseline, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBaseline+1))
	if err != nil {
		return baseline{}, err
	}
	if len(text) > maxBaseline {
		return baseline{}, fmt.Errorf("it has more than %d bytes", maxBaseline)
	}
	var b baseline
	if err := json.Unmarshal(text, &b); err != nil {
		return baseline{}, fmt.Errorf("it is not the JSON of a baseline: %w", err)
	}
	if b.Schema != baselineSchema {
		return baseline{}, fmt.Errorf("schema is %q; this program reads %q", b.Schema, baselineSchema)
	}
	for i, e := range b.Findings {
		if !ruleID.MatchString(e.Rule) {
			return baseline{}, fmt.Errorf("findings[%d].rule is %q, which is no id of a rule", i, e.Rule)
		}
		if e.Count < 1 {
			return baseline{}, fmt.Errorf("findings[%d].count is %d; it must be 1 or more", i, e.Count)
		}
	}
	return b, nil
}

// counts is how many of each kind of finding the baseline answers for.
func (b baseline) counts() map[report.Key]int {
	counts := make(map[report.Key]int, len(b.Findings))
	for _, e := range b.Findings {
		k := report.Key{Rule: e.Rule, Symbol: e.Symbol, Line: e.Line}
		counts[k] = min(counts[k]+e.Count, 1<<30) // what is edited by hand may be any number
	}
	return counts
}
