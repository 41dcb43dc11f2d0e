package observe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

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
