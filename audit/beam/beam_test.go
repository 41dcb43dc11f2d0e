package beam

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

// reviewed reviews files that are given by name and content.
func reviewed(t *testing.T, files map[string]string) report.Result {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return reviewedDir(t, dir, names)
}

func reviewedDir(t *testing.T, dir string, names []string) report.Result {
	t.Helper()
	result, err := Review(t.Context(), dir, names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// row is a supervisor as the table of the report has it.
func row(s report.Supervisor) string {
	limit := [...]string{"not known", "set", "expression", "unlimited", "declared"}[s.State]
	if s.State == report.Set {
		limit = fmt.Sprint(s.Value)
	}
	if s.Text != "" && s.Text != limit {
		limit += " (" + s.Text + ")"
	}
	parts := []string{s.Kind, s.Name, s.Strategy, s.Restarts, limit}
	return strings.Join(parts, " | ")
}

func rows(result report.Result) []string {
	var all []string
	for _, s := range result.Supervisors {
		all = append(all, row(s))
	}
	return all
}

// found are the findings as rule, line and symbol.
func found(result report.Result) []string {
	var all []string
	for _, f := range result.Findings {
		all = append(all, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Rule, f.Symbol))
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n\t%s\nwant:\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
