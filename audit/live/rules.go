package live

import (
	"embed"
	"fmt"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/audit/report"
	"github.com/headcount-go/headcount/observe/wire"
)

//go:embed rules
var pages embed.FS

// The kinds of supervisors, as the API names them.
var (
	declared = headcount.SupervisorKind.String()
	keyed    = headcount.KeyedKind.String()
)

// The bounds of the rules.
const (
	quietFor   = 24 * time.Hour // a program that runs for less has not seen its busy hours
	farBelow   = 10             // a limit of so many times the peak was never approached
	smallLimit = 16             // below it, room to spare costs nothing
	manyStarts = 100            // fewer starts say little about how often a limit is hit
	oftenOf    = 20             // one start refused of so many is often
)

// A moment is when a program was asked, by its own clock, and since when it runs.
type moment struct{ now, since time.Time }

// A check is a rule with what it looks for at one supervisor.
type check struct {
	report.Rule
	look func(moment, *wire.Detail) []report.Finding
}

func checks() []check {
	return []check{
		{report.Rule{ID: "HC301", Name: "live-unlimited", Confidence: report.High, Summary: "a supervisor runs without a limit"}, unlimited},
		{report.Rule{ID: "HC302", Name: "live-unlimited-per-key", Confidence: report.High, Summary: "one key may take all slots of a supervisor"}, unlimitedPerKey},
		{report.Rule{ID: "HC303", Name: "live-limit-far-above", Confidence: report.Medium, Summary: "a limit that nothing has ever come near"}, farAbove},
		{report.Rule{ID: "HC304", Name: "live-limit-hit-often", Confidence: report.Medium, Summary: "a limit that refuses a large part of the starts"}, hitOften},
		{report.Rule{ID: "HC305", Name: "live-restarts-used", Confidence: report.High, Summary: "a supervisor has used up half of its restarts, or more"}, restartsUsed},
		{report.Rule{ID: "HC306", Name: "live-review-passed", Confidence: report.High, Summary: "the date on which somebody wanted to look at a limit again has passed"}, reviewPassed},
	}
}

// Rules are the rules for running programs.
func Rules() []report.Rule {
	var rules []report.Rule
	for _, c := range checks() {
		page, err := pages.ReadFile("rules/" + c.ID + ".md")
		if err != nil {
			panic(err) // it is embedded
		}
		c.Page = string(page)
		rules = append(rules, c.Rule)
	}
	return rules
}

// look applies all rules to a supervisor.
func look(m moment, node *wire.Detail) []report.Finding {
	var all []report.Finding
	for _, c := range checks() {
		for _, f := range c.look(m, node) {
			f.Rule, f.Symbol, f.Confidence = c.ID, node.Row.Path, c.Confidence
			if f.Criticality == 0 {
				f.Criticality = criticality(node.Row)
			}
			all = append(all, f)
		}
	}
	return all
}

func unlimited(_ moment, node *wire.Detail) []report.Finding {
	if node.Row.Kind == declared || node.Row.Limit != wire.Unlimited {
		return nil
	}
	return []report.Finding{{
		Message: fmt.Sprintf("%s has no limit; its peak was %d", node.Row.Path, node.Row.Peak),
		Remedy:  fmt.Sprintf("headcount.MaxChildren(%d)", enough(node.Row.Peak)),
	}}
}

func unlimitedPerKey(_ moment, node *wire.Detail) []report.Finding {
	for _, l := range node.Limits {
		if node.Row.Kind == keyed && l.Name == "max_per_key" && l.InForce == wire.Unlimited {
			return []report.Finding{{
				Message: fmt.Sprintf("one key may take all slots of %s", node.Row.Path),
				Remedy:  "headcount.MaxPerKey(8)",
			}}
		}
	}
	return nil
}

func farAbove(m moment, node *wire.Detail) []report.Finding {
	row, up := node.Row, m.now.Sub(m.since)
	if !limited(row) || m.since.IsZero() || up < quietFor || row.Limit <= smallLimit || row.Peak < 1 || int64(row.Peak)*farBelow > int64(row.Limit) {
		return nil
	}
	return []report.Finding{{
		Message: fmt.Sprintf("the peak of %s in %.0f hours was %d, far below its limit of %d", row.Path, up.Hours(), row.Peak, row.Limit),
		Remedy:  fmt.Sprintf("headcount.MaxChildren(%d)", enough(row.Peak)),
		// It holds; it would only hold too late. That is a note.
		Criticality: report.Internal,
	}}
}

func hitOften(_ moment, node *wire.Detail) []report.Finding {
	row, starts := node.Row, node.Started+node.Refused
	if !limited(row) || row.Limit == 0 || row.Peak < int(row.Limit) || starts < manyStarts || node.Refused < starts/oftenOf {
		return nil
	}
	return []report.Finding{{
		Message: fmt.Sprintf("%s has refused %d of %d starts, and has been at its limit of %d", row.Path, node.Refused, starts, row.Limit),
		Remedy:  fmt.Sprintf("headcount.MaxChildren(%d), if there is memory for so many; else what comes before it should refuse", enough(row.Peak)),
	}}
}

func restartsUsed(_ moment, node *wire.Detail) []report.Finding {
	row := node.Row
	if row.RestartsMost <= 0 || row.RestartsUsed*2 < row.RestartsMost {
		return nil
	}
	return []report.Finding{{
		Message: fmt.Sprintf("%s has used %d of its %d restarts within %g s", row.Path, row.RestartsUsed, row.RestartsMost, row.RestartsWithin),
		Remedy:  "mend what makes its children fail; a higher budget only hides it",
	}}
}

func reviewPassed(m moment, node *wire.Detail) []report.Finding {
	var out []report.Finding
	for _, l := range node.Limits {
		if !l.Review.IsZero() && l.Review.Before(m.now) {
			by := ""
			if l.By != "" {
				by = " by " + l.By
			}
			out = append(out, report.Finding{
				Message: fmt.Sprintf("%s of %s, set%s, was to be looked at again on %s", l.Name, node.Row.Path, by, l.Review.Format(time.DateOnly)),
				Remedy:  "set it again with a new review date, or put it into the code",
			})
		}
	}
	return out
}

func limited(row wire.Row) bool { return row.Kind != declared && row.Limit != wire.Unlimited }

// enough is twice a peak, rounded up to two digits, and not below 8.
func enough(peak int) int {
	n, unit := max(2*peak, 8), 1
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit - 1) / unit * unit
}
