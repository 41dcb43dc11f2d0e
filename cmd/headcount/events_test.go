package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 500 {
		if so() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}

func change(t *testing.T, l *headcount.Limit, to int, why string) {
	t.Helper()
	if err := l.Set(to, headcount.Change{Source: "test", By: "bob", Why: why}); err != nil {
		t.Fatal(err)
	}
}

func TestEventsAreShownTheNewestLast(t *testing.T) {
	p := start(t)
	change(t, p.users.MaxPerKey(), 2, "first \x1b]0;title\a")
	change(t, p.jobs.MaxChildren(), 9, "second")
	eventually(t, "the page has heard of both changes", func() bool { return strings.Contains(p.command(t, "", "events URL").out, "second") })
	r := p.command(t, "", "events URL")
	if first, second := strings.Index(r.out, "first"), strings.Index(r.out, "second"); first < 0 || second < first || strings.Contains(r.out, "\x1b") {
		t.Errorf("the events are\n%q", r.out)
	}
	if r := p.command(t, "", "events -n 1 URL"); strings.Count(r.out, "\n") != 1 || !strings.Contains(r.out, "second") {
		t.Errorf("the last event is\n%s", r.out)
	}
	if r := p.command(t, "", "events URL shop/users"); strings.Contains(r.out, "second") || !strings.Contains(r.out, "first") {
		t.Errorf("the events at shop/users are\n%s", r.out)
	}
	var e wire.Event
	if r := p.command(t, "", "events -json -n 1 URL"); json.Unmarshal([]byte(r.out), &e) != nil || e.Type != "LimitChanged" || e.Path != "shop/jobs" {
		t.Errorf("as JSON:\n%s", r.out)
	}
}

func TestFollowingGoesOnWithNewEventsOverALostConnection(t *testing.T) {
	p := start(t)
	var cut atomic.Pointer[context.CancelFunc]
	through := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if strings.HasSuffix(r.URL.Path, "/events") {
			cut.Store(&cancel)
		}
		p.page.ServeHTTP(w, r.WithContext(ctx))
	}))
	defer through.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, errOut lockedBuffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetErr(&errOut)
	status := make(chan int)
	change(t, p.jobs.MaxChildren(), 8, "zero")
	eventually(t, "the page has heard of the change", func() bool { return strings.Contains(p.command(t, "", "events URL").out, "zero") })
	go func() { status <- execute(ctx, root, strings.Fields("events -f -n 1 "+through.URL)) }()
	eventually(t, "the last event is shown", func() bool { return strings.Contains(out.String(), "zero") })
	change(t, p.jobs.MaxChildren(), 9, "one")
	eventually(t, "the event is shown", func() bool { return strings.Contains(out.String(), "one") })
	(*cut.Load())()
	eventually(t, "the loss is told", func() bool { return strings.Contains(errOut.String(), "the connection is lost") })
	change(t, p.jobs.MaxChildren(), 10, "two")
	eventually(t, "the next event is shown", func() bool { return strings.Contains(out.String(), "two") })
	stop()
	if got := <-status; got != exitInterrupted {
		t.Errorf("exit status %d, want %d", got, exitInterrupted)
	}
	for _, why := range []string{"zero", "one", "two"} {
		if n := strings.Count(out.String(), why); n != 1 {
			t.Errorf("%q is shown %d times in\n%s", why, n, out.String())
		}
	}
}

func TestAProgramThatWasStartedAgainIsFollowedFromItsStart(t *testing.T) {
	var out, errOut strings.Builder
	p := &eventPrinter{out: &out, err: &errOut, life: "a", last: 70}
	s := &wire.Snapshot{ID: "b-2", Events: []wire.Event{{ID: 3, Text: "third"}, {ID: 4, Text: "fourth"}}}
	if err := p.resume(t.Context(), nil, s, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "third") || !strings.Contains(errOut.String(), "started again") || !strings.Contains(errOut.String(), "2 events were missed") {
		t.Errorf("output %q, errors %q", out.String(), errOut.String())
	}
	errOut.Reset()
	s = &wire.Snapshot{ID: "b-90", Events: []wire.Event{{ID: 4, Text: "fourth"}, {ID: 5, Text: "fifth"}}}
	if err := p.resume(t.Context(), nil, s, 0); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "fourth") != 1 || !strings.Contains(out.String(), "fifth") || errOut.Len() > 0 {
		t.Errorf("output %q, errors %q", out.String(), errOut.String())
	}
}
