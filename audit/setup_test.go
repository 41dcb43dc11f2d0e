package audit

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/audit/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A project is a directory of code under test.
type project struct {
	t   *testing.T
	dir string
}

func newProject(t *testing.T) project {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return project{t, dir}
}

// write makes files of "name: content" pairs.
func (p project) write(files map[string]string) {
	p.t.Helper()
	for name, content := range files {
		file := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

// fake reviews by the word LEAK in a line, which is a finding of high confidence, and HINT, which is one of low confidence. The word BROKEN
// stands for a file that cannot be read. Like the real one for Go, it may come upon files of other modules.
func fake() *reviewers {
	return &reviewers{
		golang: func(_ context.Context, dir string) (report.Result, error) {
			var files []string
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if strings.HasSuffix(path, ".go") {
					files = append(files, path)
				}
				return err
			})
			if err != nil {
				return report.Result{}, err
			}
			return fakeReview("HC101", dir, files)
		},
		beam: func(_ context.Context, root string, files []string) (report.Result, error) {
			return fakeReview("HC201", root, files)
		},
		rules: []func() []report.Rule{func() []report.Rule {
			return []report.Rule{{ID: "HC101", Name: "leak", Confidence: report.High}, {ID: "HC201", Name: "leak", Confidence: report.High}}
		}},
	}
}

func fakeReview(rule, root string, files []string) (r report.Result, err error) {
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return r, err
		}
		defer f.Close()
		name, err := filepath.Rel(root, path)
		if err != nil {
			return r, err
		}
		scanner := bufio.NewScanner(f)
		for n := 1; scanner.Scan(); n++ {
			at := report.Position{File: filepath.ToSlash(name), Line: n, Column: 1}
			finding := report.Finding{
				Rule: rule, Position: at, Symbol: strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), Message: "no limit",
				Confidence: report.High, Criticality: report.External, Reach: []report.Step{{Name: "main", Position: at}},
			}
			switch {
			case strings.Contains(scanner.Text(), "LEAK"):
				r.Findings = append(r.Findings, finding)
				r.Supervisors = append(r.Supervisors, report.Supervisor{Position: at, Kind: "K", Limit: report.Limit{State: report.Unlimited}})
			case strings.Contains(scanner.Text(), "HINT"):
				finding.Confidence = report.Low
				r.Findings = append(r.Findings, finding)
			case strings.Contains(scanner.Text(), "BROKEN"):
				r.Unread = append(r.Unread, report.Unread{Position: at, Reason: "broken"})
			}
		}
	}
	return r, nil
}

func (p project) run(c Config) *report.Report {
	p.t.Helper()
	r, err := p.try(c)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p project) try(c Config) (*report.Report, error) {
	if c.Paths == nil {
		c.Paths = []string{"."}
	}
	c.Dir, c.reviewers = p.dir, fake()
	return Run(p.t.Context(), c)
}

// places are the findings as "rule place", in the order of the report.
func places(findings []report.Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Rule+" "+f.Place())
	}
	return strings.Join(out, ", ")
}

func unread(r *report.Report) string {
	var out []string
	for _, u := range r.Unread {
		out = append(out, u.Position.String()+": "+u.Reason)
	}
	return strings.Join(out, "; ")
}

func (p project) want(c Config, findings string) *report.Report {
	p.t.Helper()
	r := p.run(c)
	if got := places(r.Findings); got != findings {
		p.t.Errorf("findings are %q, want %q", got, findings)
	}
	return r
}
