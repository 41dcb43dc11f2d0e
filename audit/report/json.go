package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
)

// jsonSchema names the form of the JSON. The number rises when a reader of the old form would misread the new one; fields may be added
// without. report.schema.json describes it.
const jsonSchema = "headcount.audit/1"

type jsonReport struct {
	Schema      string           `json:"schema"`
	Subject     []string         `json:"subject"`
	Complete    bool             `json:"complete"`
	Summary     jsonSummary      `json:"summary"`
	Findings    []jsonFinding    `json:"findings"`
	Accepted    []jsonAccepted   `json:"accepted"`
	Supervisors []jsonSupervisor `json:"supervisors"`
	Unread      []jsonUnread     `json:"unread"`
	Rules       []jsonRule       `json:"rules"`
}

type jsonSummary struct {
	Errors      int `json:"errors"`
	Warnings    int `json:"warnings"`
	Notes       int `json:"notes"`
	Accepted    int `json:"accepted"`
	Unsure      int `json:"unsure"`
	Unchanged   int `json:"unchanged"`
	Gone        int `json:"gone"`
	Supervisors int `json:"supervisors"`
	Unlimited   int `json:"unlimited"`
	Unread      int `json:"unread"`
}

type jsonPosition struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	EndLine int    `json:"end_line,omitempty"`
}

type jsonFinding struct {
	Rule        string     `json:"rule"`
	Severity    string     `json:"severity"`
	Confidence  string     `json:"confidence"`
	Criticality string     `json:"criticality"`
	Message     string     `json:"message"`
	Remedy      string     `json:"remedy,omitempty"`
	Symbol      string     `json:"symbol"`
	Code        string     `json:"code,omitempty"`
	Reach       []jsonStep `json:"reach"`
	jsonPosition
}

type jsonStep struct {
	Name string `json:"name"`
	jsonPosition
}

type jsonAccepted struct {
	Where  string `json:"where"`
	Reason string `json:"reason,omitempty"`
	jsonFinding
}

type jsonSupervisor struct {
	Language    string     `json:"language"`
	Kind        string     `json:"kind"`
	Name        string     `json:"name,omitempty"`
	Symbol      string     `json:"symbol,omitempty"`
	Strategy    string     `json:"strategy,omitempty"`
	Restarts    string     `json:"restarts,omitempty"`
	Limit       jsonLimit  `json:"limit"`
	Criticality string     `json:"criticality"`
	Reach       []jsonStep `json:"reach"`
	jsonPosition
}

type jsonLimit struct {
	State string `json:"state"`
	Value *int64 `json:"value,omitempty"`
	Text  string `json:"text,omitempty"`
}

type jsonUnread struct {
	Reason string `json:"reason"`
	jsonPosition
}

type jsonRule struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Summary    string `json:"summary"`
	Confidence string `json:"confidence"`
}

func writeJSON(w *bufio.Writer, r *Report) error {
	out := jsonReport{
		Schema: jsonSchema, Subject: append([]string{}, r.Subject...), Complete: len(r.Unread) == 0,
		Findings: []jsonFinding{}, Accepted: []jsonAccepted{}, Supervisors: []jsonSupervisor{}, Unread: []jsonUnread{}, Rules: []jsonRule{},
		Summary: jsonSummary{
			Accepted: len(r.Accepted), Unsure: r.Hidden.Unsure, Unchanged: r.Hidden.Unchanged, Gone: r.Hidden.Gone,
			Supervisors: len(r.Supervisors), Unlimited: r.totals()[Unlimited], Unread: len(r.Unread),
		},
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, findingJSON(f))
		switch f.Severity() {
		case Error:
			out.Summary.Errors++
		case Warning:
			out.Summary.Warnings++
		default:
			out.Summary.Notes++
		}
	}
	for _, a := range r.Accepted {
		out.Accepted = append(out.Accepted, jsonAccepted{a.Where.String(), a.Reason, findingJSON(a.Finding)})
	}
	for _, s := range r.Supervisors {
		limit := jsonLimit{State: s.State.String(), Text: s.Text}
		if s.State == Set {
			limit.Value = &s.Value
		}
		out.Supervisors = append(out.Supervisors, jsonSupervisor{
			s.Language, s.Kind, s.Name, s.Symbol, s.Strategy, s.Restarts, limit, s.Criticality.String(), stepsJSON(s.Reach), jsonPosition(s.Position),
		})
	}
	for _, u := range r.Unread {
		out.Unread = append(out.Unread, jsonUnread{u.Reason, jsonPosition(u.Position)})
	}
	for _, x := range r.Rules {
		out.Rules = append(out.Rules, jsonRule{x.ID, x.Name, x.Summary, x.Confidence.String()})
	}
	return encode(w, out)
}

// encode writes JSON with all escaped that does not print: a terminal takes some of it, that JSON lets pass, for commands.
func encode(w *bufio.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			w.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(w, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(w, `\u%04x`, r)
		}
	}
	return w.WriteByte('\n')
}

func findingJSON(f Finding) jsonFinding {
	return jsonFinding{
		f.Rule, f.Severity().String(), f.Confidence.String(), f.Criticality.String(), f.Message, f.Remedy, f.Symbol, f.Code,
		stepsJSON(f.Reach), jsonPosition(f.Position),
	}
}

func stepsJSON(steps []Step) []jsonStep {
	out := make([]jsonStep, len(steps))
	for i, s := range steps {
		out[i] = jsonStep{s.Name, jsonPosition(s.Position)}
	}
	return out
}
