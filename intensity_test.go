package headcount

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestIntensityZeroValueMeansTheDefault(t *testing.T) {
	if got := (Intensity{}).orDefault(defaultIntensity); got != (Intensity{Restarts: 3, Within: 5 * time.Second}) {
		t.Errorf("default is %+v", got)
	}
	own := Intensity{Within: time.Second} // no restart at all is a choice, not a gap
	if got := own.orDefault(defaultIntensity); got != own {
		t.Errorf("%+v became %+v", own, got)
	}
}

func TestIntensityProblemNamesTheField(t *testing.T) {
	for _, c := range []struct {
		in    Intensity
		field string
	}{
		{Intensity{}, ""},
		{Intensity{Restarts: 0, Within: time.Nanosecond}, ""},
		{Intensity{Restarts: 10_000, Within: time.Hour}, ""},
		{Intensity{Restarts: -1, Within: time.Second}, "Restarts"},
		{Intensity{Restarts: 10_001, Within: time.Second}, "Restarts"},
		{Intensity{Restarts: 1}, "Within"},
		{Intensity{Restarts: 0, Within: -time.Second}, "Within"},
	} {
		field, problem := c.in.problem()
		if field != c.field || (problem == "") != (field == "") {
			t.Errorf("%+v: got %q, %q; want field %q", c.in, field, problem, c.field)
		}
	}
}

func TestRestartWindowCountsARestartWhileItsAgeIsBelowThePeriod(t *testing.T) {
	in := Intensity{Restarts: 2, Within: 5 * time.Second}
	var w restartWindow
	for _, step := range []struct {
		now  time.Duration
		want bool
	}{
		{0, true},
		{time.Second, true},
		{2 * time.Second, false},
		{5*time.Second - 1, false},
		{5 * time.Second, true}, // the one at 0 is as old as the period
		{6*time.Second - 1, false},
		{6 * time.Second, true}, // the refused ones left no stamp
	} {
		if got := w.allow(step.now, in); got != step.want {
			t.Fatalf("at %v: allowed %v, want %v", step.now, got, step.want)
		}
	}
}

func TestRestartWindowWithNoRestartsAllowsNone(t *testing.T) {
	var w restartWindow
	for now := time.Duration(0); now < time.Minute; now += time.Second {
		if w.allow(now, Intensity{Within: time.Second}) {
			t.Fatalf("allowed at %v", now)
		}
	}
}

// Every window agrees with a list of all stamps that were ever allowed.
func TestRestartWindowAgreesWithAPlainList(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		in := Intensity{Restarts: r.IntN(40), Within: time.Duration(1 + r.IntN(1000))}
		var w restartWindow
		var all []time.Duration
		live := func(now time.Duration) (n int) {
			for _, s := range all {
				if now-s < in.Within {
					n++
				}
			}
			return n
		}
		var now time.Duration
		for range 500 {
			now += time.Duration(r.IntN(1 + r.IntN(2*int(in.Within))/(1+in.Restarts)))
			if got, want := w.used(now, in), live(now); got != want {
				t.Fatalf("%+v at %d: used %d, want %d", in, now, got, want)
			}
			want := live(now) < in.Restarts
			if got := w.allow(now, in); got != want {
				t.Fatalf("%+v at %d: allowed %v, want %v", in, now, got, want)
			}
			if want {
				all = append(all, now)
			}
			if len(w.ring) > in.Restarts {
				t.Fatalf("%+v: ring of %d", in, len(w.ring))
			}
		}
	}
}

func TestRestartWindowNeverForgetsEarlyWhenTheClockIsReadOutOfOrder(t *testing.T) {
	in := Intensity{Restarts: 2, Within: 10}
	var w restartWindow
	w.allow(5, in)
	w.allow(3, in)
	if w.allow(13, in) {
		t.Error("a third restart within the period was allowed")
	}
	if !w.allow(15, in) {
		t.Error("no restart was allowed after the period")
	}
}

func TestRestartWindowGivesItsMemoryBackAfterAStorm(t *testing.T) {
	in := Intensity{Restarts: maxIntensity, Within: time.Second}
	var w restartWindow
	for i := range maxIntensity {
		w.allow(time.Duration(i), in)
	}
	w.allow(time.Minute, in)
	if len(w.ring) > smallRing {
		t.Errorf("ring of %d after the storm", len(w.ring))
	}
}

func TestRestartWindowFollowsAChangedIntensity(t *testing.T) {
	var w restartWindow
	wide := Intensity{Restarts: 3, Within: time.Second}
	for i := range 3 {
		w.allow(time.Duration(i), wide)
	}
	if w.allow(5, Intensity{Restarts: 1, Within: time.Second}) {
		t.Error("allowed above the lowered number")
	}
	if !w.allow(6, Intensity{Restarts: 20, Within: time.Second}) {
		t.Error("refused below the raised number")
	}
}

func BenchmarkRestartWindow(b *testing.B) {
	for _, c := range []struct {
		name     string
		restarts int
	}{{"restarts=3", 3}, {"restarts=10000", maxIntensity}} {
		b.Run(c.name, func(b *testing.B) {
			in := Intensity{Restarts: c.restarts, Within: time.Duration(c.restarts)}
			var w restartWindow
			var now time.Duration
			b.ReportAllocs()
			for b.Loop() {
				now++
				if !w.allow(now, in) {
					b.Fatal("refused")
				}
			}
		})
	}
}
