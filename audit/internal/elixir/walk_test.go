package elixir

import (
	"fmt"
	"reflect"
	"testing"
)

func TestWalkVisitsEveryPartInTheOrderOfTheSource(t *testing.T) {
	f := parse(t, `
a1 = "#{a2}" <> 'x#{a3}' <> ~s(#{a4}) <> :"x#{a5}"
a6.f(a7, [a8, k: a9], {a10}, %{a11 | a12 => a13}, %a14{k: a15}, <<a16::a17>>, a18[a19])
g a20 do
  a21
rescue
  a22 when a23 -> a24
after
  a25
end
fn a26, a27 when a28 -> a29; a30 end
@a31
-a32
a33.Sub.f(["k#{a34}": a35])
(a36 -> a37)
`)
	var got []string
	Walk(f.Body, func(n Node) bool {
		if id, ok := n.(*Ident); ok {
			got = append(got, id.Name)
		}
		return true
	})
	for i, name := range got {
		if want := fmt.Sprintf("a%d", i+1); name != want {
			t.Fatalf("%d: %s, want %s in %q", i, name, want, got)
		}
	}
	if len(got) != 37 {
		t.Errorf("%d of 37 names: %q", len(got), got)
	}
}

func TestWalkLeavesOutWhatTheFunctionDeclines(t *testing.T) {
	f := parse(t, "f(a, g(b), c)")
	var got []string
	Walk(f.Body, func(n Node) bool {
		if id, ok := n.(*Ident); ok {
			got = append(got, id.Name)
		}
		call, ok := n.(*Call)
		return !ok || call.Name != "g"
	})
	if want := []string{"a", "c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}
