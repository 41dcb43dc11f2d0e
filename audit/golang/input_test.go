package golang

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestReviewReadsWhatCompilesAndNamesTheRest(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/broken")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "sub/syntax.go", "package sub\n\nfunc half( {\n")
	res := review(t, dir)
	var starts []string
	for _, f := range res.Findings {
		if f.Rule == "HC104" {
			starts = append(starts, f.Position.String())
		}
	}
	if want := []string{"types.go:12:3"}; !slices.Equal(starts, want) {
		t.Errorf("found %q, want %q", starts, want)
	}
	unreadAt(t, res, "types.go:19:14", "cannot use")
	unreadAt(t, res, "types.go:20:9", "undefined")
	unreadAt(t, res, "types.go:23:12", "undefined")
	unreadAt(t, res, "sub/syntax.go:3:12", "expected")
}

func unreadAt(t *testing.T, res report.Result, at, reason string) {
	t.Helper()
	if !slices.ContainsFunc(res.Unread, func(u report.Unread) bool { return u.String() == at && strings.Contains(u.Reason, reason) }) {
		t.Errorf("%s with %q is not among %q", at, reason, res.Unread)
	}
}

func TestAModuleThatCannotBeFetchedIsNamed(t *testing.T) {
	res := review(t, "testdata/missing")
	if !slices.ContainsFunc(res.Unread, func(u report.Unread) bool {
		return u.File == "main.go" && strings.Contains(u.Reason, "example.invalid/queue")
	}) {
		t.Errorf("unread: %q", res.Unread)
	}
	coded(t, res, "go log(r) // want HC102 high")
}

func TestAnEmptyModuleIsSaidToBeEmpty(t *testing.T) {
	res := review(t, "testdata/empty")
	if len(res.Findings) > 0 || len(res.Unread) != 1 || !strings.Contains(res.Unread[0].Reason, "no Go package") {
		t.Errorf("%+v", res)
	}
}

func TestAPathWithoutAModuleIsAnError(t *testing.T) {
	dir := t.TempDir()
	if _, err := Review(context.Background(), dir, nil, Options{}); !errors.Is(err, ErrNoModule) || !strings.Contains(err.Error(), filepath.Base(dir)) {
		t.Errorf("in a directory without go.mod: %v", err)
	}
	if _, err := Review(context.Background(), filepath.Join(dir, "nothing"), nil, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in no directory: %v", err)
	}
	write(t, dir, "go.mod", "this is no go.mod\n")
	if _, err := Review(context.Background(), dir, nil, Options{}); err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("with a go.mod that cannot be read: %v", err)
	}
}

func TestWhatTheGoCommandAsksForIsToldInALine(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "dep/go.mod", "module example.org/dep\n\ngo 1.24\n\nrequire example.org/more v0.0.0\n\nreplace example.org/more => ../more\n")
	write(t, dir, "dep/dep.go", "package dep\n\nimport _ \"example.org/more\"\n")
	write(t, dir, "more/go.mod", "module example.org/more\n\ngo 1.24\n")
	write(t, dir, "more/more.go", "package more\n")
	write(t, dir, "app/go.mod", "module example.org/app\n\ngo 1.24\n\nrequire example.org/dep v0.0.0\n\nreplace (\n\texample.org/dep => ../dep\n\texample.org/more => ../more\n)\n")
	write(t, dir, "app/main.go", "package main\n\nimport _ \"example.org/dep\"\n\nfunc main() {}\n")
	t.Setenv("GOFLAGS", "-mod=readonly")
	_, err := Review(t.Context(), filepath.Join(dir, "app"), nil, Options{Offline: true})
	if err == nil || !strings.HasSuffix(err.Error(), "go mod tidy") || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "stderr") {
		t.Errorf("err = %v", err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const acceptLoop = `package server

import "net"

func Serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go c.Close()
	}
}
`

func TestASymbolicLinkThatLeadsBackIsNoLoop(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/linked\n\ngo 1.26.0\n")
	write(t, dir, "server/server.go", acceptLoop)
	if err := os.Symlink("..", filepath.Join(dir, "server", "up")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "again")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{dir, link} {
		res := review(t, at)
		if len(res.Findings) != 1 || res.Findings[0].File != "server/server.go" || len(res.Unread) > 0 {
			t.Errorf("%+v", res)
		}
	}
}

func TestPatternsNarrowWhatIsSaidAndNotWhoCalls(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/two\n\ngo 1.26.0\n")
	write(t, dir, "web/web.go", "package web\n\nimport (\n\t\"net/http\"\n\n\t\"example.com/two/mail\"\n)\n\nfunc Order(w http.ResponseWriter, r *http.Request) {\n\tmail.Send()\n\tgo mail.Later()\n}\n")
	write(t, dir, "mail/mail.go", "package mail\n\nfunc Send() { go Later() }\n\nfunc Later() {}\n")
	t.Setenv("GOWORK", "off")
	res, err := Review(context.Background(), filepath.Join(dir, "mail"), []string{"./..."}, Options{Base: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Findings) != 1 || res.Findings[0].Position.String() != "mail/mail.go:3:15" {
		t.Fatalf("%+v", res)
	}
	if got, want := names(res.Findings[0].Reach), []string{"HTTP handler web.Order", "mail.Send", "go"}; !slices.Equal(got, want) {
		t.Errorf("reached by %q, want %q", got, want)
	}
}

func TestAWorkspaceThatDoesNotListTheModuleIsLeftAside(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.work", "go 1.26.0\n")
	write(t, dir, "inner/go.mod", "module example.com/inner\n\ngo 1.26.0\n")
	write(t, dir, "inner/server.go", acceptLoop)
	t.Setenv("GOWORK", "")
	res, err := Review(context.Background(), filepath.Join(dir, "inner"), nil, Options{Offline: true})
	if err != nil || len(res.Findings) != 1 {
		t.Errorf("%v, %+v", err, res)
	}
}

func TestAFileOfManyBytesIsNamed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/large\n\ngo 1.26.0\n")
	write(t, dir, "server/server.go", acceptLoop)
	write(t, dir, "large.go", "package large\n\n//"+strings.Repeat("x", largestFile)+"\n")
	res := review(t, dir)
	if len(res.Findings) != 1 {
		t.Errorf("%+v", res.Findings)
	}
	if len(res.Unread) == 0 || res.Unread[0].File != "large.go" {
		t.Errorf("%+v", res.Unread)
	}
}

func TestReviewEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Review(ctx, "testdata/inside", nil, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestEachRuleHasItsPage(t *testing.T) {
	for _, r := range Rules() {
		if !strings.HasPrefix(r.Page, "# "+r.ID+" "+r.Name+"\n") || !strings.Contains(r.Page, "\n## Bad\n") || !strings.Contains(r.Page, "\n## Good\n") || remedies[r.ID] == "" {
			t.Errorf("%s: the page or the remedy is not whole", r.ID)
		}
	}
}
