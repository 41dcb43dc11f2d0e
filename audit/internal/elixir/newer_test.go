package elixir

import "testing"

// Elixir 1.14, which the reader is compared with, does not know these.
func TestSigilsWithNamesOfSeveralLettersAreRead(t *testing.T) {
	f := parse(t, "~HEEX\"\"\"\n<a href={@b}>\n\"\"\"x\n~SQL[select 1]\n~D2(x)\n")
	want := []Sigil{
		{Name: "HEEX", Text: "<a href={@b}>\n", Modifiers: "x"},
		{Name: "SQL", Text: "select 1"},
		{Name: "D2", Text: "x"},
	}
	if len(f.Body.Exprs) != len(want) {
		t.Fatalf("%d expressions", len(f.Body.Exprs))
	}
	for i, e := range f.Body.Exprs {
		got, ok := e.(*Sigil)
		if !ok || got.Name != want[i].Name || got.Text != want[i].Text || got.Modifiers != want[i].Modifiers {
			t.Errorf("%d: %+v", i, e)
		}
	}
}

func TestByteOrderMarkIsSkipped(t *testing.T) {
	f := parse(t, "\uFEFFa")
	if id, ok := f.Body.Exprs[0].(*Ident); !ok || id.Name != "a" || id.Column != 1 {
		t.Errorf("%+v", f.Body.Exprs[0])
	}
}
