package endpoint

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestResetBudgetAllowsAsManyWithinThePeriodAndNoMore(t *testing.T) {
	var b resetBudget
	now := time.Hour
	for i := range 3 {
		if b.spend(1, now, 3, time.Second) {
			t.Fatalf("reset %d is within the budget", i+1)
		}
	}
	if !b.spend(1, now, 3, time.Second) {
		t.Fatal("the fourth reset is not")
	}
	if b.spend(3, now+time.Second, 3, time.Second) {
		t.Fatal("the bucket is empty again after the period")
	}
}

func TestResetBudgetCountsResetsThatComeTogetherOneByOne(t *testing.T) {
	var b resetBudget
	if !b.spend(4, 0, 3, time.Second) {
		t.Error("four at once are over a budget of three")
	}
	if b.spend(3, 0, 3, time.Second) {
		t.Error("what was too many was put in")
	}
}

func TestResetBudgetOfZeroCutsAtTheFirstReset(t *testing.T) {
	var b resetBudget
	if b.spend(0, 0, 0, time.Second) {
		t.Error("no reset is over the budget")
	}
	if !b.spend(1, 0, 0, time.Second) {
		t.Error("one reset is not")
	}
}

func TestResetBudgetWithoutLimitNeverCuts(t *testing.T) {
	var b resetBudget
	for range 1000 {
		if b.spend(1<<40, 0, headcount.Unlimited, time.Second) {
			t.Fatal("cut")
		}
	}
}

// Between most and twice as many within a period the bucket may do either; on both sides it is sure.
func TestResetBudgetNeverCutsBelowItsLimitAndAlwaysAtTwiceIt(t *testing.T) {
	cuts := 0
	for range 2000 {
		most, within := 1+rand.IntN(30), time.Duration(1+rand.Int64N(int64(time.Minute)))
		mean := float64(within) / float64(most) * (0.3 + 2*rand.Float64())
		var b resetBudget
		var at []time.Duration
		now := time.Duration(0)
		for range 300 {
			now += time.Duration(rand.ExpFloat64() * mean)
			over := b.spend(1, now, most, within)
			at = append(at, now)
			recent := 0
			for i := len(at) - 1; i >= 0 && now-at[i] < within; i-- {
				recent++
			}
			if over && maxWithin(at, within) <= most {
				t.Fatalf("cut, but never more than %d within %v", most, within)
			}
			if !over && recent > 2*most {
				t.Fatalf("not cut with %d within %v, the budget is %d", recent, within, most)
			}
			if over {
				cuts++
				break
			}
		}
	}
	if cuts == 0 {
		t.Error("none was cut")
	}
}

// maxWithin is the most of them within any such period.
func maxWithin(at []time.Duration, within time.Duration) (most int) {
	for i := range at {
		n := 0
		for j := i; j < len(at) && at[j]-at[i] < within; j++ {
			n++
		}
		most = max(most, n)
	}
	return most
}

func TestResetBudgetIsExactForTwoGoroutines(t *testing.T) {
	var b resetBudget
	var put atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 10_000 {
				if !b.spend(1, time.Second, 5000, time.Minute) {
					put.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if put.Load() != 5000 {
		t.Errorf("%d resets were put in, the budget is 5000", put.Load())
	}
}

func FuzzResetBudget(f *testing.F) {
	f.Add(1, int64(0), 3, int64(time.Second))
	f.Add(math.MaxInt, int64(1)<<60, math.MaxInt-1, int64(math.MaxInt64))
	f.Add(-1, int64(1), -1, int64(-1))
	f.Fuzz(func(t *testing.T, n int, at int64, most int, within int64) {
		now := time.Duration(at & (1<<60 - 1))
		var b resetBudget
		want := n > 0 && most != headcount.Unlimited && n > min(most, headcount.MaxLimit)
		if over := b.spend(n, now, most, time.Duration(within)); over != want {
			t.Fatalf("%d of %d at once: over is %v", n, most, over)
		}
		if b.empty.Load() < 0 {
			t.Fatal("overflow")
		}
	})
}

func BenchmarkResetBudget(b *testing.B) {
	var r resetBudget
	b.ReportAllocs()
	for now := time.Duration(0); b.Loop(); now += time.Millisecond {
		r.spend(1, now, 1000, time.Second)
	}
}
