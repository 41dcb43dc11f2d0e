package observe

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

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

// A deafWriter is a connection whose other end reads nothing more once it has the head of the answer.
type deafWriter struct {
	http.ResponseWriter
	deadline time.Time
}

func (w *deafWriter) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }

func (w *deafWriter) FlushError() error { return nil }

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
