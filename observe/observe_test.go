package observe

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestEveryAnswerConformsToTheOpenAPIFile(t *testing.T) {
	b := setup(t, AllowChanges())
	b.fillJobs(3)
	for range 2 {
		if _, err := b.users.At("bob").Go(t.Context(), untilStopped); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.jobs.MaxChildren().Cap("memory", 3, "it is short"); err != nil {
		t.Fatal(err)
	}
	_, _ = b.jobs.Go(t.Context(), untilStopped)
	b.page.watch.look(time.Now())
	children := get[wire.ChildPage](b, "api/v1/children?path=app/users", nil)
	set := get[wire.Entry](b, "api/v1/limits", limitTo("max_children", 7))
	requests := map[string]any{
		"limits/preview": limitTo("max_children", 2),
		"limits":         limitTo("max_per_key", 2),
		"limits/undo":    wire.UndoRequest{Entry: set.ID},
		"terminate":      wire.TerminateRequest{Path: "app/users", Key: "bob"},
	}
	queries := map[string]string{"stack": "?path=" + children.Children[0].Path + "&id=1"}

	var file object
	if err := json.Unmarshal(openAPI, &file); err != nil {
		t.Fatal(err)
	}
	schemas := file["components"].(object)["schemas"].(object)
	order := slices.Clone(operations)
	slices.SortStableFunc(order, func(a, b operation) int { return strings.Compare(a.method, b.method) }) // reading first
	for _, o := range order {
		if o.stream {
			continue // it has a test of its own
		}
		query := "?path=app/users"
		if q, ok := queries[o.path]; ok {
			query = strings.Replace(q, "&id=1", "&id="+jsonID(children.Children[0].ID), 1)
		}
		var body any
		if o.request != nil {
			query, body = "", requests[o.path]
		}
		value := get[any](b, "api/v1/"+o.path+query, body)
		op := file["paths"].(object)["/"+o.path].(object)[strings.ToLower(o.method)].(object)
		schema := op["responses"].(object)["200"].(object)["content"].(object)["application/json"].(object)["schema"].(object)
		if err := conforms(schemas, schema, value, o.path); err != nil {
			t.Error(err)
		}
	}
}

func jsonID(id uint64) string {
	raw, _ := json.Marshal(struct {
		ID uint64 `json:"id,string"`
	}{id})
	return strings.Trim(string(raw), `{}"id:`)
}

func TestTheTreeShowsLimitsUseAndRefusals(t *testing.T) {
	b := setup(t)
	b.page.watch.look(time.Now()) // what was refused before is not of the last minute
	b.fillJobs(4)
	for range 3 {
		_, _ = b.jobs.Go(t.Context(), untilStopped)
	}
	_ = b.gate.Refuse()
	b.page.watch.look(time.Now())
	s := get[wire.Snapshot](b, "api/v1/tree", nil)
	r := s.Rows[1]
	if r.Path != "app/jobs" || r.Parent != "app" || r.Depth != 2 || r.Children != 4 || r.Limit != 4 || r.Status != wire.StatusRefusing || r.RefusedMinute != 4 {
		t.Errorf("the row is %+v", r)
	}
	if want := []wire.ReasonCount{{Reason: "max_children", Count: 3}, {Reason: "rate", Count: 1}}; !slices.Equal(r.RefusedBy, want) {
		t.Errorf("refused by %v, want %v", r.RefusedBy, want)
	}
	if s.Totals.Children != 4 || s.Totals.Limit != 54 || s.Totals.RefusedMinute != 4 || s.Totals.Problems != 1 || s.Totals.Supervisors != 3 {
		t.Errorf("the totals are %+v", s.Totals)
	}
}

func TestTheTreeShowsSupervisorsThatAreChildrenOfDynamicOnes(t *testing.T) {
	b := setup(t)
	rooms := headcount.NewDynamicSupervisor("rooms", headcount.MaxChildren(2))
	if _, err := b.users.At("a/b").StartChild(t.Context(), rooms); err != nil {
		t.Fatal(err)
	}
	b.page.watch.look(time.Now())
	rows := get[wire.Snapshot](b, "api/v1/tree", nil).Rows
	last := rows[len(rows)-1]
	if last.Name != "rooms" || last.Parent != "app/users" || last.Depth != 3 {
		t.Errorf("the last row is %+v", last)
	}
}

func TestChildrenComeInPagesAndFiltered(t *testing.T) {
	b := setup(t)
	for i := range 25 {
		if _, err := b.users.At("user"+string(rune('a'+i))).Go(t.Context(), untilStopped); err != nil {
			t.Fatal(err)
		}
	}
	met := map[uint64]bool{}
	for after := "0"; ; {
		page := get[wire.ChildPage](b, "api/v1/children?path=app/users&limit=10&after="+after, nil)
		for _, c := range page.Children {
			met[c.ID] = true
		}
		if page.Next == 0 {
			break
		}
		after = jsonID(page.Next)
	}
	if len(met) != 25 {
		t.Errorf("met %d children, want 25", len(met))
	}
	if page := get[wire.ChildPage](b, "api/v1/children?path=app/users&filter=USERC+state:running", nil); len(page.Children) != 1 || page.Children[0].Key != "userc" {
		t.Errorf("the filter finds %+v", page.Children)
	}
	if page := get[wire.ChildPage](b, "api/v1/children?path=app/users&filter=state:stuck", nil); len(page.Children) != 0 {
		t.Errorf("stuck are %+v", page.Children)
	}
	if page := get[wire.ChildPage](b, "api/v1/children?path=app", nil); len(page.Children) != 1 || page.Children[0].Name != "store" {
		t.Errorf("the declared children are %+v", page.Children)
	}
	b.refused("api/v1/children?path=app/users&limit=1001", nil, 400, "invalid")
	b.refused("api/v1/children?path=app/nobody", nil, 404, "not-found")
	b.refused("api/v1/children", nil, 400, "invalid")
}

func TestTopKeysAreThoseThatHoldMost(t *testing.T) {
	b := setup(t)
	for _, key := range []string{"bob", "bob", "bob", "eve"} {
		if _, err := b.users.At(key).Go(t.Context(), untilStopped); err != nil {
			t.Fatal(err)
		}
	}
	if top := get[wire.TopKeys](b, "api/v1/keys?path=app/users", nil); !slices.Equal(top.Keys, []wire.KeyCount{{Key: "bob", Count: 3}, {Key: "eve", Count: 1}}) {
		t.Errorf("the top keys are %v", top.Keys)
	}
	b.refused("api/v1/keys?path=app/jobs", nil, 400, "invalid")
}

func TestATreeIsShownBeforeItsStartAndAfterItsStop(t *testing.T) {
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4))
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()}, jobs)
	page := NewHandler("page", app, Logger(quiet()))
	b := &bundle{t: t}
	b.start(page.Supervisor())
	look := func() wire.Snapshot {
		t.Helper()
		page.watch.look(time.Now())
		s := page.snapshot()
		if len(s.Rows) != 2 {
			t.Fatalf("the rows are %+v", s.Rows)
		}
		return s
	}
	if s := look(); s.Rows[0].Status != wire.StatusDown || !s.Since.IsZero() {
		t.Errorf("before the start: %+v", s)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := look(); s.Rows[1].Path != "app/jobs" || s.Rows[1].Parent != "app" || s.Rows[1].Status != wire.StatusOK || s.Since.IsZero() {
		t.Errorf("after the start: %+v", s)
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := look(); s.Rows[1].Status != wire.StatusDown {
		t.Errorf("after the stop: %+v", s)
	}
}

func TestAPageThatIsNotStartedSaysSo(t *testing.T) {
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{})
	w := httptest.NewRecorder()
	NewHandler("page", app).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/tree", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "not-running") {
		t.Errorf("it answers %d %s", w.Code, w.Body)
	}
}

func TestUnknownAddressesAndMethodsAreProblems(t *testing.T) {
	b := setup(t)
	b.refused("api/v1/nothing", nil, 404, "not-found")
	b.refused("nothing", nil, 404, "not-found")
	b.refused("api/v1/tree", "{}", 405, "method")
}

func TestWhatIsWrongWithARequestIsToldWithFieldAndValue(t *testing.T) {
	b := setup(t, AllowChanges())
	past := limitTo("max_children", 9)
	past.Expires = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		path  string
		body  any
		field string
		value string
	}{
		{"api/v1/keys?path=app/users&limit=5000", nil, "limit", `"5000"`},
		{"api/v1/children?path=app/jobs&after=x", nil, "after", `"x"`},
		{"api/v1/limits", limitTo("max_children", -7), "value", "-7"},
		{"api/v1/limits", past, "expires", "2020-01-02T03:04:05Z"},
	} {
		if p := b.refused(c.path, c.body, http.StatusBadRequest, "invalid"); p.Field != c.field || !strings.HasPrefix(p.Detail, c.value+" ") {
			t.Errorf("%s: field %q, detail %q", c.path, p.Field, p.Detail)
		}
	}
}
