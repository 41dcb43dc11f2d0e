package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

// writeFiles makes a directory with these files, and makes it the current one.
func writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// A comment without a reason is a warning, whatever language it stands in.
const (
	cleanElixir   = "defmodule A do\nend\n"
	warningElixir = "defmodule A do # headcount:ignore HC001\nend\n"
)

func TestTheExitStatusTellsWhatWasFound(t *testing.T) {
	writeFiles(t, map[string]string{
		"clean/a.ex": cleanElixir, "warning/a.ex": warningElixir, "binary/a.ex": "\x00", "binary/b.ex": warningElixir, "empty/x.txt": "",
	})
	for line, want := range map[string]int{
		"clean":                                exitOK,
		"warning":                              exitFailed,
		"warning -fail-on error":               exitOK,
		"warning -fail-on note":                exitFailed,
		"warning -fail-on never":               exitOK,
		"warning clean -format json -o r.json": exitFailed,
		"binary":                               exitError,
		"binary -fail-on never":                exitError,
		"nowhere":                              exitError,
		"empty":                                exitError,
		"":                                     exitError,
		"clean -format xml":                    exitError,
		"clean -fail-on bad":                   exitError,
		"clean -confidence 3":                  exitError,
		"clean -baseline none.json":            exitError,
		"clean -write-baseline":                exitError,
		"clean -write-baseline -baseline b.json -new-from x": exitError,
		"clean -new-from HEAD":                               exitError, // no repository
		"clean -o no/such/directory/x":                       exitError,
		"-explain HC001":                                     exitOK,
		"-explain HC999":                                     exitError,
	} {
		if got := run(append([]string{"audit"}, strings.Fields(line)...)); got != want {
			t.Errorf("headcount audit %s: exit status %d, want %d", line, got, want)
		}
	}
	text, err := os.ReadFile("r.json")
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), `"headcount.audit/1"`) {
		t.Errorf("error %v, report %s", err, text)
	}
}

func TestABaselineIsWrittenAndThenAnswersForItsFindings(t *testing.T) {
	writeFiles(t, map[string]string{"a.ex": warningElixir, "binary/b.ex": "\x00"})
	if out, err := output(t, "", "audit", "--baseline", "b.json", "--write-baseline", "a.ex"); err != nil || out != "findings in b.json: 1\n" {
		t.Errorf("error %v, output %s", err, out)
	}
	if out, err := output(t, "", "audit", "--baseline", "b.json", "a.ex"); err != nil || !strings.Contains(out, "no findings\nnot shown: 1 in the baseline\n") {
		t.Errorf("error %v, output %s", err, out)
	}
	if out, err := output(t, "", "audit", "--baseline", "c.json", "--write-baseline", "."); err == nil || !strings.Contains(out, "binary/b.ex: could not be read") {
		t.Errorf("error %v, output %s", err, out)
	}
	if _, err := os.Stat("c.json"); err == nil {
		t.Error("a baseline was written though something could not be read")
	}
}

func TestTheShellKnowsTheWordsOfAudit(t *testing.T) {
	for flag, want := range map[string]string{"--format": "sarif", "--fail-on": "never", "--confidence": "medium", "--explain": "HC101"} {
		if out, err := output(t, "", "__complete", "audit", flag, ""); err != nil || !strings.Contains(out, want+"\n") {
			t.Errorf("%s: error %v, output %s", flag, err, out)
		}
	}
}

func TestAuditSaysWhereAndWhat(t *testing.T) {
	writeFiles(t, map[string]string{"a.ex": warningElixir})
	out, err := output(t, "", "audit", ".")
	if err != errFailed || !strings.HasPrefix(out, "a.ex:1:16: warning: HC001 ignore-without-reason: this comment gives no reason") {
		t.Errorf("error %v, output %s", err, out)
	}
}

func TestARunningProgramIsReviewedOverItsPage(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t)
	p.command(t, "", "audit -url URL").has(t, exitOK, "no findings\n3 supervisors: 2 with a limit, 1 with declared children\n")
	if err := p.jobs.MaxChildren().Set(7, headcount.Change{By: "ann", Review: time.Now().Add(-48 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	p.command(t, "", "audit -url URL").has(t, exitFailed, "shop/jobs: warning: HC306 live-review-passed: max_children of shop/jobs, set by ann")
	p.command(t, "", "audit -url URL -baseline b.json -write-baseline").has(t, exitOK, "findings in b.json: 1")
	p.command(t, "", "audit -url URL -baseline b.json").has(t, exitOK, "1 in the baseline")
	p.command(t, "", "audit -url URL .").has(t, exitError, "either paths or --url")
	p.command(t, "", "audit -url URL -new-from HEAD").has(t, exitError, "--new-from is for code")
	t.Setenv("HEADCOUNT_TOKEN", "wrong")
	p.command(t, "", "audit -url URL").has(t, exitError, "not allowed", "Give a token")
	p.command(t, "", "audit -url http://127.0.0.1:1").has(t, exitError, "127.0.0.1:1")
}

const acceptLoop = `package main

import "net"

func main() {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		panic(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go c.Close()
	}
}
`

func TestAGoProgramIsReviewedFromEndToEnd(t *testing.T) {
	writeFiles(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "main.go": acceptLoop, "broken/b.go": "package broken\n\nvar x int = y\n"})
	t.Setenv("GOWORK", "off")
	out, err := output(t, "", "audit", "main.go")
	if err != errFailed || !strings.Contains(out, "main.go:15:3: error: HC104 accept-without-limit: ") {
		t.Errorf("error %v, output %s", err, out)
	}
	if out, err := output(t, "", "audit", "."); err == nil || err == errFailed || !strings.Contains(out, "HC104") || !strings.Contains(out, "broken/b.go:3:13: could not be read: ") {
		t.Errorf("code that does not compile: error %v, output %s", err, out)
	}
	answered := strings.Replace(acceptLoop, "go c.Close()", "go c.Close() //headcount:ignore HC104 a firewall lets four in", 1)
	if err := os.WriteFile("main.go", []byte(answered), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := output(t, "", "audit", "main.go"); err != nil || !strings.Contains(out, "no findings\nnot shown: 1 ignored by a comment") {
		t.Errorf("error %v, output %s", err, out)
	}
}

const chat = `defmodule Chat.Application do
  use Application

  def start(_type, _args) do
    children = [
      {DynamicSupervisor, name: Chat.Rooms, strategy: :one_for_one},
      {Task.Supervisor, name: Chat.Tasks, max_children: 100}
    ]

    Supervisor.start_link(children, strategy: :one_for_one)
  end
end
`

func TestAnElixirProjectIsReviewedFromEndToEnd(t *testing.T) {
	writeFiles(t, map[string]string{"mix.exs": "defmodule Chat.MixProject do\nend\n", "lib/chat.ex": chat})
	out, err := output(t, "", "audit", "--format", "markdown", "lib")
	if err != errFailed {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"at `lib/chat.ex:6:7` in `Chat.Application.start/2`", "max_children: 1_000}`", "| `lib/chat.ex:7:7` | `Task.Supervisor` | `Chat.Tasks` | 100 |"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	answered := strings.Replace(chat, "      {Dynamic", "      # headcount:ignore HC201 rooms are made by hand\n      {Dynamic", 1)
	if err := os.WriteFile("lib/chat.ex", []byte(answered), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := output(t, "", "audit", "."); err != nil || !strings.Contains(out, "no findings\nnot shown: 1 ignored by a comment") {
		t.Errorf("error %v, output %s", err, out)
	}
	if err := os.WriteFile("lib/chat.ex", []byte(chat+"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := output(t, "", "audit", "."); err == nil || err == errFailed || !strings.Contains(out, "lib/chat.ex:13:1: could not be read: ") {
		t.Errorf("with a bracket too many: error %v, output %s", err, out)
	}
}
