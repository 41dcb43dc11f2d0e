package alert

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func TestAFullSubtreeThatRefusesFires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(100), headcount.MaxDescendants(2))
		_, r, _ := watched(t, Config{}, jobs)
		fill(t, jobs, 2)
		for range 100 {
			if _, err := jobs.Go(t.Context(), untilStopped); !errors.Is(err, headcount.ErrMaxDescendants) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		r.want(t, "HeadcountSubtreeFull", "+app/jobs max_descendants")
		r.want(t, "HeadcountFull")
		time.Sleep(5 * time.Minute)
		r.want(t, "HeadcountSubtreeFull", "+app/jobs max_descendants", "-app/jobs max_descendants")
	})
}

func TestWhatIsHeldAboveALoweredLimitIsToldAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(100))
		a, r, _ := watched(t, Config{}, jobs)
		all := fill(t, jobs, 20)
		if err := jobs.MaxChildren().Set(15, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		r.want(t, "HeadcountAboveLimit")
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountAboveLimit", "+app/jobs max_children")
		if !slices.ContainsFunc(a.Firing(), func(f Alert) bool {
			return f.Details == "20 are held, max_children is 15; lowering a limit ends no child"
		}) {
			t.Errorf("%v", a.Firing())
		}
		stop(t, all[:5])
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountAboveLimit", "+app/jobs max_children", "-app/jobs max_children")
	})
}

func TestAQueueThatIsNearlyFullFires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(1), headcount.Wait(10, time.Hour))
		_, r, _ := watched(t, Config{}, jobs)
		fill(t, jobs, 1)
		ctx, giveUp := context.WithCancel(t.Context())
		for range 8 {
			go func() { _, _ = jobs.Go(ctx, untilStopped) }()
		}
		time.Sleep(time.Minute)
		r.want(t, "HeadcountQueueNearFull")
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountQueueNearFull", "+app/jobs")
		giveUp()
		time.Sleep(3 * time.Minute)
		r.want(t, "HeadcountQueueNearFull", "+app/jobs", "-app/jobs")
	})
}

func TestLimitsThatAreRefusedAreToldUntilTheyAreSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, r, app := watched(t, Config{})
		headcount.ReportLimits(app, "limits.yaml", errors.New("line 3: no such limit"))
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountLimitsRefused", "+app limits.yaml")
		if f := a.Firing(); len(f) != 1 || f[0].Details != "the limits of limits.yaml are refused, the old ones stay: line 3: no such limit" {
			t.Errorf("%v", f)
		}
		headcount.ReportLimits(app, "limits.yaml", nil)
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountLimitsRefused", "+app limits.yaml", "-app limits.yaml")
	})
}
