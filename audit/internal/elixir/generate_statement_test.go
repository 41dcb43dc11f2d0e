package elixir

import "strings"

// statement is a line of a block: it may be a call without parentheses, or have a do-block.
func (g *generator) statement(depth int) string {
	if depth <= 0 {
		return g.operand(1)
	}
	switch g.IntN(14) {
	case 0:
		return g.pick("x", "{:ok, x}", "%{a: x}", "[h | t]") + " = " + g.operand(depth)
	case 1:
		return g.pick("f ", "Foo.f ", "a.b ", "return! ", "f -", "use ", "import ") + g.openArguments(depth)
	case 2:
		return g.pick("", "x = ", "@attr ", "a |> f() |> ", "not ") + g.blockCall(depth)
	case 3:
		return g.definition(depth)
	case 4:
		return "@" + g.pick("attr ", "doc ", "moduledoc ") + g.operand(depth)
	case 5:
		return g.pick("@spec f(a, b: c) :: d when a: term, b: e", "@type t :: %{required(a) => b | c, optional(d) => e}",
			"@callback f(integer) :: (a, b -> c) | (-> d)", "alias Foo.{A, B.C, D}", "alias __MODULE__.{A}", "@spec a + b :: c")
	case 6:
		return g.operand(depth) + "\n|> f(" + g.operand(1) + ")\n# between\n|> Foo.g(a: 1)\n  |> case do\n x -> y\n end"
	case 7:
		return "f " + g.operand(1) + ", " + g.lambda(depth) + g.pick("", ", a: 1")
	case 8:
		return g.pick("f", "Foo.f", "f.") + g.arguments(depth) + " do\n" + g.statements(1, depth-1) + "end"
	case 9:
		return g.pick("f a, g b", "f g h 1", "f g a, b", "f a: g b", "x = f a, b", "a + f b", "f(g a, b)", "f(a, g b)", "f [1]", "f (a)", "f -1", "f - 1",
			"f -1, a", "a.f -x", "f !a", "f &g/1", "f @x", "f %{}", "f {a}", "f <<1>>", "@x f 1", "f %A{}, b", "f ~s(a)", "f ?a", "f not a", "f ^a", "f fn -> 1 end",
			"f a do\n b\nend |> g c", "f a, b do\n c\nend", "f do: 1", "f a,\n  b: 1,\n  c: 2", "f(1)(2)", "f.(1).(2)", "f().g().h", "a.b.c d, e",
			"f x when x: 1, y: 2", "if a, do: b, else: c", "unquote(f)(a)", "x.unquote(f)(a)", "unquote_splicing(a)", "f unquote_splicing(a)", "f(unquote_splicing(a))")
	}
	return g.operand(depth)
}

func (g *generator) openArguments(depth int) string {
	args := []string{g.operand(depth - 1)}
	for range g.IntN(3) {
		args = append(args, g.operand(depth-1))
	}
	if g.IntN(3) == 0 {
		args = append(args, g.keywords(depth))
	}
	return strings.Join(args, g.pick(", ", ",\n    "))
}

func (g *generator) clauses(depth int) string {
	var out strings.Builder
	for range 1 + g.IntN(3) {
		out.WriteString(g.pick("x", "{:ok, x}", "_", "%{a: b} when a > b", "a, b", "x when x in [1] and y", "(a, b) when c", "nil", `"s" <> t`))
		out.WriteString(g.pick(" -> ", " ->\n  "))
		out.WriteString(g.statements(1+g.IntN(2), depth-1))
		out.WriteString("\n")
	}
	return out.String()
}

func (g *generator) blockCall(depth int) string {
	body := g.statements(g.IntN(3), depth-1)
	switch g.IntN(8) {
	case 0:
		return "if " + g.operand(depth-1) + " do\n" + body + g.pick("", "else\n"+g.statements(1, depth-1)) + "end"
	case 1:
		return "case " + g.operand(depth-1) + " do\n" + g.clauses(depth) + "end"
	case 2:
		return "cond do\n" + g.clauses(depth) + "end"
	case 3:
		return "with {:ok, a} <- " + g.operand(1) + ",\n b = " + g.operand(1) + ",\n true <- c do\n" + body + "else\n" + g.clauses(depth) + "end"
	case 4:
		return "for x <- " + g.operand(1) + ", y <- z, x > y, into: %{} do\n" + body + "end"
	case 5:
		return "try do\n" + body + "rescue\n e in [A, B] -> e\ncatch\n :exit, r -> r\n" + g.pick("else\n"+g.clauses(depth), "") + "after\n" + g.statements(1, depth-1) + "end"
	case 6:
		return "receive do\n" + g.clauses(depth) + "after\n 5_000 -> :late\nend"
	}
	return "quote do\n" + body + "end"
}

func (g *generator) definition(depth int) string {
	name := g.pick("def ", "defp ", "defmacro ", "test ")
	head := g.pick("f", "f(a)", "f(a, b \\\\ nil)", "f(%{a: b} = c) when is_map(c) and b != 1", "a + b", "unquote(name)(a)", "valid?(x)", `"a test", %{a: b}`)
	if g.IntN(3) == 0 && head != `"a test", %{a: b}` {
		return name + head + ", do: " + g.operand(depth)
	}
	return name + head + " do\n" + g.statements(1+g.IntN(3), depth-1) + g.pick("", "", "rescue\n e -> e\n") + "end"
}
