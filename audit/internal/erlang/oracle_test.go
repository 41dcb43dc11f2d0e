package erlang

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// told is what the oracle says of one file: calls by function, written "name/arity line".
type told struct {
	file  string
	names []string
	calls map[string][]string
}

// askErlang asks Erlang's own parser about files.
func askErlang(t *testing.T, files []string) []told {
	t.Helper()
	if _, err := exec.LookPath("escript"); err != nil {
		t.Skip("escript is not installed: Erlang's own parser cannot be asked")
	}
	cmd := exec.CommandContext(t.Context(), "escript", "testdata/oracle.escript")
	cmd.Stdin = strings.NewReader(strings.Join(files, "\n") + "\n")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if strings.Contains(complaint.String()+string(out), "undefined function epp_dodger") {
		t.Skip("syntax_tools is not installed (Debian: erlang-syntax-tools): Erlang's own parser cannot be asked")
	}
	if err != nil {
		t.Fatalf("Erlang's parser: %v: %s", err, complaint.String())
	}
	var all []told
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		what, rest, _ := strings.Cut(s.Text(), " ")
		switch what {
		case "FILE":
			all = append(all, told{file: rest, calls: map[string][]string{}})
		case "F":
			last := &all[len(all)-1]
			last.names = append(last.names, rest)
			last.calls[rest] = nil
		case "C":
			last := &all[len(all)-1]
			name := last.names[len(last.names)-1]
			last.calls[name] = append(last.calls[name], rest)
		}
	}
	if len(all) != len(files) {
		t.Fatalf("asked about %d files, told of %d", len(files), len(all))
	}
	return all
}

// callsOf tells the same of a file from this reader.
func callsOf(f *File) map[string][]string {
	calls := map[string][]string{}
	for _, fn := range f.Functions {
		name := fmt.Sprintf("%s/%d %d", fn.Name, fn.Arity, fn.Line)
		calls[name] = nil
		fn.Calls(func(c *Call) {
			callee := nodeName(c.Fun)
			if c.Module != nil {
				callee = nodeName(c.Module) + ":" + callee
			}
			calls[name] = append(calls[name], fmt.Sprintf("%s/%d", callee, len(c.Args)))
		})
		slices.Sort(calls[name])
	}
	return calls
}

func nodeName(n Node) string {
	switch n := n.(type) {
	case *Atom:
		return n.Name
	case *Var:
		return n.Name
	case *Macro:
		return "?" + n.Name
	}
	return "_"
}

func compare(t *testing.T, files []string) (functions, calls, unread int) {
	t.Helper()
	differences := 0
	for _, told := range askErlang(t, files) {
		src, err := os.ReadFile(told.file)
		if err != nil {
			t.Fatal(err)
		}
		f := Parse(string(src))
		mine := callsOf(f)
		unread += len(f.Problems)
		for name, want := range told.calls {
			functions++
			calls += len(want)
			slices.Sort(want)
			got, ok := mine[name]
			if ok && slices.Equal(got, want) {
				continue
			}
			if differences++; differences <= 20 {
				t.Errorf("%s: %s:\n got %v (read: %v)\nwant %v\nproblems: %v", filepath.Base(told.file), name, got, ok, want, f.Problems)
			}
		}
	}
	if differences > 0 {
		t.Errorf("%d functions differ", differences)
	}
	return functions, calls, unread
}

func TestReadsTheSourcesOfOTPLikeErlangDoes(t *testing.T) {
	var files []string
	for _, app := range []string{"stdlib", "kernel", "ssl", "inets", "ssh", "sasl", "eunit"} {
		for _, dir := range []string{"", "*/"} {
			found, err := filepath.Glob("/usr/lib/erlang/lib/" + app + "-*/src/" + dir + "*.erl")
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
	}
	if len(files) == 0 {
		t.Skip("the sources of OTP are not in /usr/lib/erlang/lib (Debian: erlang-src)")
	}
	functions, calls, unread := compare(t, files)
	t.Logf("%d files, %d functions, %d calls; %d forms not read", len(files), functions, calls, unread)
	if functions < 1000 {
		t.Errorf("only %d functions were compared", functions)
	}
}
