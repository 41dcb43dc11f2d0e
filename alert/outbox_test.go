package alert

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func TestAnAlertIsToldOnceAndThenRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited))
		never := &recorder{}
		_, r, _ := watched(t, Config{Repeat: time.Hour}, jobs)
		b := New("again", Config{Notifiers: []Notifier{never}, Repeat: -1, Logger: quiet, Root: jobs})
		c, err := headcountRun(t, b)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Hour + time.Minute)
		if n := len(r.lines("HeadcountUnlimited")); n != 4 {
			t.Errorf("told %d times in three hours, want 4", n)
		}
		if n := len(never.lines("HeadcountUnlimited")); n != 1 {
			t.Errorf("told %d times with no repeats, want 1", n)
		}
		c()
	})
}

// headcountRun runs the alerts under a root of their own.
func headcountRun(t *testing.T, a *Alerts) (stop func(), err error) {
	root := headcount.NewSupervisor("other", headcount.SupervisorConfig{Logger: quiet}, a)
	err = root.Start(t.Context())
	return func() { _ = root.Stop(context.Background()) }, err
}

func TestADeadNotifierDelaysNobodyAndIsCaughtUpWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited))
		dead, hanging, panicking := &recorder{fail: errors.New("no route")}, &recorder{hang: true}, 0
		a, r, _ := watched(t, Config{Notifiers: []Notifier{dead, hanging, Func("broken", func(context.Context, []Alert) error {
			panicking++
			panic("oh")
		})}}, jobs)
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountUnlimited", "+app/jobs max_children")
		time.Sleep(time.Hour)
		s := a.Status()
		if s.Looks < 3595 {
			t.Errorf("looked %d times in an hour, want 3600", s.Looks)
		}
		for i, n := range s.Notifiers[:3] {
			if n.Failures < 50 || n.Failures > 130 || n.Waiting != 1 && i != 1 || n.LastError == "" {
				t.Errorf("%+v", n)
			}
		}
		// It is resolved while it cannot be told: what is told in the end is the end.
		if err := jobs.MaxChildren().Set(10, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		dead.set(nil, false)
		time.Sleep(2 * time.Minute)
		dead.want(t, "HeadcountUnlimited", "-app/jobs max_children")
		hanging.set(nil, false)
		time.Sleep(2 * time.Minute)
		hanging.want(t, "HeadcountUnlimited", "-app/jobs max_children")
		if s := a.Status().Notifiers[0]; s.Waiting != 0 || s.Told != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheOutboxOfADeadNotifierIsBounded(t *testing.T) {
	o := newOutbox(&recorder{}, Config{Logger: quiet, Repeat: time.Hour})
	now := time.Now()
	var firing []Alert
	for i := range 3 * maxWaiting {
		a := Alert{Rule: "R", Path: fmt.Sprint(i), Began: now}
		firing = append(firing, a)
		o.put([]Alert{a}, nil, now)
	}
	for range 5 {
		o.put(nil, firing, now)
	}
	if s := o.status(); s.Waiting != maxWaiting || s.Dropped != 2*maxWaiting {
		t.Errorf("%+v", s)
	}
	if len(o.mu.order) != maxWaiting || len(o.mu.told) != maxWaiting {
		t.Errorf("%d in order, %d told", len(o.mu.order), len(o.mu.told))
	}
	batch := o.take()
	o.put([]Alert{{Rule: "R", Path: batch[0].Path, Began: now, Ended: now}}, nil, now)
	o.put(nil, firing[1:], now) // the places that came free are taken
	o.putBack(batch)
	if s := o.status(); s.Waiting != maxWaiting || len(o.mu.order) != maxWaiting {
		t.Errorf("%+v, %d in order", s, len(o.mu.order))
	}
	if a := o.mu.waiting[batch[0].key()]; !a.Resolved() {
		t.Error("an old state took the place of a new one")
	}
}

func TestWhatWaitsIsToldAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited))
		busy := &recorder{hang: true}
		_, _, app := watched(t, Config{Notifiers: []Notifier{busy}}, jobs)
		time.Sleep(2 * time.Second)
		busy.set(nil, false)
		if err := app.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		busy.want(t, "HeadcountUnlimited", "+app/jobs max_children")
	})
}
