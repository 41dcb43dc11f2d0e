package observe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

const secret = "a secret of the tests"

// A bundle is a small service and a page of it.
type bundle struct {
	t     *testing.T
	app   *headcount.Supervisor
	jobs  *headcount.DynamicSupervisor
	users *headcount.KeyedSupervisor[string]
	gate  *headcount.Gate
	page  *Handler
	url   string
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// setup starts a service and its page, mounted below /x/.
func setup(t *testing.T, opts ...Option) *bundle {
	t.Helper()
	b := &bundle{t: t, gate: headcount.NewGate("rate", 9, nil)}
	b.jobs = headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4, headcount.Ceiling(100)), headcount.Gates(b.gate))
	b.users = headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50), headcount.MaxPerKey(3))
	b.app = headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()},
		headcount.ChildSpec{Name: "store", Run: untilStopped}, b.jobs, b.users)
	b.page = NewHandler("page", b.app, append([]Option{Token("ann", secret), Logger(quiet())}, opts...)...)
	b.start(b.app)
	b.start(b.page.Supervisor())
	mux := http.NewServeMux()
	mux.Handle("/x/", http.StripPrefix("/x", b.page))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url = server.URL + "/x/"
	return b
}

func (b *bundle) start(s *headcount.Supervisor) {
	b.t.Helper()
	if err := s.Start(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			b.t.Error(err)
		}
	})
}

// fillJobs has n jobs run.
func (b *bundle) fillJobs(n int) {
	b.t.Helper()
	for range n {
		if _, err := b.jobs.Go(b.t.Context(), untilStopped); err != nil {
			b.t.Fatal(err)
		}
	}
}

// ask makes a request; body nil is a GET.
func (b *bundle) ask(path string, body any, change ...func(*http.Request)) (int, http.Header, string) {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.url+path, nil)
	if body != nil {
		text, isText := body.(string)
		if !isText {
			raw, err := json.Marshal(body)
			if err != nil {
				b.t.Fatal(err)
			}
			text = string(raw)
		}
		r, err = http.NewRequest("POST", b.url+path, strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	for _, f := range change {
		f(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// get asks for something that must succeed.
func get[T any](b *bundle, path string, body any) (v T) {
	b.t.Helper()
	status, _, text := b.ask(path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, status, text)
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.t.Fatalf("%s: %v in %s", path, err, text)
	}
	return v
}

// refused asks for something that must fail with this status and code.
func (b *bundle) refused(path string, body any, status int, code string, change ...func(*http.Request)) problem {
	b.t.Helper()
	got, head, text := b.ask(path, body, change...)
	var p problem
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		b.t.Fatalf("%s: %v in %s", path, err, text)
	}
	if got != status || p.Status != status || p.Code != code || p.Title == "" || p.Detail == "" || p.Type != "urn:headcount:problem:"+code {
		b.t.Errorf("%s: %d %s, want %d %s", path, got, text, status, code)
	}
	if kind := head.Get("Content-Type"); kind != "application/problem+json" {
		b.t.Errorf("%s: the problem is %s", path, kind)
	}
	return p
}

func limitTo(name string, n int) wire.LimitChange {
	v := wire.Value(n)
	path := "app/jobs"
	if name == "max_per_key" {
		path = "app/users"
	}
	return wire.LimitChange{Path: path, Limit: name, Value: &v, Why: "a test"}
}

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

func TestAnEventIsInASnapshotOrInADeltaAfterIt(t *testing.T) {
	b := setup(t)
	w := b.page.watch
	w.look(time.Now())
	w.hear(headcount.ChildStuck{Path: "app/jobs", Time: time.Now()}) // no delta has it yet
	s := w.now()
	w.look(time.Now())
	d, _, ok := w.since(s.ID)
	if !ok {
		t.Fatal("the snapshot cannot be followed")
	}
	times := 0
	for _, e := range slices.Concat(s.Events, d.Events) {
		if e.Type == "ChildStuck" {
			times++
		}
	}
	if times != 1 {
		t.Errorf("who follows is told %d times", times)
	}
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

func TestAChangeIsPreviewedMadeWrittenDownAndUndone(t *testing.T) {
	b := setup(t, AllowChanges())
	b.fillJobs(4)
	change := limitTo("max_children", 1)
	change.By = "mallory" // who has a token is known better
	v := get[wire.Preview](b, "api/v1/limits/preview", change)
	if v.From != 4 || v.To != 1 || v.Above != 3 || v.Children != 4 || len(v.Effects) == 0 {
		t.Errorf("the preview is %+v", v)
	}
	if b.jobs.MaxChildren().Value() != 4 {
		t.Error("the preview has changed the limit")
	}
	made := get[wire.Entry](b, "api/v1/limits", change)
	if made.From != 4 || made.To != 1 || made.By != "ann" || !made.Verified || made.Why != "a test" || !made.Undo {
		t.Errorf("the entry is %+v", made)
	}
	s := b.jobs.MaxChildren().Snapshot()
	if s.InForce != 1 || s.Setting.By != "ann" || s.Setting.Source != "api" || s.Setting.Why != "a test" {
		t.Errorf("the limit is %+v", s)
	}
	if undone := get[wire.Entry](b, "api/v1/limits/undo", wire.UndoRequest{Entry: made.ID}); undone.To != 4 || undone.Action != "undo" {
		t.Errorf("undone: %+v", undone)
	}
	if b.jobs.MaxChildren().Value() != 4 {
		t.Error("the undo has not changed the limit")
	}
	b.refused("api/v1/limits/undo", wire.UndoRequest{Entry: made.ID}, 409, "conflict")
	log := get[wire.AuditPage](b, "api/v1/audit?path=app", nil)
	if len(log.Entries) != 2 || log.Entries[1].ID != made.ID || log.Entries[1].Undo {
		t.Errorf("the log is %+v", log.Entries)
	}
}

func TestAnUndoDoesNotOverwriteALaterChange(t *testing.T) {
	b := setup(t, AllowChanges())
	made := get[wire.Entry](b, "api/v1/limits", limitTo("max_children", 9))
	if err := b.jobs.MaxChildren().Set(20, headcount.Change{Source: "file"}); err != nil {
		t.Fatal(err)
	}
	b.refused("api/v1/limits/undo", wire.UndoRequest{Entry: made.ID}, 409, "conflict")
	if n := b.jobs.MaxChildren().Value(); n != 20 {
		t.Errorf("the limit is %d, want 20", n)
	}
}

func TestAnExpiringChangeIsNotPutBackByAnUndo(t *testing.T) {
	b := setup(t, AllowChanges())
	forHour := limitTo("max_children", 9)
	forHour.Expires = time.Now().Add(time.Hour)
	get[wire.Entry](b, "api/v1/limits", forHour)
	made := get[wire.Entry](b, "api/v1/limits", limitTo("max_children", 12))
	b.refused("api/v1/limits/undo", wire.UndoRequest{Entry: made.ID}, 409, "conflict")
}

func TestChangesMadeElsewhereAreInTheLogToo(t *testing.T) {
	b := setup(t)
	if err := b.jobs.MaxChildren().Set(20, headcount.Change{Source: "file", By: "ops", Why: "more of them"}); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool {
		log := get[wire.AuditPage](b, "api/v1/audit", nil).Entries
		return len(log) == 1 && log[0].By == "ops" && log[0].From == 4 && log[0].To == 20 && !log[0].Undo
	})
}

func TestAChangeIsInTheLogOnceWhoeverMakesIt(t *testing.T) {
	b := setup(t, AllowChanges())
	get[wire.Entry](b, "api/v1/limits", limitTo("max_children", 9))
	// Another page of the same tree, or a command of the program's own.
	if err := b.jobs.MaxChildren().Set(20, headcount.Change{Source: "command", By: "bob"}); err != nil {
		t.Fatal(err)
	}
	b.refused("api/v1/limits", limitTo("max_children", -1), http.StatusBadRequest, "invalid")
	get[wire.Entry](b, "api/v1/limits", limitTo("max_children", 9))
	b.eventually(func() bool { return len(b.page.watch.eventsAt("app", 10)) >= 3 })
	var log []string
	for _, e := range get[wire.AuditPage](b, "api/v1/audit", nil).Entries {
		log = append(log, fmt.Sprint(e.Source, " ", e.To))
	}
	if len(log) != 3 || !slices.Contains(log, "command 20") {
		t.Errorf("the log has %q, want two changes of the page's and one of the command's", log)
	}
	b.page.audit.mu.Lock()
	defer b.page.audit.mu.Unlock()
	if n := len(b.page.audit.own); n != 0 {
		t.Errorf("%d changes are still waited for", n)
	}
}

func TestCapsDoNotPushChangesOutOfTheLog(t *testing.T) {
	b := setup(t, AllowChanges())
	made := get[wire.Entry](b, "api/v1/limits", limitTo("max_children", 9))
	for i := range 100 {
		if err := b.jobs.MaxChildren().Cap("memory", i%2, ""); err != nil {
			t.Fatal(err)
		}
	}
	b.eventually(func() bool { return len(get[wire.EventPage](b, "api/v1/log?path=app/jobs", nil).Events) == 100 })
	if log := get[wire.AuditPage](b, "api/v1/audit", nil).Entries; len(log) != 1 || log[0].ID != made.ID {
		t.Errorf("the log is %+v", log)
	}
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

func (b *bundle) eventually(holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("it does not come to hold within ten seconds")
		}
	}
}

func TestWrongChangesAreRefusedAndChangeNothing(t *testing.T) {
	b := setup(t, AllowChanges())
	expected := limitTo("max_children", 8)
	five := wire.Value(5)
	expected.Expected = &five
	past := limitTo("max_children", 8)
	past.Expires = time.Now().Add(-time.Hour)
	lines := limitTo("max_children", 8)
	lines.Why = "two\nlines"
	source := limitTo("max_children", 8)
	source.Source = "code"
	for _, wrong := range []struct {
		body   any
		status int
		code   string
	}{
		{limitTo("max_children", -1), 400, "invalid"},
		{limitTo("max_children", 101), 400, "invalid"}, // the ceiling
		{limitTo("max_children", headcount.Unlimited), 400, "invalid"},
		{limitTo("max_chidlren", 8), 404, "not-found"},
		{expected, 409, "conflict"},
		{past, 400, "invalid"},
		{lines, 400, "invalid"},
		{source, 400, "invalid"},
		{wire.LimitChange{Path: "app/jobs", Limit: "max_children"}, 400, "invalid"},
		{`{"path":"app/jobs","limit":"max_children","value":8,"valeu":9}`, 400, "invalid"},
		{`{"path":"app/jobs","limit":"max_children","value":"many"}`, 400, "invalid"},
		{`{"path":"app/jobs","limit":"max_children","value":8} {}`, 400, "invalid"},
		{`{"why":"` + strings.Repeat("x", maxBody) + `"}`, 413, "too-large"},
	} {
		b.refused("api/v1/limits", wrong.body, wrong.status, wrong.code)
	}
	b.refused("api/v1/limits", limitTo("max_children", 8), 415, "media-type", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	if n := b.jobs.MaxChildren().Value(); n != 4 {
		t.Errorf("the limit is %d, want 4", n)
	}
}

func TestTheLimitOfAGateIsChangedByItsName(t *testing.T) {
	b := setup(t, AllowChanges())
	get[wire.Entry](b, "api/v1/limits", limitTo("rate", 2))
	if n := b.gate.Limit().Value(); n != 2 {
		t.Errorf("the gate has %d, want 2", n)
	}
}

func TestAPreviewNamesTheCapThatHoldsALimitDown(t *testing.T) {
	b := setup(t)
	if err := b.jobs.MaxChildren().Cap("memory", 3, "it is short"); err != nil {
		t.Fatal(err)
	}
	v := get[wire.Preview](b, "api/v1/limits/preview", limitTo("max_children", 8))
	if v.InForce != 3 || !strings.Contains(strings.Join(v.Effects, " "), "The cap memory holds it at 3 since ") {
		t.Errorf("the preview is %+v", v)
	}
}

func TestAChildAndAKeyAreTerminated(t *testing.T) {
	b := setup(t, AllowChanges())
	b.fillJobs(2)
	for range 3 {
		if _, err := b.users.At("bob").Go(t.Context(), untilStopped); err != nil {
			t.Fatal(err)
		}
	}
	id := get[wire.ChildPage](b, "api/v1/children?path=app/jobs", nil).Children[0].ID
	get[wire.Entry](b, "api/v1/terminate", wire.TerminateRequest{Path: "app/jobs", ID: id})
	if n := b.jobs.Counts().Running; n != 1 {
		t.Errorf("%d jobs run, want 1", n)
	}
	if e := get[wire.Entry](b, "api/v1/terminate", wire.TerminateRequest{Path: "app/users", Key: "bob", Why: "too many"}); e.Outcome != "3 ended" || e.By != "ann" {
		t.Errorf("the entry is %+v", e)
	}
	get[wire.Entry](b, "api/v1/terminate", wire.TerminateRequest{Path: "app", Name: "store"})
	b.refused("api/v1/terminate", wire.TerminateRequest{Path: "app/users", Key: "bob"}, 404, "not-found")
	b.refused("api/v1/terminate", wire.TerminateRequest{Path: "app/jobs", ID: id}, 404, "not-found")
	b.refused("api/v1/terminate", wire.TerminateRequest{Path: "app/jobs"}, 400, "invalid")
	b.refused("api/v1/terminate", wire.TerminateRequest{Path: "app/jobs", Name: "x"}, 400, "invalid")
}

func TestWithoutAllowChangesNothingCanBeChanged(t *testing.T) {
	b := setup(t)
	for _, o := range operations {
		if o.change {
			b.refused("api/v1/"+o.path, "{}", 403, "read-only")
		}
	}
}

func TestNobodyComesInWithoutAToken(t *testing.T) {
	b := setup(t, AllowChanges())
	anonymous := func(r *http.Request) { r.Header.Del("Authorization") }
	for _, path := range []string{"", "page.js", "api/v1/tree", "api/v1/events"} {
		b.refused(path, nil, 401, "unauthorized", anonymous)
	}
	b.refused("api/v1/limits", limitTo("max_children", 8), 401, "unauthorized", anonymous)
	b.refused("api/v1/tree", nil, 401, "unauthorized", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret+"x") })
	if status, _, _ := b.ask("api/v1/tree", nil, func(r *http.Request) { r.SetBasicAuth("whoever", secret) }); status != 200 {
		t.Errorf("the token as a password: %d, want 200", status)
	}
}

func TestChangesFromOtherOriginsAreRefused(t *testing.T) {
	b := setup(t, AllowChanges())
	b.refused("api/v1/limits", limitTo("max_children", 8), 403, "cross-origin", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	b.refused("api/v1/limits", limitTo("max_children", 8), 403, "cross-origin", func(r *http.Request) { r.Header.Set("Origin", "https://elsewhere.example") })
	if n := b.jobs.MaxChildren().Value(); n != 4 {
		t.Errorf("the limit is %d, want 4", n)
	}
}

func TestChangesNeedAuthenticationWhereOthersCanReachThem(t *testing.T) {
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{})
	for _, wrong := range []struct {
		page  *Handler
		field string
	}{
		{New("page", ":0", app, AllowChanges()), "AllowChanges"},
		{New("page", "10.0.0.1:0", app, AllowChanges()), "AllowChanges"},
		{NewHandler("page", app, AllowChanges()), "AllowChanges"},
		{New("page", "127.0.0.1:0", app, Token("ann", "short")), "Token"},
		{New("page", "127.0.0.1:0", nil), "root"},
		{New("page", "127.0.0.1:0", app, Viewers(0)), "Viewers"},
	} {
		err := wrong.page.Supervisor().Start(t.Context())
		var config *headcount.ConfigError
		if !errors.As(err, &config) || config.Field != wrong.field || config.Path != "page" {
			t.Errorf("the start says %v, want a ConfigError about %s", err, wrong.field)
		}
		if wrong.page.Addrs() != nil {
			t.Error("it has listened")
		}
	}
	for _, right := range []*Handler{
		New("page", "127.0.0.1:0", app, AllowChanges()), New("page", "[::1]:0", app, AllowChanges()), New("page", ":0", app), New("page", ":0", app, AllowChanges(), Token("ann", secret)),
	} {
		if err := headcount.Check(right.Supervisor()); err != nil {
			t.Error(err)
		}
	}
}

func TestALoopbackPageAnswersNoForeignName(t *testing.T) {
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()})
	b := &bundle{t: t}
	page := New("page", "127.0.0.1:0", app, AllowChanges(), Logger(quiet()))
	b.start(app)
	b.start(page.Supervisor())
	b.url = "http://" + page.Addrs()[0].String() + "/"
	b.refused("api/v1/tree", nil, 421, "misdirected", func(r *http.Request) { r.Host = "rebound.example" })
	if s := get[wire.Snapshot](b, "api/v1/tree", nil); s.Root != "app" || !s.Changes {
		t.Errorf("the tree is %+v", s)
	}
	limit := wire.LimitChange{Path: "app", Limit: "max_children", Value: new(wire.Value), By: "bob"}
	*limit.Value = 7
	if e := get[wire.Entry](b, "api/v1/limits", limit); e.By != "bob" || e.Verified {
		t.Errorf("the entry is %+v", e)
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

// An sse is one event of the stream.
type sse struct{ kind, id, data string }

// follow reads the stream of events until the test ends.
func (b *bundle) follow(after string) <-chan sse {
	b.t.Helper()
	r, _ := http.NewRequestWithContext(b.t.Context(), "GET", b.url+"api/v1/events", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != 200 {
		b.t.Fatal(answer, err)
	}
	events := make(chan sse, 100)
	go func() {
		defer close(events)
		defer answer.Body.Close()
		scanner := bufio.NewScanner(answer.Body)
		scanner.Buffer(nil, 16<<20)
		var e sse
		for scanner.Scan() {
			key, value, _ := strings.Cut(scanner.Text(), ": ")
			switch key {
			case "event":
				e.kind = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				if e.kind != "" {
					events <- e
				}
				e = sse{}
			}
		}
	}()
	return events
}

func (b *bundle) next(events <-chan sse) sse {
	b.t.Helper()
	select {
	case e, ok := <-events:
		if ok {
			return e
		}
		b.t.Fatal("the stream has ended")
	case <-time.After(10 * time.Second):
		b.t.Fatal("no event in ten seconds")
	}
	return sse{}
}

func TestTheStreamSendsASnapshotAndThenWhatHasChanged(t *testing.T) {
	b := setup(t)
	events := b.follow("")
	first := b.next(events)
	var s wire.Snapshot
	if err := json.Unmarshal([]byte(first.data), &s); err != nil || first.kind != "snapshot" || first.id != s.ID || len(s.Rows) != 3 {
		t.Fatalf("the first event is %+v, %v", first, err)
	}
	b.fillJobs(2)
	for {
		e := b.next(events)
		var d wire.Delta
		if err := json.Unmarshal([]byte(e.data), &d); err != nil || e.kind != "delta" {
			t.Fatalf("the event is %+v, %v", e, err)
		}
		if i := slices.IndexFunc(d.Rows, func(r wire.Row) bool { return r.Path == "app/jobs" }); i >= 0 {
			if d.Rows[i].Children != 2 {
				t.Errorf("the row is %+v", d.Rows[i])
			}
			return
		}
	}
}

func TestTheStreamGoesOnAfterAnID(t *testing.T) {
	b := setup(t)
	at := get[wire.Snapshot](b, "api/v1/tree", nil).ID
	b.fillJobs(3)
	b.page.watch.look(time.Now())
	b.page.watch.look(time.Now())
	e := b.next(b.follow(at))
	var d wire.Delta
	if err := json.Unmarshal([]byte(e.data), &d); err != nil || e.kind != "delta" {
		t.Fatalf("the event is %+v, %v", e, err)
	}
	if len(d.Rows) == 0 || d.Rows[0].Path != "app/jobs" || d.Rows[0].Children != 3 {
		t.Errorf("the rows are %+v", d.Rows)
	}
	if e := b.next(b.follow("of-another-life")); e.kind != "snapshot" {
		t.Errorf("after an id of another life comes %+v", e)
	}
}

func TestViewersAreLimited(t *testing.T) {
	b := setup(t, Viewers(1))
	b.next(b.follow(""))
	p := b.refused("api/v1/events", nil, 503, "busy")
	if !strings.Contains(p.Detail, "viewers") {
		t.Errorf("the detail is %q", p.Detail)
	}
	get[wire.Snapshot](b, "api/v1/tree", nil) // others are not
}

func TestThePageIsReadableWithoutAScriptAndEscapesWhatIsForeign(t *testing.T) {
	b := setup(t)
	const evil = `<script>alert(1)</script>`
	if _, err := b.users.At(evil).Go(t.Context(), func(ctx context.Context) error { return errors.New(evil) }); err != nil {
		t.Fatal(err)
	}
	if err := b.jobs.MaxChildren().Set(9, headcount.Change{By: evil, Why: evil}); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool { return len(get[wire.EventPage](b, "api/v1/log", nil).Events) >= 2 })
	b.page.watch.look(time.Now())
	status, head, text := b.ask("?node=app/jobs&filter="+evil, nil)
	if status != 200 || strings.Contains(text, evil) {
		t.Errorf("the page is %d %s", status, text)
	}
	_, _, text = b.ask("", nil)
	for _, want := range []string{"app/jobs", "app/users", "of 50", "max_children changed from 4 to 9"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(text, evil) || strings.Contains(text, " style=") || strings.Contains(text, "onclick") {
		t.Error("the page has foreign markup, or what its policy forbids")
	}
	policy := head.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || head.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the header is %v", head)
	}
	_, _, text = b.ask("?filter=state:full+unlimited", nil)
	if !strings.Contains(text, "No supervisor matches") {
		t.Error("the filter of the page without a script finds what it should not")
	}
}

func TestAReviewDateIsShownAndThatItHasPassed(t *testing.T) {
	b := setup(t)
	for review, want := range map[time.Time]string{
		time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC): "its review date has passed: it was to be looked at again on 2020-02-03",
		time.Date(2100, 2, 3, 0, 0, 0, 0, time.UTC): "<small>to be looked at again on 2100-02-03",
	} {
		if err := b.jobs.MaxChildren().Set(7, headcount.Change{Source: "file", Review: review}); err != nil {
			t.Fatal(err)
		}
		if _, _, page := b.ask("?node=app/jobs", nil); !strings.Contains(page, want) {
			t.Errorf("the page does not show %q:\n%s", want, page)
		}
	}
}

func TestThePageTellsTheRestartsOfTheLastMinuteAndNotTheBudgetOfEachChild(t *testing.T) {
	b := setup(t)
	var runs atomic.Int64
	_, err := b.jobs.Go(t.Context(), func(ctx context.Context) error {
		if runs.Add(1) <= 3 {
			return errors.New("not yet")
		}
		<-ctx.Done()
		return nil
	}, headcount.WithRestart(headcount.Permanent))
	if err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool {
		_, _, page := b.ask("?filter=app/jobs", nil)
		return strings.Contains(page, `<td class="n opt">3</td>`) && !strings.Contains(page, "budget")
	})
}

func TestALimitFromNobodyKnownIsShownAsSuch(t *testing.T) {
	b := setup(t)
	if err := b.jobs.MaxChildren().Set(7, headcount.Change{By: "ann"}); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool {
		d := get[wire.Detail](b, "api/v1/node?path=app/jobs", nil)
		return d.Row.Source == "unknown" && d.Limits[0].Source == "unknown"
	})
}

func TestAFileOfLimitsThatIsRefusedIsShown(t *testing.T) {
	b := setup(t)
	headcount.ReportLimits(b.app, "limits.yaml", errors.New("line 3: <no> such limit"))
	if s := get[wire.Detail](b, "api/v1/node?path=app", nil).Sources; len(s) != 1 || s[0].Name != "limits.yaml" || s[0].Refused != 1 || s[0].Error != "line 3: <no> such limit" {
		t.Errorf("the API has %+v", s)
	}
	_, _, page := b.ask("?node=app", nil)
	if !strings.Contains(page, "what limits.yaml says about the limits is refused, the old ones stay: line 3: &lt;no&gt; such limit") {
		t.Errorf("the page does not show it:\n%s", page)
	}
}

func (w *deafWriter) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }
func (w *deafWriter) FlushError() error                  { return nil }
func (w *deafWriter) Write(b []byte) (int, error) {
	if len(b) < 100 {
		return len(b), nil
	}
	time.Sleep(time.Until(w.deadline))
	return 0, os.ErrDeadlineExceeded
}

func TestAViewerThatReadsNothingIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()})
		page := NewHandler("page", app, Logger(quiet()))
		b := &bundle{t: t}
		b.start(app)
		b.start(page.Supervisor())
		began := time.Now()
		page.ServeHTTP(&deafWriter{ResponseWriter: httptest.NewRecorder()}, httptest.NewRequest("GET", "/api/v1/events", nil))
		if took := time.Since(began); took != writeWithin {
			t.Errorf("it is dropped after %v, want %v", took, writeWithin)
		}
		if n := page.viewers.Counts().Running; n != 0 {
			t.Errorf("%d viewers are left", n)
		}
	})
}

func TestAPageForAnHourRemembersAsMuchAsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()})
		page := NewHandler("page", app, Logger(quiet()))
		b := &bundle{t: t}
		b.start(app)
		b.start(page.Supervisor())
		time.Sleep(3 * time.Hour)
		points, kept := page.watch.historyOf("app")
		if !kept || len(points) != historySlots {
			t.Errorf("%d points are kept, want %d", len(points), historySlots)
		}
		if age := time.Since(points[0].Time); age > time.Hour+historyStep || age < time.Hour-2*historyStep {
			t.Errorf("the first point is of %v ago", age)
		}
		page.watch.mu.Lock()
		defer page.watch.mu.Unlock()
		if n := len(page.watch.mu.deltas); n > keptDeltas {
			t.Errorf("%d deltas are kept", n)
		}
	})
}

func TestAPeakBetweenTwoLooksIsInTheHistory(t *testing.T) {
	b := setup(t)
	b.page.watch.look(time.Now())
	b.fillJobs(3)
	for _, c := range get[wire.ChildPage](b, "api/v1/children?path=app/jobs", nil).Children {
		if err := b.jobs.Terminate(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.page.watch.look(time.Now())
	h := get[wire.PastHour](b, "api/v1/history?path=app/jobs", nil)
	if last := h.Points[len(h.Points)-1]; last.Children != 0 || last.Peak != 3 {
		t.Errorf("the last point is %+v", last)
	}
}

func TestRefusalsAreOfTheLastMinuteOnly(t *testing.T) {
	var m minute
	now := time.Now()
	m.note(now, counters{10})
	for i := 1; i <= 10; i++ {
		if risen := m.note(now.Add(time.Duration(i)*time.Second), counters{10 + uint64(i)}); risen[0] != uint64(i) {
			t.Errorf("after %d s it has risen by %d", i, risen[0])
		}
	}
	for i := 11; i <= 200; i++ {
		risen := m.note(now.Add(time.Duration(i)*time.Second), counters{20})
		if i > 75 && risen[0] != 0 {
			t.Fatalf("%d s later it is still %d", i-10, risen[0])
		}
	}
}

func TestDeltasThatAreMergedTellTheLastOfEachRow(t *testing.T) {
	d := merge([]wire.Delta{
		{ID: "a-1", Rows: []wire.Row{{Path: "x", Children: 1}, {Path: "y"}}, Events: []wire.Event{{ID: 1}}, Missed: 1},
		{ID: "a-2", Rows: []wire.Row{{Path: "x", Children: 2}}, Gone: []string{"y", "z"}},
		{ID: "a-3", Rows: []wire.Row{{Path: "z", Index: 1}}, Events: []wire.Event{{ID: 2}}, Missed: 2},
	})
	if d.ID != "a-3" || len(d.Rows) != 2 || d.Rows[0].Children != 2 || d.Rows[1].Path != "z" || !slices.Equal(d.Gone, []string{"y"}) || len(d.Events) != 2 || d.Missed != 3 {
		t.Errorf("merged: %+v", d)
	}
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
