package elixir

import "testing"

func TestKeywordsAreFoundAsPairsAndAsTuples(t *testing.T) {
	list := parse(t, `[{:name, A}, :flag, {"a", 1}, {:a, 1, 2}, f(), strategy: :one_for_one, "max children": 5, name: B]`).Body.Exprs[0]
	var keys []string
	for _, p := range Keywords(list) {
		keys = append(keys, p.Key.(*Atom).Name)
	}
	want := []string{"name", "strategy", "max children", "name"}
	if len(keys) != len(want) {
		t.Fatalf("keys %q", keys)
	}
	for i := range want {
		if keys[i] != want[i] {
			t.Errorf("key %d is %q", i, keys[i])
		}
	}
	name, ok := Lookup(list, "name")
	if alias, isAlias := name.(*Alias); !ok || !isAlias || alias.Name != "A" {
		t.Errorf("name is %+v: the first of two counts", name)
	}
	if _, ok := Lookup(list, "absent"); ok {
		t.Error("found what is not there")
	}
	if Keywords(parse(t, "{:a, 1}").Body.Exprs[0]) != nil {
		t.Error("a tuple has keywords")
	}
}
