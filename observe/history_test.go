package observe

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

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
