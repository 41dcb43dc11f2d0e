package elixir

import (
	"bytes"
	"os"
	"reflect"
	"testing"
)

// FuzzParse shows that no input makes the reader panic or hang, that what it reads can be walked and lies within the source, and
// that it says the same twice.
func FuzzParse(f *testing.F) {
	for _, src := range []string{
		"", "x", "if a do\n b\nelse\n c\nend", "~S\"\"\"\n a\n \"\"\"", "\"a#{\"b#{c}\"}\": 1", "fn (a, b) when c -> d end",
		"%{m | a: 1}", "%A.B{c => d}", "<<a::8, \"b\">>", "foo.\"bar baz\"(1)", "&+/2", "a..b//c", "x not in y", "@spec a(b) :: c when b: d",
		"[a: 1, \"b c\": 2]", "?\\n", "0xFF_FF", "'\\x41\\u{1F600}'", "alias A.{B, C}", "f.(1)(2) do end", "a\n|> b()\n.c",
	} {
		f.Add([]byte(src))
	}
	for _, path := range elixirFiles(f, "testdata") {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := Parse("fuzz.ex", src)
		again, errAgain := Parse("fuzz.ex", src)
		if !reflect.DeepEqual(file, again) || !reflect.DeepEqual(err, errAgain) {
			t.Fatal("the second reading differs from the first")
		}
		lines := bytes.Split(bytes.TrimPrefix(src, []byte("\uFEFF")), []byte("\n"))
		if err != nil {
			checkPlace(t, err.(*SyntaxError).Pos, lines)
			return
		}
		Walk(file.Body, func(n Node) bool {
			if _, leaked := n.(*group); leaked {
				t.Fatal("a group is left in the tree")
			}
			checkPlace(t, n.Position(), lines)
			return true
		})
	})
}

func checkPlace(t *testing.T, at Pos, lines [][]byte) {
	t.Helper()
	if at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > len(lines[at.Line-1])+1 {
		t.Fatalf("line %d, column %d is not in the source", at.Line, at.Column)
	}
}
