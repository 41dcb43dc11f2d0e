package elixir

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"
)

// nests are the ways in which a source can make a tree deep: before is repeated, then comes middle, then after is repeated.
var nests = []struct{ before, middle, after string }{
	{"(", "a", ")"},
	{"[", "a", "]"},
	{"{", "a", "}"},
	{"<< ", "a", " >>"},
	{"%{a: ", "a", "}"},
	{"%{a | b: ", "a", "}"},
	{"f(", "a", ")"},
	{"f ", "a", ""},
	{"f a: ", "a", ""},
	{"f a, ", "a", ""},
	{"a.b ", "a", ""},
	{"if a do\n", "a", "\nend"},
	{"f do a -> ", "a", " end"},
	{"fn -> ", "a", " end"},
	{"fn a when ", "a", " -> b end"},
	{"x[", "a", "]"},
	{"- ", "a", ""},
	{"not ", "a", ""},
	{"@", "a", ""},
	{"& ", "a", ""},
	{"a = ", "a", ""},
	{"a <> ", "a", ""},
	{"(a -> ", "a", ")"},
	{"\"#{", "a", "}\""},
	{"~s(#{", "a", "})"},
	{"", "a", " + a"},
	{"", "a", "\n|> b()"},
	{"", "a", ".b"},
	{"", "a", ".()"},
	{"", "a()", "[1]"},
	{"", "@@a", "[1]"},
	{"", "f()", "()"},
	{"", "%a", ".b"},
	{"", "a", " not in a"},
	{"(", "a", " + a + a + a)"},
}

func TestDeepNestingIsRefusedAndNeverOverflowsTheStack(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(32 << 20))
	for _, n := range nests {
		const times = 20_000
		src := strings.Repeat(n.before, times) + n.middle + strings.Repeat(n.after, times)
		_, err := Parse("deep.ex", []byte(src))
		var at *SyntaxError
		if !errors.As(err, &at) || !strings.Contains(at.Expected, "nesting") {
			t.Errorf("%q: %v", n, err)
		}
	}
}

func TestNestingThatPeopleWriteIsRead(t *testing.T) {
	for _, n := range nests {
		const times = 900
		src := strings.Repeat(n.before, times) + n.middle + strings.Repeat(n.after, times)
		if n.middle == "%a" {
			src += "{}"
		}
		f, err := Parse("deep.ex", []byte(src))
		if err != nil {
			t.Errorf("%q: %v", n, err)
			continue
		}
		if height := height(f.Body); n.before != "(" && height < times {
			t.Errorf("%q: the tree is only %d high", n, height)
		}
	}
}

// height is how deep the walk of a tree goes.
func height(n Node) int {
	most := 0
	Walk(n, func(inner Node) bool {
		if inner == n {
			return true
		}
		most = max(most, height(inner))
		return false
	})
	return 1 + most
}

// The tree of one expression around another must not be deeper than the limit either: each level adds a chain to the left.
func TestHeightOfATreeIsLimitedAcrossNestedChains(t *testing.T) {
	chain := strings.Repeat(" + a", 4000)
	src := "a"
	for range 3 {
		src = "(" + src + chain + ")"
	}
	_, err := Parse("deep.ex", []byte(src))
	if err == nil || !strings.Contains(err.Error(), "nesting") {
		t.Fatalf("12 000 levels to the left: %v", err)
	}
}
