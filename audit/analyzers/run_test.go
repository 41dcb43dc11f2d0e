package analyzers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/headcount-go/headcount/audit/report"
)

func TestFindingsSayWhereWhatAndHowToMendIt(t *testing.T) {
	dir := module(t, map[string]string{
		"main.go": `package main

import "net/http"

type server struct{}

func (s *server) run() error {
	return http.ListenAndServe("127.0.0.1:8080", nil)
}

func main() { (&server{}).run() }
`})
	findings := review(t, dir)
	if len(findings) != 1 {
		t.Fatalf("there are %d findings: %v", len(findings), findings)
	}
	f := findings[0]
	want := report.Finding{
		Rule: "HC112", Position: report.Position{File: "main.go", Line: 8, Column: 9, EndLine: 8}, Symbol: "example.org/app.server.run",
		Message: f.Message, Remedy: f.Remedy, Confidence: report.High, Criticality: report.Internal,
		Code: `return http.ListenAndServe("127.0.0.1:8080", nil)`,
	}
	if f.Rule != want.Rule || f.Position != want.Position || f.Symbol != want.Symbol || f.Confidence != want.Confidence || f.Criticality != want.Criticality || f.Code != want.Code {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	if !strings.Contains(f.Remedy, "ReadHeaderTimeout: 10 * time.Second") || strings.Contains(f.Message, "HC112") {
		t.Errorf("message %q, remedy %q", f.Message, f.Remedy)
	}
}

// The package of the handlers cannot see that the program wraps them; the review of the program can.
func TestALimitOnBodiesInOnePackageCountsForAllOthers(t *testing.T) {
	files := map[string]string{
		"api/api.go": `package api

import (
	"io"
	"net/http"
)

func Note(w http.ResponseWriter, r *http.Request) { io.ReadAll(r.Body) }
`,
		"main.go": `package main

import (
	"net/http"

	"example.org/app/api"
)

func main() { handler = http.HandlerFunc(api.Note) }

var handler http.Handler
`}
	confidence := func() report.Confidence {
		i := slices.IndexFunc(review(t, module(t, files)), func(f report.Finding) bool { return f.Rule == "HC114" })
		if i < 0 {
			t.Fatal("the body was not found")
		}
		return review(t, module(t, files))[i].Confidence
	}
	if got := confidence(); got != report.High {
		t.Errorf("without a limit the confidence is %v", got)
	}
	files["main.go"] = strings.Replace(files["main.go"], "http.HandlerFunc(api.Note)", "http.MaxBytesHandler(http.HandlerFunc(api.Note), 1<<20)", 1)
	if got := confidence(); got != report.Low {
		t.Errorf("with a limit around all handlers the confidence is %v", got)
	}
}

func TestCodeThatDoesNotCompileLeavesTheRestToBeReviewed(t *testing.T) {
	dir := module(t, map[string]string{
		"good/good.go": "package good\n\nimport \"net/http\"\n\nfunc Serve() error { return http.ListenAndServe(\":80\", nil) }\n",
		"bad/bad.go":   "package bad\n\nimport \"net/http\"\n\nfunc Serve() int { return http.ListenAndServe(\":80\", nil) }\n",
	})
	findings := review(t, dir)
	if len(findings) != 1 || findings[0].File != "good/good.go" {
		t.Errorf("found %v", findings)
	}
}

func TestDriversAreToldOfLowConfidenceWhenAskedTo(t *testing.T) {
	a := byID(t, "HC113")
	pkgs := load(t, module(t, map[string]string{"main.go": `package main

import "net/http"

func main() {
	srv := &http.Server{Addr: ":8080"}
	srv.ListenAndServe()
}
`}))
	told := func() int {
		graph, err := checker.Analyze([]*analysis.Analyzer{a}, pkgs, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(graph.Roots[0].Diagnostics)
	}
	if n := told(); n != 0 {
		t.Errorf("unasked, %d are told", n)
	}
	if err := a.Flags.Set("confidence", "low"); err != nil {
		t.Fatal(err)
	}
	defer a.Flags.Set("confidence", "medium")
	if n := told(); n != 1 {
		t.Errorf("when asked to, %d are told", n)
	}
}

func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(dir, "go.mod"), "module example.org/app\n\ngo 1.26\n")
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, dir string) []*packages.Package {
	t.Helper()
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, Dir: dir, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS="),
	}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

func review(t *testing.T, dir string) []report.Finding {
	t.Helper()
	results, err := Run(load(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return Findings(dir, results)
}
