package comment

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each comment that must be found has the text yes, all others no.
const (
	goSource = `package p // yes

/* // no */ // yes
// yes
var a, b, c = "// no", '"', ` + "`" + `
// no
` + "`" + ` // yes
func f() {} // yes
`
	elixirSource = `# yes
a = "# no" # yes
b = '# no \' # no' ## yes
c = ?# # yes
d = ?\# # yes
e = ~r/# no/ # yes
f = ~s(# no) # yes
g = ~w[# no]a # yes
@doc """
# no
"""
h = empty?(x) # yes
i = ~S"""
# no
""" 
j = """
  # no
  """ <> "x"
k = "a \" # no" # yes
l = x? # yes
m = a ~> b # yes
`
	erlangSource = `% yes
f() -> "% no", '% no', $%, $\%, $", X. %% yes
g() -> "a \" % no". %%% yes
`
)

func TestCommentsAreToldFromStrings(t *testing.T) {
	for name, c := range map[string]struct {
		find func([]byte) []Comment
		src  string
	}{"Go": {Go, goSource}, "Elixir": {Elixir, elixirSource}, "Erlang": {Erlang, erlangSource}} {
		t.Run(name, func(t *testing.T) {
			found := map[int]bool{}
			for _, c := range c.find([]byte(c.src)) {
				found[c.Line] = true
				if c.Text != "yes" {
					t.Errorf("line %d: %q is no comment", c.Line, c.Text)
				}
			}
			for i, line := range strings.Split(c.src, "\n") {
				if want := strings.HasSuffix(line, "yes"); want != found[i+1] {
					t.Errorf("line %d: found %v, want %v: %s", i+1, found[i+1], want, line)
				}
			}
		})
	}
}

func TestACommentKnowsWhetherItIsAlone(t *testing.T) {
	for name, comments := range map[string][]Comment{
		"Go":     Go([]byte("package p\n\tvar x = 1 // a\n\t// b\n")),
		"Elixir": Elixir([]byte("\n  x = 1   # a\n\t# b\n")),
		"Erlang": Erlang([]byte("\nx() -> 1. % a\n\t% b\n")),
	} {
		if len(comments) != 2 || comments[0].Alone || !comments[1].Alone || comments[0].Line != 2 || comments[1].Line != 3 || comments[1].Column != 2 {
			t.Errorf("%s: %+v", name, comments)
		}
	}
}

func FuzzComments(f *testing.F) {
	f.Add([]byte(goSource))
	f.Add([]byte(elixirSource))
	f.Add([]byte(erlangSource))
	f.Add([]byte("~\n?\n$\\\n\"\\"))
	f.Fuzz(func(t *testing.T, src []byte) {
		lines := strings.SplitAfter(string(src), "\n")
		for _, find := range []func([]byte) []Comment{Elixir, Erlang} {
			for _, c := range find(src) {
				if c.Line < 1 || c.Line > len(lines) || c.Column < 1 || c.Column > len(lines[c.Line-1]) || strings.Contains(c.Text, "\n") {
					t.Errorf("%+v is not in the source", c)
				}
			}
		}
		for _, c := range Go(src) {
			if c.Line < 1 || c.Line > len(lines) {
				t.Errorf("%+v is not in the source", c)
			}
		}
	})
}
