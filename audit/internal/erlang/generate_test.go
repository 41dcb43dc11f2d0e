package erlang

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A generator writes expressions at random, all of them ones that Erlang's parser accepts.
type generator struct {
	*rand.Rand
	depth int
}

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) list(n int) string {
	parts := make([]string, g.IntN(n+1))
	for i := range parts {
		parts[i] = g.expr()
	}
	return strings.Join(parts, g.pick(",", ", ", " ,\n  "))
}

func (g *generator) literal() string {
	return g.pick("a", "'b c'", "X", "_Y", "1", "16#fF", "1_0", "1.5e3", "$a", `$\n`, `$\\`, "$ ", `"s"`, `"a\"" "b"`, "[]", "{}", "#{}", "<<>>", "<<1:8/big, X/binary>>",
		"?M", "?M:f()", "?M(1, {X})", "fun f/1", "fun m:f/1", "#r.a", "<<\"x\"/utf8>>", "'\\''", "\"é\"")
}

func (g *generator) operator() string {
	return g.pick("+", "-", "*", "/", "div", "rem", "band", "bor", "bsl", "++", "--", "andalso", "orelse", "and", "or", "xor", "!", "=:=", "=/=")
}

func (g *generator) expr() string {
	if g.depth--; g.depth < 0 {
		return g.literal()
	}
	e := g.expr
	switch g.IntN(20) {
	case 0:
		return fmt.Sprintf("{%s}", g.list(3))
	case 1:
		return fmt.Sprintf("[%s | %s]", e(), e())
	case 2:
		return fmt.Sprintf("#{%s => %s, %s => %s}", e(), e(), e(), e())
	case 3:
		return fmt.Sprintf("(%s)#r{a = %s, b = %s}", e(), e(), e())
	case 4:
		return fmt.Sprintf("%s(%s)", g.pick("f", "'G'", "m:f", "M:f", "m:F", "?MODULE:f", "F"), g.list(3))
	case 5:
		return fmt.Sprintf("(%s) %s (%s)", e(), g.operator(), e())
	case 6:
		return fmt.Sprintf("%s %s", g.pick("-", "not", "bnot", "+"), g.literal())
	case 7:
		return fmt.Sprintf("case %s of {X, _} when X > 1; is_atom(X), true -> %s; _ -> %s end", e(), e(), e())
	case 8:
		return fmt.Sprintf("if X, Y -> %s; true -> %s end", e(), e())
	case 9:
		return fmt.Sprintf("begin %s, %s end", e(), e())
	case 10:
		return fmt.Sprintf("try %s of _ -> %s catch error:X:S -> %s; Y -> %s after %s end", e(), e(), e(), e(), e())
	case 11:
		return fmt.Sprintf("receive {a, X} -> %s after %s -> %s end", e(), e(), e())
	case 12:
		return fmt.Sprintf("fun (X, 1) when X -> %s; (_, _) -> %s end", e(), e())
	case 13:
		return fmt.Sprintf("fun F(X) -> %s end", e())
	case 14:
		return fmt.Sprintf("[%s || X <- %s, <<Y>> <= %s, %s]", e(), e(), e(), e())
	case 15:
		return fmt.Sprintf("<< <<(%s):8>> || X <- %s >>", e(), e())
	case 16:
		return fmt.Sprintf("catch %s", e())
	case 17:
		return fmt.Sprintf("X = %s", e())
	case 18:
		return fmt.Sprintf("(%s)#{a := %s}", e(), e())
	}
	return g.literal()
}

func TestReadsGeneratedCodeLikeErlangDoes(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(2, 5))}
	var src strings.Builder
	src.WriteString("-module(generated).\n\n")
	const functions = 3000
	for i := range functions {
		g.depth = g.IntN(12)
		fmt.Fprintf(&src, "f%d(A, {B}) when A > B -> %% it's a \"comment\n    %s;\nf%d(_, _) -> %s.\n", i, g.expr(), i, g.expr())
	}
	file := filepath.Join(t.TempDir(), "generated.erl")
	if err := os.WriteFile(file, []byte(src.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	compared, calls, unread := compare(t, []string{file})
	t.Logf("%d functions with %d calls", compared, calls)
	if compared < functions*8/10 {
		t.Errorf("Erlang accepts only %d of %d functions: the generator writes what is none", compared, functions)
	}
	if unread > functions-compared {
		t.Errorf("%d forms not read, where Erlang leaves %d", unread, functions-compared)
	}
}
