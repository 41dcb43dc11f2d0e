package elixir

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A generator writes Elixir that is valid but for rare combinations, from every shape that the grammar has. The same seed gives
// the same source.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 5))}
}

func (g *generator) pick(words ...string) string { return words[g.IntN(len(words))] }

func (g *generator) name() string {
	return g.pick("a", "b", "user", "state", "_ignored", "valid?", "fetch!", "__MODULE__", "naïve", "x1", "opts")
}

func (g *generator) module() string {
	return g.pick("Foo", "Foo.Bar", "Task.Supervisor", "A1.B", "__MODULE__.Sub")
}

// file is a source of n statements.
func (g *generator) file(n int) string {
	return g.statements(n, 3)
}

func (g *generator) statements(n, depth int) string {
	var out strings.Builder
	for range n {
		out.WriteString(g.statement(depth))
		out.WriteString(g.pick("\n", "\n", "\n\n", " # why\n", "\n  # a \"comment\" do\n", "; ", "\r\n"))
	}
	return out.String()
}

// operand is an expression that may stand anywhere: it needs no parentheses and has no do-block.
func (g *generator) operand(depth int) string {
	if depth <= 0 {
		return g.simple()
	}
	switch g.IntN(16) {
	case 0, 1:
		return g.operand(depth-1) + g.infix() + g.operand(depth-1)
	case 2:
		return g.pick("not ", "!", "-", "+", "^", "~~~ ", "@", "& ", "- ") + g.simple()
	case 3:
		return g.name() + g.arguments(depth)
	case 4:
		return g.module() + g.pick(".", ".", "\n.") + g.pick("start_link", "new", "+", "in", "\"a name\"", "end") + g.arguments(depth)
	case 5:
		return g.pick("fun", "state.fun", "&1", "f(x)") + "." + g.arguments(depth)
	case 6:
		return g.name() + g.pick("[", ".field[", "(x)[") + g.operand(depth-1) + "]"
	case 7:
		return "[" + g.list(depth, "", true) + "]"
	case 8:
		return "{" + g.list(depth, "", false) + "}"
	case 9:
		return g.mapping(depth)
	case 10:
		return "<<" + g.pick("a", "a::8", "rest::binary-size(n)", "\"x\", b::utf8", g.operand(0)+"::"+g.simpleName()) + " >>"
	case 11:
		return g.lambda(depth)
	case 12:
		return g.text(depth)
	case 13:
		return "(" + g.operand(depth-1) + g.pick(")", "\n)", "; "+g.operand(depth-1)+")")
	case 14:
		return g.pick("a..b//c", "1..10", "1..n//-1", "(x -> y)", "(-> z)", "((a, b -> c))", "&Foo.bar/1", "&+/2", "&&/2", "&and/2", "& &1.name", "..", "&(&1 + &2)")
	}
	return g.simple()
}

func (g *generator) simpleName() string { return g.pick("a", "b", "c") }

func (g *generator) infix() string {
	op := g.pick("+", "-", "*", "/", "**", "++", "--", "+++", "---", "<>", "in", "not in", "|>", "<<<", ">>>", "<<~", "~>>", "<~",
		"~>", "<~>", "<|>", "^^^", "==", "!=", "=~", "===", "!==", "<", ">", "<=", ">=", "&&", "&&&", "and", "||", "|||", "or", "=",
		"::", "when", "<-", `\\`, "|", "..")
	if g.IntN(6) == 0 {
		if op != "+" && op != "-" {
			return "\n  " + op + " "
		}
		return " " + op + "\n  "
	}
	return " " + op + " "
}

func (g *generator) simple() string {
	switch g.IntN(9) {
	case 0:
		return g.pick("1", "1_000", "0xFF_0a", "0b101", "0o17", "1.5", "1.0e-3", "123_456_789_012_345_678_901", "?a", `?\n`, `?"`, "?é", `?\\`, "?#", "?(")
	case 1:
		return g.pick(":a", ":valid?", `:"a b"`, ":+", ":<<>>", ":%{}", ":{}", ":..", ":a@b", ":é", "true", "false", "nil", ":&&", ":'q'", `:"a#{b}"`)
	case 2:
		return g.module()
	case 3:
		return g.pick(`"text"`, `""`, `'list'`, `"é\n\t\"\x41\u00e9\u{1F600}"`, `"\#{not}"`, `"a#{b}c#{"d#{e}"}"`, "'a#{b}'", "\"two\nlines\"", `"# no"`)
	case 4:
		return g.pick("[]", "{}", "%{}", "<<>>", "%Foo{}", "%Foo.Bar{a: 1}", "f()", "Foo.f()", "state.field", "@attr", "a.b.c", "@attr[:a]", "@a.b")
	case 5:
		return g.sigil()
	}
	return g.name()
}

func (g *generator) sigil() string {
	open := g.IntN(8)
	d := delimiters[open*2 : open*2+2]
	body := g.pick("", "a b", `a\`+d[1:]+" b", "a\nb", `\\`, `\n\s`)
	name := g.pick("s", "w", "r", "S", "W", "D")
	if isLower(name[0]) {
		body += g.pick("", "#{x}", "#{f(\"}\")}")
	}
	return "~" + name + d[:1] + body + d[1:] + g.pick("", "", "a", "ui")
}

// text is a heredoc.
func (g *generator) text(depth int) string {
	indent := g.pick("", "  ", "\t")
	body := indent + g.pick("text", "\"\" ''", "# no comment", `a \" b`, "", `go \`) + "\n" + indent + "  " + g.pick("more", "#{"+g.operand(depth-1)+"}", `\"""`) + "\n"
	q := g.pick(`"""`, "'''")
	return g.pick("", "", "~s", "~S") + q + "\n" + body + indent + q
}

func (g *generator) key() string {
	return g.pick("a: ", "max_children: ", "valid?: ", "do: ", "if: ", "nil: ", "Foo: ", `"a b": `, "+: ", "<>: ", "%{}: ", "{}: ", "a:\n ", `"a#{b}": `, "é: ", "'q': ")
}

func (g *generator) keywords(depth int) string {
	var pairs []string
	for range 1 + g.IntN(3) {
		pairs = append(pairs, g.key()+g.operand(depth-1))
	}
	return strings.Join(pairs, g.pick(", ", ",\n  "))
}

// list is what stands between brackets, up to end.
func (g *generator) list(depth int, end string, keywordsAlone bool) string {
	var items []string
	for range g.IntN(4) {
		items = append(items, g.operand(depth-1))
	}
	if (len(items) > 0 || keywordsAlone) && g.IntN(3) == 0 {
		items = append(items, g.keywords(depth))
	}
	s := strings.Join(items, g.pick(", ", ",\n  "))
	if s != "" && g.IntN(5) == 0 {
		return "\n" + s + "\n" + end
	}
	return s + end
}

func (g *generator) arguments(depth int) string { return "(" + g.list(depth, ")", true) }

func (g *generator) mapping(depth int) string {
	name := g.pick("", "", "Foo.Bar", "name", "^x", "__MODULE__", "@type", "unquote(m)")
	update := g.pick("", "", "", "state | ", "f(x).y | ")
	pair := fmt.Sprintf("%s => %s", g.operand(0), g.operand(depth-1))
	return "%" + name + "{" + update + g.pick(pair, g.keywords(depth), pair+", "+g.keywords(depth), pair+",\n "+pair+",") + "}"
}

func (g *generator) lambda(depth int) string {
	head := g.pick("", "x ", "x, y ", "() ", "(x, y) ", "x when x > 1 ", "(x, y) when x ", "{:ok, x}, _ when x and y ", "(a: b) ", "x, a: b ")
	clause := head + "-> " + g.operand(depth-1)
	return "fn " + clause + g.pick("", "\n "+clause, "\n "+g.operand(0)+"\n "+clause, "\n") + " end"
}

// slip changes a few characters of a source.
func (g *generator) slip(src string) string {
	runes := []rune(src)
	for range 1 + g.IntN(3) {
		at := g.IntN(len(runes))
		switch g.IntN(4) {
		case 0:
			runes = slices.Delete(runes, at, at+1)
		case 1:
			runes = slices.Insert(runes, at, runes[g.IntN(len(runes))])
		case 2:
			runes = slices.Insert(runes, at, []rune(g.pick(" ", "\n", "-", "+", ".", ":", "(", ")", "[", "{", ",", "do", "end", "\"", "#", "@", "&", "!", "/", "~", "?", "=", "<", ">", "|", ";", "\\"))...)
		default:
			other := g.IntN(len(runes))
			runes[at], runes[other] = runes[other], runes[at]
		}
	}
	slipped := string(runes)
	if strings.Contains(slipped, "?\\\n") || strings.Contains(slipped, "?\n") {
		// Elixir 1.14 counts no line where a line's end is a character.
		return src
	}
	return slipped
}
