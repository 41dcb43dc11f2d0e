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
