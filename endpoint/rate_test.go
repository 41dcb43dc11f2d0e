package endpoint

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRateTableAdmitsTheBurstAndThenTheRate(t *testing.T) {
	r := newRateTable(1024)
	k := rateKey(r, "ann")
	now := 5 * time.Second
	for i := range 3 {
		if _, ok := r.take(k, now, 10, 3); !ok {
			t.Fatalf("start %d of the burst was refused", i+1)
		}
	}
	wait, ok := r.take(k, now, 10, 3)
	if ok || wait != 100*time.Millisecond {
		t.Fatalf("wait %v, admitted %v; want 100ms, refused", wait, ok)
	}
	if wait, ok := r.take(k, now+99*time.Millisecond, 10, 3); ok || wait != time.Millisecond {
		t.Fatalf("wait %v, admitted %v; want 1ms, refused", wait, ok)
	}
	if _, ok := r.take(k, now+100*time.Millisecond, 10, 3); !ok {
		t.Fatal("refused after the wait")
	}
	if _, ok := r.take(rateKey(r, "bob"), now, 10, 3); !ok {
		t.Fatal("another client was refused")
	}
}

func TestRateOfZeroAdmitsNothing(t *testing.T) {
	r := newRateTable(16)
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(-1)} {
		if wait, ok := r.take(1, time.Hour, rate, 100); ok || wait != rateNever {
			t.Errorf("rate %v: wait %v, admitted %v", rate, wait, ok)
		}
	}
}

func TestInfiniteRateAdmitsEverything(t *testing.T) {
	r := newRateTable(16)
	for range 100_000 {
		if _, ok := r.take(1, 0, math.Inf(1), 1); !ok {
			t.Fatal("refused")
		}
	}
}

func TestClearedRateTableGivesTheBurstAgain(t *testing.T) {
	r := newRateTable(16)
	r.take(1, time.Hour, 0.001, 1)
	if _, ok := r.take(1, time.Hour, 1000, 1); ok {
		t.Fatal("the time at the lower rate is not sat out")
	}
	r.clear()
	if _, ok := r.take(1, time.Hour, 1000, 1); !ok {
		t.Fatal("refused after clear")
	}
}

// A tokenBucket is the plain reference.
type tokenBucket struct {
	rate, burst, tokens float64
	last                time.Duration
}

func (b *tokenBucket) take(now time.Duration) bool {
	b.tokens = min(b.burst, b.tokens+b.rate*(now-b.last).Seconds())
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func TestClientThatIsAloneGetsWhatATokenBucketGives(t *testing.T) {
	for range 200 {
		rate := float64(int(1) << rand.IntN(10)) // of these, one start is worth whole nanoseconds
		burst := 1 + rand.IntN(20)
		r := newRateTable(64)
		b := tokenBucket{rate: rate, burst: float64(burst), tokens: float64(burst)}
		k := rand.Uint64()
		now := time.Duration(0)
		for range 500 {
			now += time.Duration(rand.Int64N(int64(2 * float64(time.Second) / rate)))
			want := b.take(now)
			if wait, got := r.take(k, now, rate, burst); got != want && math.Abs(b.tokens-math.Round(b.tokens)) > 1e-6 {
				t.Fatalf("rate %v, burst %d, %v: admitted %v (wait %v), the bucket says %v", rate, burst, now, got, wait, want)
			}
		}
	}
}

// Many clients share few cells, so nearly every answer is wrong; but each is wrong on the safe side.
func TestNoClientGetsMoreThanItsRateInAnyWindowHoweverManyShareItsCells(t *testing.T) {
	const clients, rate, burst = 50, 7.0, 4
	r := newRateTable(8)
	admitted := make([][]time.Duration, clients)
	now, refused := time.Duration(0), 0
	for range 20_000 {
		now += time.Duration(rand.Int64N(int64(10 * time.Millisecond)))
		c := rand.IntN(clients)
		if _, ok := r.take(rateKey(r, c), now, rate, burst); ok {
			admitted[c] = append(admitted[c], now)
		} else {
			refused++
		}
	}
	for c, at := range admitted {
		checkWindows(t, c, at, rate, burst)
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// checkWindows checks that no window, from any start to any other, has more than its burst and what the rate gives.
func checkWindows(t *testing.T, client int, at []time.Duration, rate float64, burst int) {
	t.Helper()
	for i := range at {
		for j := i; j < len(at); j++ {
			if most := float64(burst) + (at[j]-at[i]).Seconds()*rate; float64(j-i+1) > most+1e-6 {
				t.Fatalf("client %d: %d starts within %v, at most %.3f", client, j-i+1, at[j]-at[i], most)
			}
		}
	}
}

func TestWaitIsExactAndARefusalChangesNothing(t *testing.T) {
	r := newRateTable(4)
	now := time.Duration(0)
	for range 20_000 {
		now += time.Duration(rand.Int64N(int64(20 * time.Millisecond)))
		k, rate, burst := rand.Uint64N(20), 0.5+rand.Float64()*50, 1+rand.IntN(5)
		wait, ok := r.take(k, now, rate, burst)
		if ok {
			continue
		}
		if wait <= 0 {
			t.Fatalf("refused with a wait of %v", wait)
		}
		if again, ok := r.take(k, now, rate, burst); ok || again != wait {
			t.Fatalf("a refusal changed the wait from %v to %v", wait, again)
		}
		if left, ok := r.take(k, now+wait-1, rate, burst); ok || left != 1 {
			t.Fatalf("admitted %v one nanosecond before the wait is over, wait %v", ok, left)
		}
		if _, ok := r.take(k, now+wait, rate, burst); !ok {
			t.Fatal("refused when the wait was over")
		}
	}
}

// All starts come at one instant, so each client may have its burst and no more.
func TestRateTableIsExactForAnyNumberOfTakers(t *testing.T) {
	const clients, burst = 40, 25
	r := newRateTable(1 << 10)
	var admitted [clients]atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10_000 {
				c := rand.IntN(clients)
				if _, ok := r.take(rateKey(r, c), time.Second, 1, burst); ok {
					admitted[c].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for c := range admitted {
		if n := admitted[c].Load(); n > burst || n == 0 {
			t.Errorf("client %d got %d, burst %d", c, n, burst)
		}
	}
}

// The share of honest clients that are refused while so many others are at their limit is what the formula says.
func TestShareOfHonestClientsRefusedIsWhatTheFormulaSays(t *testing.T) {
	const cells, honest, rate, burst = 16384, 200_000, 10.0, 20
	each, room := rateSpans(rate, burst)
	now := time.Hour
	for _, attackers := range []int{1000, 10_000, 100_000} {
		r := newRateTable(cells)
		for a := range attackers {
			for ok := true; ok; {
				_, ok = r.take(rateKey(r, a), now, rate, burst)
			}
		}
		refused := 0
		for h := range honest { // only looked at: their own starts would fill the table too
			if r.earliest(rateKey(r, -1-h))+each-int64(now) > room {
				refused++
			}
		}
		want := math.Pow(1-math.Pow(1-1.0/cells, float64(attackers)), rateRows)
		got := float64(refused) / honest
		t.Logf("%6d attackers: %.6f refused, formula %.6f", attackers, got, want)
		// Clients of one table share its rows, so their fates are not independent: five deviations of the count, and
		// five percent.
		if diff := math.Abs(got - want); diff > 5*math.Sqrt(want/honest)+want/20 {
			t.Errorf("%d attackers: %.6f of the honest clients are refused, the formula says %.6f", attackers, got, want)
		}
	}
}

// Single starts from ever new addresses: half of what the rows can drain does not matter, eight times as much does.
func TestFloodOfSingleStartsFillsTheTableOnlyPastItsSize(t *testing.T) {
	const cells, rate, burst = 1024, 1.0, 5
	each, room := rateSpans(rate, burst)
	share := func(load float64) float64 {
		r := newRateTable(cells)
		now, refused, looked := time.Duration(0), 0, 0
		step := time.Duration(float64(time.Second) / (load * cells * rate))
		for i := range int(30 * load * cells) {
			now += step
			r.take(rand.Uint64(), now, rate, burst)
			if i > int(20*load*cells) && i%10 == 0 {
				looked++
				if r.earliest(rand.Uint64())+each-int64(now) > room {
					refused++
				}
			}
		}
		return float64(refused) / float64(looked)
	}
	for _, load := range []float64{0.5, 1, 2, 4, 8} {
		p := share(load)
		t.Logf("%.1f x cells x rate starts a second: %.4f of new clients refused", load, p)
		if load <= 1 && p > 0.01 || load >= 8 && p < 0.3 {
			t.Errorf("load %.1f: %.4f of new clients are refused", load, p)
		}
	}
}

func TestRateTableKeepsItsSizeForAMillionClients(t *testing.T) {
	r := newRateTable(16384)
	before := liveHeap()
	for c := range 1_000_000 {
		r.take(rateKey(r, c), time.Duration(c), 10, 10)
	}
	if grown := liveHeap() - before; grown > 64<<10 {
		t.Errorf("grown by %d bytes", grown)
	}
	runtime.KeepAlive(r)
}

func TestRateTableDoesNotAllocate(t *testing.T) {
	r := newRateTable(16)
	k := netip.MustParseAddr("2001:db8::1")
	now := time.Duration(0)
	if n := testing.AllocsPerRun(1000, func() {
		r.take(rateKey(r, k), now, 1, 1)
		now += 100 * time.Millisecond
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRateTableTakesOnlyAPowerOfTwo(t *testing.T) {
	for _, cells := range []int{-1, 0, 3, 1 << 17} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d cells: no panic", cells)
				}
			}()
			newRateTable(cells)
		}()
	}
}

func FuzzRateTable(f *testing.F) {
	f.Add(uint64(1), int64(0), int64(0), 10.0, 5)
	f.Add(uint64(2), int64(1)<<60, int64(1)<<60, 1e-300, math.MaxInt)
	f.Add(uint64(3), int64(1), int64(1)<<40, 1e300, 1)
	f.Add(uint64(4), int64(1), int64(1), 1e-9, 3)
	f.Fuzz(func(t *testing.T, key uint64, start, step int64, rate float64, burst int) {
		start, step = start&(1<<60-1), step&(1<<55-1)
		r := newRateTable(2)
		now := time.Duration(start)
		admitted := 0
		for range 20 {
			wait, ok := r.take(key, now, rate, burst)
			switch {
			case ok && wait != 0, !ok && wait <= 0:
				t.Fatalf("admitted %v, wait %v", ok, wait)
			case ok && !(rate > 0):
				t.Fatalf("rate %v admitted one", rate)
			case ok:
				admitted++
			case rate > 0:
				if _, ok := r.take(key, now+wait-1, rate, burst); ok {
					t.Fatal("admitted before the wait was over")
				}
			}
			if most := float64(max(burst, 1)) + max(rate, 0)*(now-time.Duration(start)).Seconds(); float64(admitted) > most*(1+1e-9)+1e-6 {
				t.Fatalf("%d were admitted, at most %v", admitted, most)
			}
			now += time.Duration(step)
		}
		if rate > 0 && admitted == 0 {
			t.Fatal("the first start was refused")
		}
	})
}

func BenchmarkRateTableTake(b *testing.B) {
	addrs := make([]netip.Addr, 4096)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	}
	began := time.Now()
	for name, rate := range map[string]float64{"admitted": 1e9, "refused": 1e-3} {
		b.Run(name, func(b *testing.B) {
			r := newRateTable(16384)
			for _, a := range addrs {
				r.take(rateKey(r, a), time.Since(began), rate, 1)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(len(addrs)); pb.Next(); i++ {
					r.take(rateKey(r, addrs[i%len(addrs)]), time.Since(began), rate, 1)
				}
			})
		})
	}
}
