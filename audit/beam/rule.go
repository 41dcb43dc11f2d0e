package beam

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/headcount-go/headcount/audit/report"
)

//go:embed rules/*.md
var pages embed.FS

// Rules returns the rules for Elixir and Erlang in the order of their ids. Their pages are all there is of them outside the
// code: the file's name is the id, the heading is `# HC201 the-name`, the first paragraph is the summary in one line, and a
// line `Confidence: high` says how sure the rule is at best.
func Rules() []report.Rule { return readRules() }

var readRules = sync.OnceValue(func() []report.Rule {
	entries, err := pages.ReadDir("rules")
	if err != nil {
		panic(err)
	}
	rules := make([]report.Rule, 0, len(entries))
	for _, e := range entries {
		page, err := pages.ReadFile("rules/" + e.Name())
		if err != nil {
			panic(err)
		}
		r, err := parsePage(strings.TrimSuffix(e.Name(), ".md"), string(page))
		if err != nil {
			panic(fmt.Sprintf("rules/%s: %v", e.Name(), err))
		}
		rules = append(rules, r)
	}
	return rules
})

func parsePage(id, page string) (report.Rule, error) {
	r := report.Rule{ID: id, Page: page}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		heading, isHeading := strings.CutPrefix(line, "# "+id+" ")
		confidence, isConfidence := strings.CutPrefix(line, "Confidence: ")
		switch {
		case isHeading:
			r.Name = heading
		case isConfidence:
			r.Confidence = confidences[confidence]
		case line != "" && r.Summary == "":
			r.Summary = line
		}
	}
	switch {
	case r.Name == "":
		return r, fmt.Errorf("no heading `# %s name`", id)
	case r.Summary == "":
		return r, fmt.Errorf("no summary")
	case r.Confidence == 0:
		return r, fmt.Errorf("no line `Confidence: high`, `medium` or `low`")
	}
	return r, nil
}

var confidences = map[string]report.Confidence{"high": report.High, "medium": report.Medium, "low": report.Low}
