package erlang

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// body parses src as the body of a function and returns its last expression.
func body(t *testing.T, src string) Node {
	t.Helper()
	f := Parse("f() -> " + src + ".\n")
	if len(f.Problems) > 0 || len(f.Functions) != 1 {
		t.Fatalf("%s: problems %v, %d functions", src, f.Problems, len(f.Functions))
	}
	b := f.Functions[0].Clauses[0].Body
	return b[len(b)-1]
}

func TestReadsLiterals(t *testing.T) {
	for src, want := range map[string]string{
		`foo@Bar_1`: "atom foo@Bar_1", `'a b\x{e9}\''`: "atom a bé'", `"a\tb" "c" ?NL "d"`: "string a\tbcd",
		`$a`: "int 97", `$\n`: "int 10", `$\x{263a}`: "int 9786", `$\101`: "int 65", `$\^A`: "int 1", `$é`: "int 233", `$"`: "int 34",
		`1_000_000`: "int 1000000", `16#Ff_0`: "int 4080", `36#z`: "int 35", `1.5e-3`: "float 1.5e-3", `99999999999999999999`: "int ?",
		"\"\"\"\n    one\n      \"two\"\n    \"\"\"": "string one\n  \"two\"",
		`~s(a "b")`: `string a "b"`,
		`~B[\d+]`:   `string \d+`,
		"\"\"\"\"\n  a\n  \"\"\"\n  b\n  \"\"\"\"": "string a\n\"\"\"\nb",
		`"""" "x"`:                           "string x",
		"% said: it's \"so\n 'x' % \" and '": "atom x",
	} {
		got := ""
		switch n := body(t, src+"\n").(type) {
		case *Atom:
			got = "atom " + n.Name
		case *Int:
			got = fmt.Sprint("int ", n.Value)
			if !n.Known {
				got = "int ?"
			}
		case *Float:
			got = "float " + n.Text
		case *String:
			got = "string " + n.Text
		}
		if got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func TestOperatorsBindLikeInErlang(t *testing.T) {
	for src, want := range map[string]string{
		`A = B = 1 + 2 * 3`:         "(A = (B = (1 + (2 * 3))))",
		`1 - 2 - 3`:                 "((1 - 2) - 3)",
		`A ++ B ++ C`:               "(A ++ (B ++ C))",
		`A orelse B andalso C == D`: "(A orelse (B andalso (C == D)))",
		`P ! not A`:                 "(P ! (not A))",
		`X = catch -Y`:              "(X = (catch (- Y)))",
		`1 bsl 2 band 3`:            "(1 bsl (2 band 3))",
		`(1 + 2) * 3`:               "((1 + 2) * 3)",
	} {
		if got := written(body(t, src)); got != want {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}

func written(n Node) string {
	switch n := n.(type) {
	case *Op:
		if n.Left == nil {
			return "(" + n.Op + " " + written(n.Right) + ")"
		}
		return "(" + written(n.Left) + " " + n.Op + " " + written(n.Right) + ")"
	case *Var:
		return n.Name
	case *Int:
		return n.Text
	}
	return fmt.Sprintf("%T", n)
}

func TestFindsTheCallsOfEveryConstruct(t *testing.T) {
	for src, want := range map[string]string{
		`case a(X) of {b, Y} when c(Y) -> d(); _ -> e() end`:                "a c d e",
		`try a() of _ -> b() catch _:R:S -> c(R, S) after d() end`:          "a b c d",
		`receive {a, X} -> b(X) after c() -> d() end`:                       "b c d",
		`if X > 1, Y; Z -> a(); true -> b() end`:                            "a b",
		`maybe {ok, X} ?= a(), b(X) else _ -> c() end`:                      "a b c",
		`[a(X) || {X, _} <- b(), c(X)] ++ << <<(d(X))>> || <<X>> <= e() >>`: "a b c d e",
		`#{a() => b() || K := V <- c(), x <- d(K, V)}`:                      "a b c d",
		`M#{a => b(), c := d()}`:                                            "b d",
		`R#state{a = b(), _ = c()}, (d())#state.name`:                       "b c d",
		`(fun F(0) -> a(); F(N) -> b(N) end)(c())`:                          "* a b c",
		`m:a(?X(b(), c), ?MODULE:d())`:                                      "a b d",
		`{fun a/1, fun m:b/2, fun ?M:F/A, begin c(), d() end}`:              "c d",
		`?assertMatch({ok, X} when is_pid(X), a()), b()`:                    "a b is_pid",
		`?NOT_TERMS(a -> b;;), c()`:                                         "c",
		`maybe(a()), X = maybe`:                                             "a maybe",
	} {
		f := Parse("f() -> " + src + ".\n")
		if len(f.Problems) > 0 {
			t.Errorf("%s: %v", src, f.Problems)
			continue
		}
		var calls []string
		f.Functions[0].Calls(func(c *Call) {
			if a, ok := c.Fun.(*Atom); ok {
				calls = append(calls, a.Name)
			} else {
				calls = append(calls, "*")
			}
		})
		slices.Sort(calls)
		if got := strings.Join(calls, " "); got != want {
			t.Errorf("%s: calls %q, want %q", src, got, want)
		}
	}
}

func TestReadsAttributesAndDefines(t *testing.T) {
	f := Parse(`-module(m).
-behaviour(supervisor).
-define(MAX, 100).
-define(SPEC(I, Type), {I, {I, start_link, []}, permanent, 5000, Type, [I]}).
-define(HALF, case X of).
-spec f(fun((...) -> ok), [..5]) -> #{a := b}.
-record(r, {a = 1 :: integer() | undefined, b}).
-ifdef(TEST).
f(_) -> ok.
-else.
f(_, _) -> ?MAX.
-endif.
`)
	if len(f.Problems) > 0 {
		t.Fatal(f.Problems)
	}
	if len(f.Functions) != 2 || len(f.Attributes) != 7 || len(f.Defines) != 3 {
		t.Fatalf("%d functions, %d attributes, %d defines", len(f.Functions), len(f.Attributes), len(f.Defines))
	}
	if d := f.Defines[1]; d.Name != "SPEC" || !slices.Equal(d.Params, []string{"I", "Type"}) || d.Body == nil {
		t.Errorf("SPEC is %+v", d)
	}
	if d := f.Defines[2]; d.Name != "HALF" || d.Body != nil {
		t.Errorf("HALF is half an expression, got %+v", d)
	}
	if got := f.Functions[1].Position(); got != (Pos{11, 1}) {
		t.Errorf("the second f is at %v", got)
	}
}

func TestNamesAFormThatItCannotReadAndGoesOn(t *testing.T) {
	f := Parse("-module(m).\na() ->\n  case X of\n  end end.\nb() -> \"not closed.\nc() -> ok.\nd() -> e(.\ng() -> h().\n")
	var names []string
	for _, fn := range f.Functions {
		names = append(names, fn.Name)
	}
	if !slices.Equal(names, []string{"c", "g"}) {
		t.Errorf("read %v, want c and g", names)
	}
	var lines []int
	for _, p := range f.Problems {
		lines = append(lines, p.Line)
	}
	if !slices.Equal(lines, []int{4, 5, 7}) || f.Problems[0].Form != 2 {
		t.Errorf("problems: %v", f.Problems)
	}
}

func TestSaysOfABinaryFileThatItIsOne(t *testing.T) {
	if f := Parse("FOR1\x00\x00BEAM"); len(f.Problems) != 1 || f.Problems[0].Reason != "a binary file" {
		t.Errorf("%+v", f)
	}
}

func TestRefusesWhatIsNestedTooDeep(t *testing.T) {
	for _, src := range []string{
		strings.Repeat("[", 1e5), strings.Repeat("- ", 1e5) + "1", strings.Repeat("1+", 1e5) + "1", strings.Repeat("catch ", 1e5) + "1",
		strings.Repeat("fun() -> ", 1e5), strings.Repeat("?X(", 1e5), "a" + strings.Repeat("(1)", 1e5), strings.Repeat("begin ", 1e5),
		"a" + strings.Repeat(":a", 1e5), strings.Repeat("A = ", 1e5) + "1", strings.Repeat("<<", 1e5), strings.Repeat("#{", 1e5),
		strings.Repeat("case ", 1e5), strings.Repeat("#r{a=", 1e5), strings.Repeat("fun ", 1e5),
	} {
		f := Parse("f() -> " + src + ".\ng() -> ok.\n")
		if len(f.Problems) != 1 || len(f.Functions) != 1 || f.Functions[0].Name != "g" {
			t.Errorf("%.20s...: %d problems, functions %v", src, len(f.Problems), f.Functions)
		}
	}
}

func FuzzParse(f *testing.F) {
	room, err := os.ReadFile("testdata/room.erl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(room))
	for _, s := range []string{"f() -> $\\", "~", "~S", "\"\"\"\n", "16#", "f() -> ?X(.", "-define(", "-define(A(", "-define(A(a", "f() -> $\\x{", "?A", "-a", "f() -> fun", "#!x", "~s\"", "'\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		file := Parse(src)
		lines := strings.Count(src, "\n") + 1
		for _, p := range file.Problems {
			if p.Line < 1 || p.Line > lines || p.Form < 1 || p.Form > p.Line {
				t.Errorf("problem at line %d, form at %d of %d lines", p.Line, p.Form, lines)
			}
		}
		nodes := 0
		for _, fn := range file.Functions {
			for _, c := range fn.Clauses {
				WalkClause(c, func(Node) bool { nodes++; return true })
			}
		}
		if nodes > len(src)+1 {
			t.Errorf("%d nodes of %d bytes", nodes, len(src))
		}
	})
}

func TestEndsWhereverAFileIsCutOff(t *testing.T) {
	room, err := os.ReadFile("testdata/room.erl")
	if err != nil {
		t.Fatal(err)
	}
	whole := len(Parse(string(room)).Functions)
	for i := range room {
		f := Parse(string(room[:i]))
		if len(f.Functions) > whole || len(f.Problems) > 2 {
			t.Errorf("cut off at %d: %d functions, problems %v", i, len(f.Functions), f.Problems)
		}
	}
}

func TestPassesOverAnAttributeThatAMacroStandsFor(t *testing.T) {
	f := Parse("-?protocol_type(amqp_table()).\n-?GENERATED.\nf() -> g().\n")
	if len(f.Problems) > 0 || len(f.Functions) != 1 {
		t.Errorf("problems %v, %d functions", f.Problems, len(f.Functions))
	}
}
