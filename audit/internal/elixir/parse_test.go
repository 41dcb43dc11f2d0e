package elixir

import (
	"errors"
	"strings"
	"testing"
)

func parse(t *testing.T, src string) *File {
	t.Helper()
	f, err := Parse("test.ex", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// callNamed finds the first call of a name, with its target's name before it where it has one.
func callNamed(t *testing.T, f *File, name string) *Call {
	t.Helper()
	var found *Call
	Walk(f.Body, func(n Node) bool {
		if c, ok := n.(*Call); ok && found == nil && c.Name == name {
			found = c
		}
		return found == nil
	})
	if found == nil {
		t.Fatalf("no call of %s", name)
	}
	return found
}

func TestDoBlockBelongsToTheOutermostCallWithoutParentheses(t *testing.T) {
	f := parse(t, "if check value do\n  start(1)\nelse\n  stop()\nend\n")
	call := callNamed(t, f, "if")
	if len(call.Sections) != 2 || call.Sections[0].Name != "do" || call.Sections[1].Name != "else" {
		t.Errorf("sections of if: %+v", call.Sections)
	}
	if inner := callNamed(t, f, "check"); inner.Sections != nil {
		t.Errorf("check has the sections %+v", inner.Sections)
	}
}

func TestKeywordsAtTheEndOfArgumentsAreOneList(t *testing.T) {
	f := parse(t, "DynamicSupervisor.start_link(__MODULE__, name: X, max_children: 1_000)")
	call := callNamed(t, f, "start_link")
	if len(call.Args) != 2 {
		t.Fatalf("%d arguments", len(call.Args))
	}
	limit, ok := Lookup(call.Args[1], "max_children")
	if !ok {
		t.Fatal("no max_children")
	}
	if n, ok := limit.(*Number).Int(); !ok || n != 1000 {
		t.Errorf("max_children is %d, %v", n, ok)
	}
}

func TestUnreadableSourceIsNamedByPlaceAndByWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		src          string
		line, column int
		says         string
	}{
		{"def f do\n  g(\nend", 3, 1, "expected ) for the ( in line 2"},
		{"def f do\n  g()\n", 3, 1, "expected end for the do in line 1, found the end of the file"},
		{"a = \"text\nmore", 1, 5, "at the end of the text that begins here"},
		{"x = [1, 2", 1, 10, "expected ] for the [ in line 1"},
		{"x = )", 1, 5, "expected an expression"},
		{"f(a:b)", 1, 5, "a space behind the key a:"},
		{"<<<<<<< HEAD\na", 1, 1, "merge conflict"},
		{"a\n\xff", 2, 1, "UTF-8"},
		{"1abc", 1, 2, "the end of the number 1"},
		{"\"a#{b\"", 1, 6, "at the end of the text that begins here"},
		{"\"a#{b", 1, 6, "} for the interpolation in the text that begins in line 1"},
	} {
		_, err := Parse("lib/a.ex", []byte(c.src))
		var at *SyntaxError
		if !errors.As(err, &at) {
			t.Errorf("%q: %v", c.src, err)
			continue
		}
		if at.Line != c.line || at.Column != c.column || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v", c.src, err)
		}
	}
}
