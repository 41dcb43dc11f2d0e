package headcount

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitCountsItsChangesBySource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := NewDynamicSupervisor("jobs", MaxChildren(4)).MaxChildren()
		if c := limit.Snapshot().Changes; c != nil {
			t.Errorf("changes of a limit that was never changed are %v, want none", c)
		}
		set := func(n int, c Change) {
			t.Helper()
			if err := limit.Set(n, c); err != nil {
				t.Fatal(err)
			}
		}
		set(5, Change{Source: "page"})
		set(6, Change{Source: "page"})
		set(7, Change{})
		set(8, Change{Source: "file", Expires: time.Now().Add(time.Minute)})
		if err := limit.Set(-1, Change{Source: "page"}); err == nil {
			t.Error("a negative limit was accepted")
		}
		for range 2 { // the second time it is the same cap
			if err := limit.Cap("memory", 3, "high"); err != nil {
				t.Fatal(err)
			}
		}
		limit.Uncap("memory")
		time.Sleep(2 * time.Minute)
		synctest.Wait()

		want := map[string]uint64{"page": 2, "unknown": 1, "file": 1, "cap": 2, "expiry": 1}
		if got := limit.Snapshot().Changes; !maps.Equal(got, want) {
			t.Errorf("changes are %v, want %v", got, want)
		}
	})
}

func TestLimitTellsABoundedNumberOfSourcesApart(t *testing.T) {
	limit := NewDynamicSupervisor("jobs", MaxChildren(4)).MaxChildren()
	const changes = 1000
	for i := range changes {
		if err := limit.Set(i, Change{Source: fmt.Sprint("script ", i, "\n")}); err != nil {
			t.Fatal(err)
		}
	}
	got := limit.Snapshot().Changes
	if len(got) != maxSources+1 || got[otherSource] != changes-maxSources {
		t.Errorf("%d sources, %d changes by others, want %d and %d", len(got), got[otherSource], maxSources+1, changes-maxSources)
	}
	if got[`script 0\n`] != 1 {
		t.Errorf("changes are %v, want the first source, escaped", got)
	}
}

func TestAnExpiringSettingGivesWayToTheOneBeforeItThatLastsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := NewDynamicSupervisor("jobs", MaxChildren(4)).MaxChildren()
		set := func(n int, lasts time.Duration) {
			t.Helper()
			c := Change{Source: "page"}
			if lasts > 0 {
				c.Expires = time.Now().Add(lasts)
			}
			if err := limit.Set(n, c); err != nil {
				t.Fatal(err)
			}
		}
		wantAfter := func(d time.Duration, n int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := limit.Snapshot(); got.InForce != n || got.Setting.Value != n {
				t.Errorf("%v later %d is in force and %d set, want %d", d, got.InForce, got.Setting.Value, n)
			}
		}
		set(20, 4*time.Hour)
		set(25, time.Hour)
		set(30, 2*time.Hour) // outlives the 25, which does not come back
		set(40, time.Hour)
		wantAfter(time.Hour+time.Second, 30)
		wantAfter(time.Hour, 20)
		if got := limit.Snapshot().Setting.Expires; !got.Equal(time.Now().Add(2*time.Hour - time.Second)) {
			t.Errorf("what has come back expires at %v", got)
		}
		wantAfter(2*time.Hour, 4)

		set(20, 4*time.Hour)
		set(25, time.Hour)
		set(7, 0) // lasts, so nothing comes back any more
		set(8, 30*time.Minute)
		wantAfter(5*time.Hour, 7)
	})
}

func TestABoundedNumberOfExpiringSettingsIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := NewDynamicSupervisor("jobs", MaxChildren(4)).MaxChildren()
		const settings = 10 * maxEarlier
		for i := range settings {
			if err := limit.Set(100+i, Change{Expires: time.Now().Add(time.Duration(settings-i) * time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		limit.mu.Lock()
		remembered := len(limit.mu.earlier)
		limit.mu.Unlock()
		if remembered != maxEarlier {
			t.Errorf("%d settings are remembered, want %d", remembered, maxEarlier)
		}
		time.Sleep(settings * time.Hour)
		synctest.Wait()
		if n := limit.Value(); n != 4 {
			t.Errorf("at the end the limit is %d, want that of the code", n)
		}
	})
}
