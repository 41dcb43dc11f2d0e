package tests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// quick keeps the wait between restarts out of a test that is about something else.
var quick = headcount.Backoff{Max: time.Nanosecond}

// plenty is a budget that no test uses up.
var plenty = headcount.Intensity{Restarts: 1000, Within: time.Second}

// settle lets quick restarts happen.
func settle() {
	time.Sleep(time.Microsecond)
	synctest.Wait()
}

// S7
func TestChildSpecDefaultsToPermanent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a)
		start(t, top)
		a.ends(finishes)
		d.expect(t, "+a -a +a")
		if info, _ := top.Child("a"); info.Restart != headcount.Permanent {
			t.Errorf("listed as %v", info.Restart)
		}
	})
}

// S23: a cancelled context of somebody else, returned as an error, is a failure like any other.
func TestAForeignCancellationIsAbnormal(t *testing.T) {
	for name, foreign := range map[string]error{"cancelled": context.Canceled, "deadline": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a.as(headcount.Transient))
				start(t, top)
				a.ends(func() error { return foreign })
				d.expect(t, "+a -a +a")
				if info, _ := top.Child("a"); !errors.Is(info.LastError, foreign) {
					t.Errorf("last error is %v, want %v", info.LastError, foreign)
				}
			})
		})
	}
}

// S23
func TestPanicAndGoexitAreAbnormal(t *testing.T) {
	for name, how := range map[string]func() error{"panic": panics, "goexit": goexits} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a.as(headcount.Transient))
				start(t, top)
				a.ends(how)
				d.expect(t, "+a -a +a")
				info, _ := top.Child("a")
				var panicked *headcount.PanicError
				switch {
				case name == "goexit" && !errors.Is(info.LastError, headcount.ErrGoexit):
					t.Errorf("last error is %v, want ErrGoexit", info.LastError)
				case name == "panic" && (!errors.As(info.LastError, &panicked) || len(panicked.Stack) == 0):
					t.Errorf("last error is %v, want a PanicError with a stack", info.LastError)
				}
			})
		})
	}
}

// S24
func TestPermanentIsRestartedAfterAnyExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: quick, Intensity: plenty}, a)
		start(t, top)
		for i, how := range []func() error{finishes, fails, panics, goexits, finishes} {
			a.ends(how)
			settle()
			if got := int(a.runs.Load()); got != i+2 {
				t.Fatalf("exit %d: run %d times, want %d", i, got, i+2)
			}
		}
	})
}

// S24: a normal exit of a permanent child costs budget too.
func TestANormalExitOfAPermanentChildCostsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Backoff: quick, Intensity: headcount.Intensity{Restarts: 2, Within: time.Minute},
		}, a)
		if err := top.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			a.ends(finishes)
			settle()
		}
		var gaveUp *headcount.IntensityError
		if over, err := ended(top); !over || !errors.As(err, &gaveUp) {
			t.Errorf("ended: %v, %v; want an IntensityError", over, err)
		}
	})
}

// S25
func TestTransientIsRestartedOnlyAfterAnAbnormalExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a.as(headcount.Transient))
		start(t, top)
		a.ends(fails)
		d.expect(t, "+a -a +a")
		a.ends(finishes)
		time.Sleep(time.Hour)
		d.expect(t, "-a")
		wantState(t, top, "a", "stopped")
		if _, err := top.RestartChild(t.Context(), "a"); err != nil {
			t.Errorf("restart by hand: %v", err)
		}
		d.expect(t, "+a")
	})
}

// S26
func TestTemporaryIsNeverRestartedAndItsSpecIsForgotten(t *testing.T) {
	for name, how := range map[string]func() error{"normal": finishes, "error": fails, "panic": panics, "goexit": goexits} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				a := d.actor("a")
				top := headcount.NewSupervisor("top", headcount.SupervisorConfig{}, a.as(headcount.Temporary), d.actor("b"))
				start(t, top)
				a.ends(how)
				time.Sleep(time.Hour)
				d.expect(t, "+a +b -a")
				wantState(t, top, "a", "no spec")
			})
		})
	}
}

// S35
func TestRestartsAreSpacedByBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gaps []time.Duration
		last := time.Now()
		backoff := headcount.Backoff{Min: time.Second, Max: 8 * time.Second, Stable: time.Minute}
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Backoff: backoff, Intensity: headcount.Intensity{Restarts: 1000, Within: time.Minute}},
			headcount.ChildSpec{Name: "a", Run: func(ctx context.Context) error {
				gaps = append(gaps, time.Since(last))
				last = time.Now()
				if len(gaps) == 10 {
					return until(ctx)
				}
				return errBoom
			}})
		start(t, top)
		time.Sleep(time.Hour)
		wantState(t, top, "a", "running")
		for i, gap := range gaps {
			full := time.Duration(0) // the first run and the first restart
			if i >= 2 {
				full = min(time.Second<<(i-2), 8*time.Second)
			}
			if gap < full/2 || gap > full {
				t.Errorf("run %d came %v after the one before, want between %v and %v", i, gap, full/2, full)
			}
		}
	})
}

// S35: the wait before an automatic restart whose start fails grows too, and is counted in the window.
func TestBackoffIsResetAfterAStableRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a := d.actor("a")
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
			Intensity: headcount.Intensity{Restarts: 1000, Within: time.Minute},
			Backoff:   headcount.Backoff{Min: time.Second, Max: time.Second, Stable: 10 * time.Second},
		}, a)
		start(t, top)
		a.backsOff()
		d.expect(t, "+a -a +a -a")
		time.Sleep(time.Second)
		d.expect(t, "+a")
		time.Sleep(9 * time.Second) // not yet stable
		a.ends(fails)
		d.expect(t, "-a")
		time.Sleep(time.Second)
		d.expect(t, "+a")
		time.Sleep(10 * time.Second)
		a.ends(fails)
		d.expect(t, "-a +a") // at once
	})
}

// S36
func TestIgnoreOnRestartLeavesADeclaredChildStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		a, b := d.actor("a"), d.actor("b")
		a.begin = func(run int) error {
			if run == 2 {
				return headcount.ErrIgnore
			}
			return nil
		}
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{Intensity: headcount.Intensity{Restarts: 1, Within: time.Minute}}, a, b)
		start(t, top)
		a.ends(fails)
		d.expect(t, "+a +b -a !a")
		wantState(t, top, "a", "stopped")
		time.Sleep(30 * time.Second)
		d.expect(t, "")
		isRunning(t, top)
	})
}
