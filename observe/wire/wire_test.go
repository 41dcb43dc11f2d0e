package wire

import (
	"encoding/json"
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
