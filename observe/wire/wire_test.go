package wire

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestALimitIsANumberOrAWord(t *testing.T) {
	for text, want := range map[string]Value{"50": 50, "0": 0, `"unlimited"`: Unlimited} {
		var v Value
		if err := json.Unmarshal([]byte(text), &v); err != nil || v != want {
			t.Errorf("%s is %v, error %v", text, v, err)
		}
		if back, err := json.Marshal(v); err != nil || string(back) != text {
			t.Errorf("%v is written as %s, error %v", v, back, err)
		}
	}
	for _, text := range []string{`"many"`, "1.5", "{}"} {
		var v Value
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s is read as %v", text, v)
		}
	}
}

func TestAFilterFindsRowsByPathAndState(t *testing.T) {
	full := Row{Path: "shop/carts", State: "running", Status: StatusFull, Limit: 5}
	near := Row{Path: "shop/Users", State: "running", Status: StatusNear, Limit: 5}
	stuck := Row{Path: "shop/jobs", State: "stopping", Status: StatusStuck, Limit: Unlimited}
	for filter, want := range map[string][3]bool{
		"":                  {true, true, true},
		"users":             {false, true, false},
		"SHOP":              {true, true, true},
		"shop carts":        {true, false, false},
		"state:full":        {true, false, false},
		"state:near-limit":  {false, true, false},
		"state:problem":     {false, false, true},
		"state:stopping":    {false, false, true},
		"unlimited":         {false, false, true},
		"state:full users":  {false, false, false},
		"state:never heard": {false, false, false},
	} {
		if got := [3]bool{full.Matches(filter), near.Matches(filter), stuck.Matches(filter)}; got != want {
			t.Errorf("%q matches %v, want %v", filter, got, want)
		}
	}
}

func TestEveryStatusHasARankAndAShape(t *testing.T) {
	for i, s := range Statuses() {
		if s.Rank() != i || s.Shape() == "" || s.Class() == "" {
			t.Errorf("%s: rank %d, shape %q, class %q", s, s.Rank(), s.Shape(), s.Class())
		}
	}
	if s := Status("new in a later version"); s.Rank() != 0 || s.Problem() || s.Shape() == "" {
		t.Errorf("a status that is not known has rank %d", s.Rank())
	}
}

func TestADeltaGivesTheNextSnapshotAndLeavesTheOldOne(t *testing.T) {
	old := &Snapshot{ID: "a-1", Root: "shop", Changes: true, Rows: []Row{{Path: "shop"}, {Path: "shop/a", Index: 1, Children: 1}, {Path: "shop/b", Index: 2}}, Events: []Event{{ID: 1}}}
	next := old.After(&Delta{
		ID: "a-2", Totals: Totals{Children: 9}, Gone: []string{"shop/b"}, Events: []Event{{ID: 2}},
		Rows: []Row{{Path: "shop/c", Index: 1}, {Path: "shop/a", Index: 2, Children: 5}},
	})
	if next.ID != "a-2" || next.Root != "shop" || !next.Changes || next.Totals.Children != 9 || len(next.Events) != 2 {
		t.Errorf("the next snapshot is %+v", next)
	}
	var paths []string
	for _, r := range next.Rows {
		paths = append(paths, r.Path)
	}
	if want := []string{"shop", "shop/c", "shop/a"}; !slices.Equal(paths, want) || next.Rows[2].Children != 5 {
		t.Errorf("the rows are %v, want %v", paths, want)
	}
	if len(old.Rows) != 3 || old.Rows[1].Children != 1 || len(old.Events) != 1 {
		t.Errorf("the old snapshot is %+v by now", old)
	}
	many := &Delta{Events: make([]Event, KeptEvents)}
	if n := len(next.After(many).Events); n != KeptEvents {
		t.Errorf("%d events are kept, want %d", n, KeptEvents)
	}
}

func TestABudgetOfRestartsIsSharedWhereSomeOfItIsUsed(t *testing.T) {
	for _, c := range []struct {
		row  Row
		want bool
	}{
		{Row{Kind: "supervisor"}, true}, {Row{Kind: "dynamic_supervisor"}, false}, {Row{Kind: "dynamic_supervisor", RestartsUsed: 1}, true},
	} {
		if got := c.row.SharesBudget(); got != c.want {
			t.Errorf("of %s with %d used: %v", c.row.Kind, c.row.RestartsUsed, got)
		}
	}
}
