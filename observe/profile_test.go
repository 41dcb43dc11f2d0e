package observe

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestTheCPUTimeIsToldByPath(t *testing.T) {
	b := setup(t)
	for _, query := range []string{"seconds=0", "seconds=6", "seconds=much"} {
		b.refused("api/v1/cpu?"+query, nil, http.StatusBadRequest, "invalid")
	}
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	b.refused("api/v1/cpu?seconds=1", nil, http.StatusConflict, "profile-running")
	pprof.StopCPUProfile()

	b.fillJobs(1)
	c, err := b.users.At("bob").Go(t.Context(), func(ctx context.Context) error {
		for n := 0; ctx.Err() == nil; n++ {
		}
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	v := get[wire.CPUTimes](b, "api/v1/cpu?seconds=1", nil)
	_ = c.Stop(t.Context())
	if len(v.Paths) == 0 || v.Paths[0].Path != "app/users" || v.Paths[0].CPU < 0.8*v.Supervised || v.Supervised == 0 || v.For < 1 {
		t.Errorf("%+v, want it to be that of app/users", v)
	}
	if v := get[wire.CPUTimes](b, "api/v1/cpu?path=app/jobs&seconds=1", nil); v.Supervised > 0.1*v.Total || v.Elsewhere == 0 {
		t.Errorf("%+v below app/jobs, want the time elsewhere", v)
	}
}

func TestAStuckChildIsShownWithItsStack(t *testing.T) {
	b := setup(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	child, err := b.jobs.StartChild(t.Context(), headcount.ChildSpec{
		Name: "hangs", Restart: headcount.Temporary, Traceable: true, Shutdown: time.Millisecond,
		Run: func(context.Context) error { hangsOn(release); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Stop(t.Context()); !errors.As(err, new(*headcount.StuckError)) {
		t.Fatal(err)
	}
	b.page.watch.look(time.Now())
	if r := get[wire.Snapshot](b, "api/v1/tree", nil).Rows[1]; r.Status != wire.StatusStuck || r.Stuck != 1 {
		t.Errorf("the row is %+v", r)
	}
	s := get[wire.Stack](b, "api/v1/stack?path="+child.Path()+"&id="+jsonID(child.ID()), nil)
	if !s.Exact || len(s.Stacks) != 1 || !strings.Contains(s.Stacks[0].Text, "hangsOn") {
		t.Errorf("the stack is %+v", s)
	}
	b.refused("api/v1/stack?path=app/jobs/nobody&id=7", nil, 404, "not-found")
}

//go:noinline
func hangsOn(release chan struct{}) { <-release }

func TestTheGoroutinesOfChildrenAreCountedWhileSomebodyFollows(t *testing.T) {
	b := setup(t)
	b.fillJobs(3)
	if n := get[wire.Snapshot](b, "api/v1/tree", nil).Totals.Supervised; n != -1 {
		t.Errorf("%d goroutines of children are told though nobody follows, want -1", n)
	}
	events := b.follow("")
	for range 10 {
		e := b.next(events)
		var d struct{ Totals wire.Totals }
		if err := json.Unmarshal([]byte(e.data), &d); err != nil {
			t.Fatal(err)
		}
		if n := d.Totals.Supervised; n >= 3 && n < d.Totals.Goroutines {
			return
		}
	}
	t.Error("they are not told while somebody follows")
}
