package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func TestNearTheLimitFiresAfterItsTimeAndHasHysteresis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(100))
		_, r, _ := watched(t, Config{}, jobs)
		const rule, at = "HeadcountNearLimit", "app/jobs max_children"
		fill(t, jobs, 70)
		ten := fill(t, jobs, 10)
		time.Sleep(5*time.Minute - time.Second)
		r.want(t, rule)
		time.Sleep(3 * time.Second)
		r.want(t, rule, "+"+at)
		stop(t, ten[:5]) // 75: not near any more, but not over either
		time.Sleep(time.Hour)
		r.want(t, rule, "+"+at)
		stop(t, ten[5:]) // 70
		time.Sleep(time.Hour)
		r.want(t, rule, "+"+at)
		one := fill(t, jobs, 0)
		all, _ := jobs.Children(headcount.Query{Limit: 1})
		c, _ := jobs.Lookup(all[0].ID)
		stop(t, append(one, c)) // 69
		time.Sleep(59 * time.Second)
		r.want(t, rule, "+"+at)
		time.Sleep(3 * time.Second)
		r.want(t, rule, "+"+at, "-"+at)
	})
}

func TestAShortPeakFiresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10))
		_, r, _ := watched(t, Config{}, jobs)
		for range 20 {
			all := fill(t, jobs, 10)
			time.Sleep(50 * time.Second)
			stop(t, all)
			time.Sleep(10 * time.Second)
		}
		r.want(t, "HeadcountNearLimit")
	})
}

func TestAFullSupervisorThatRefusesFires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(2))
		gate := headcount.NewGate("starts", 5, nil)
		door := headcount.NewDynamicSupervisor("door", headcount.MaxChildren(5), headcount.Gates(gate))
		_, r, _ := watched(t, Config{}, jobs, door)
		fill(t, jobs, 2)
		time.Sleep(10 * time.Minute)
		r.want(t, "HeadcountFull") // full, but nobody was refused
		for range 200 {
			if _, err := jobs.Go(t.Context(), untilStopped); !errors.Is(err, headcount.ErrMaxChildren) {
				t.Fatal(err)
			}
			_ = gate.Refuse()
			time.Sleep(time.Second)
		}
		want := []string{"+app/jobs max_children", "+app/door starts"}
		if got := r.lines("HeadcountFull"); len(got) != 2 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) {
			t.Errorf("told %q, want %q", got, want)
		}
		r.want(t, "HeadcountRefusing", "+app/jobs")
		time.Sleep(10 * time.Minute)
		if got := r.lines("HeadcountFull"); len(got) != 4 {
			t.Errorf("told %q, want both resolved", got)
		}
		r.want(t, "HeadcountRefusing", "+app/jobs", "-app/jobs")
	})
}

func TestARefusalOrTwoFireNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(0))
		_, r, _ := watched(t, Config{}, jobs)
		for range 2 {
			_, _ = jobs.Go(t.Context(), untilStopped)
		}
		time.Sleep(time.Hour)
		r.want(t, "HeadcountFull")
		r.want(t, "HeadcountRefusing")
	})
}

func TestDescendantsAreWatchedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(100), headcount.MaxDescendants(20))
		_, r, _ := watched(t, Config{}, jobs)
		fill(t, jobs, 19)
		time.Sleep(6 * time.Minute)
		r.want(t, "HeadcountSubtreeNearLimit", "+app/jobs max_descendants")
		r.want(t, "HeadcountNearLimit")
	})
}

func TestAnUnlimitedSupervisorIsToldAtOnceAndUntilItHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited))
		_, r, _ := watched(t, Config{}, jobs)
		time.Sleep(1500 * time.Millisecond)
		r.want(t, "HeadcountUnlimited", "+app/jobs max_children")
		if err := jobs.MaxChildren().Set(10, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		r.want(t, "HeadcountUnlimited", "+app/jobs max_children", "-app/jobs max_children")
	})
}

func TestALimitThatWillBeReachedWithinAnHourFires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rising := headcount.NewDynamicSupervisor("rising", headcount.MaxChildren(200))
		steady := headcount.NewDynamicSupervisor("steady", headcount.MaxChildren(200))
		slow := headcount.NewDynamicSupervisor("slow", headcount.MaxChildren(200))
		_, r, _ := watched(t, Config{}, rising, steady, slow)
		fill(t, rising, 100)
		fill(t, steady, 150)
		fill(t, slow, 110)
		for i := range 20 { // two a minute: full in 50 minutes, or 40
			fill(t, rising, 2)
			if i%2 == 0 {
				fill(t, slow, 1) // one each two minutes: 30 in an hour
			}
			time.Sleep(time.Minute)
		}
		r.want(t, "HeadcountFullInAnHour", "+app/rising max_children")
		time.Sleep(time.Hour) // it rises no more
		r.want(t, "HeadcountFullInAnHour", "+app/rising max_children", "-app/rising max_children")
	})
}

func TestTheRestartsAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crash := make(chan struct{})
		worker := headcount.ChildSpec{Name: "worker", Run: func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return nil
			case <-crash:
				return errors.New("broken")
			}
		}}
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{Intensity: headcount.Intensity{Restarts: 10, Within: time.Hour}}, worker)
		_, r, _ := watched(t, Config{}, inner)
		for range 5 {
			crash <- struct{}{}
			time.Sleep(30 * time.Second)
		}
		r.want(t, "HeadcountRestartBudgetNearlyUsed")
		crash <- struct{}{}
		time.Sleep(90 * time.Second)
		r.want(t, "HeadcountRestartBudgetNearlyUsed", "+app/inner")
		r.want(t, "HeadcountRestartsRising", "+app/inner")
		time.Sleep(2 * time.Hour)
		r.want(t, "HeadcountRestartBudgetNearlyUsed", "+app/inner", "-app/inner")
		r.want(t, "HeadcountRestartsRising", "+app/inner", "-app/inner")
	})
}

func TestStuckChildrenAreToldUntilTheyReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(3))
		_, r, _ := watched(t, Config{}, jobs)
		release := make(chan struct{})
		c, err := jobs.Go(t.Context(), func(context.Context) error { <-release; return nil })
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Stop(t.Context())
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountStuck", "+app/jobs")
		close(release)
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountStuck", "+app/jobs", "-app/jobs")
	})
}

func TestALimitThatAMachineHoldsDownForLongFires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(100))
		a, r, _ := watched(t, Config{}, jobs)
		if err := jobs.MaxChildren().Cap("memory", 40, "above nine tenths"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Minute)
		r.want(t, "HeadcountLimitLowered")
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountLimitLowered", "+app/jobs max_children")
		if f := a.Firing(); len(f) != 1 || f[0].Details != "max_children is 40 instead of 100, held by memory: above nine tenths" {
			t.Errorf("%v", f)
		}
		jobs.MaxChildren().Uncap("memory")
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountLimitLowered", "+app/jobs max_children", "-app/jobs max_children")
	})
}

func TestAReviewDateThatHasPassedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(100))
		_, r, _ := watched(t, Config{}, jobs)
		change := headcount.Change{Source: "file", By: "ann", Review: time.Now().Add(time.Hour)}
		if err := jobs.MaxChildren().Set(50, change); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		r.want(t, "HeadcountLimitReviewOverdue")
		time.Sleep(2 * time.Minute)
		r.want(t, "HeadcountLimitReviewOverdue", "+app/jobs max_children")
	})
}

func TestASupervisorThatIsGoneHasNoAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rooms := headcount.NewDynamicSupervisor("rooms", headcount.MaxChildren(10))
		a, r, _ := watched(t, Config{}, rooms)
		room := headcount.NewDynamicSupervisor("blue", headcount.MaxChildren(headcount.Unlimited))
		c, err := rooms.StartChild(t.Context(), room)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountUnlimited", "+app/rooms/blue max_children")
		stop(t, []*headcount.Child{c})
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountUnlimited", "+app/rooms/blue max_children", "-app/rooms/blue max_children")
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.mu.pasts) != 2 || len(a.mu.states) != 0 {
			t.Errorf("%d supervisors and %d states are remembered, want 2 and 0", len(a.mu.pasts), len(a.mu.states))
		}
	})
}

func TestATreeThatIsTooLargeIsWatchedInPartAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many []headcount.Specifier
		for i := range 50 {
			many = append(many, headcount.NewDynamicSupervisor(fmt.Sprintf("s%d", i), headcount.MaxChildren(headcount.Unlimited)))
		}
		a, r, _ := watched(t, Config{MaxSupervisors: 20}, many...)
		time.Sleep(2 * time.Second)
		if s := a.Status(); s.Watched != 20 || s.NotWatched != 31 || len(a.mu.pasts) != 20 {
			t.Errorf("%+v, %d remembered", s, len(a.mu.pasts))
		}
		r.want(t, "HeadcountNotAllShown", "+app")
		if n := len(r.lines("HeadcountUnlimited")); n != 19 {
			t.Errorf("%d supervisors are told of, want 19", n)
		}
	})
}

func TestAFullSubtreeDoesNotEndTheAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited))
		a := New("alerts", Config{Notifiers: []Notifier{r}, Logger: quiet})
		app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet, MaxDescendants: headcount.MaxDescendants(2)}, jobs, a)
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer app.Stop(context.Background())
		time.Sleep(time.Minute)
		r.want(t, "HeadcountUnlimited")
		if s := a.Status().Notifiers[0]; s.Waiting != 1 || s.Failures < 50 || !strings.Contains(s.LastError, "max_descendants") {
			t.Errorf("%+v", s)
		}
		if err := app.MaxDescendants().Set(3, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		r.want(t, "HeadcountUnlimited", "+app/jobs max_children")
	})
}

func TestAWrongConfigurationFailsTheStart(t *testing.T) {
	twice := append(Rules(), Rules()[0])
	for name, cfg := range map[string]Config{
		"Interval: is negative": {Interval: -1},
		"MaxSupervisors":        {MaxSupervisors: -1},
		"number 0 is nil":       {Notifiers: []Notifier{nil}},
		"none of those":         {Rules: []Rule{{Name: "Own"}}},
		"is there twice":        {Rules: twice},
	} {
		cfg.Logger = quiet
		_, err := headcountRun(t, New("alerts", cfg))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the start says %v", name, err)
		}
	}
}

func TestRulesCanBeTunedAndLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := slices.DeleteFunc(Rules(), func(r Rule) bool { return r.Name != "HeadcountNearLimit" })
		rules[0].Fires, rules[0].Clears, rules[0].For = 0.5, 0.4, 0
		jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(10))
		free := headcount.NewDynamicSupervisor("free", headcount.MaxChildren(headcount.Unlimited))
		_, r, _ := watched(t, Config{Rules: rules, Interval: 10 * time.Second}, jobs, free)
		fill(t, jobs, 5)
		time.Sleep(11 * time.Second)
		r.want(t, "HeadcountNearLimit", "+app/jobs max_children")
		r.want(t, "HeadcountUnlimited")
	})
}

func BenchmarkLook(b *testing.B) {
	var many []headcount.Specifier
	for i := range 999 {
		many = append(many, headcount.NewDynamicSupervisor(fmt.Sprintf("s%d", i), headcount.MaxChildren(100)))
	}
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet}, many...)
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer app.Stop(context.Background())
	a := New("alerts", Config{Root: app, Logger: quiet})
	now := time.Now()
	for b.Loop() {
		now = now.Add(time.Second)
		a.look(app, now)
	}
}
