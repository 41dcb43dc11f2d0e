package headcount

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func longest() float64  { return 0 }
func shortest() float64 { return math.Nextafter(1, 0) }

func TestBackoffDoublesFromMinToMaxAfterTheFirstRestart(t *testing.T) {
	b := Backoff{}.orDefault(defaultBackoff)
	want := []time.Duration{0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000}
	for n, ms := range want {
		if got := b.delay(n, longest); got != ms*time.Millisecond {
			t.Errorf("after %d restarts: %v, want %v", n, got, ms*time.Millisecond)
		}
	}
}

func TestBackoffStaysBetweenHalfAndWholeForAnyNumberOfRestarts(t *testing.T) {
	for _, b := range []Backoff{
		defaultBackoff,
		{Min: 1, Max: 1},
		{Min: 1, Max: math.MaxInt64},
		{Min: math.MaxInt64, Max: math.MaxInt64},
		{Min: 3, Max: 100},
	} {
		for _, n := range []int{1, 2, 3, 10, 31, 62, 63, 64, 65, 1000, math.MaxInt32, math.MaxInt} {
			whole := b.delay(n, longest)
			if whole < b.Min || whole > b.Max {
				t.Fatalf("%+v after %d: %d is outside [Min, Max]", b, n, whole)
			}
			for _, random := range []func() float64{shortest, rand.Float64} {
				if got := b.delay(n, random); got < whole/2 || got > whole {
					t.Fatalf("%+v after %d: %d is outside [%d, %d]", b, n, got, whole/2, whole)
				}
			}
		}
		if got := b.delay(-1, longest); got != 0 {
			t.Errorf("%+v: a negative number of restarts waits %v", b, got)
		}
	}
}

func TestBackoffFillsZeroFieldsWithoutContradiction(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct{ in, want Backoff }{
		{Backoff{}, defaultBackoff},
		{Backoff{Min: time.Minute}, Backoff{time.Minute, time.Minute, 10 * time.Second}},
		{Backoff{Max: 10 * ms}, Backoff{10 * ms, 10 * ms, 10 * time.Second}},
		{Backoff{Min: 1, Max: 2, Stable: 3}, Backoff{1, 2, 3}},
		{Backoff{Stable: 3}, Backoff{100 * ms, 10 * time.Second, 3}},
	} {
		if got := c.in.orDefault(defaultBackoff); got != c.want {
			t.Errorf("%+v became %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestBackoffProblemNamesTheField(t *testing.T) {
	for _, c := range []struct {
		b     Backoff
		field string
	}{
		{Backoff{}, ""},
		{Backoff{Min: 5}, ""},
		{Backoff{Max: 5}, ""},
		{Backoff{Min: 5, Max: 5}, ""},
		{Backoff{Min: -1}, "Min"},
		{Backoff{Max: -1}, "Max"},
		{Backoff{Stable: -1}, "Stable"},
		{Backoff{Min: 6, Max: 5}, "Max"},
	} {
		field, problem := c.b.problem()
		if field != c.field || (problem == "") != (field == "") {
			t.Errorf("%+v: got %q, %q; want field %q", c.b, field, problem, c.field)
		}
	}
}
