package endpoint

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/headcount-go/headcount"
)

func TestHeldTableAdmitsEachKeyUpToTheLimit(t *testing.T) {
	h := newHeldTable[string](2)
	for _, k := range []string{"ann", "bob"} {
		for range 2 {
			if !h.take(k) {
				t.Fatalf("%s: refused below the limit", k)
			}
		}
		if h.take(k) {
			t.Fatalf("%s: admitted above the limit", k)
		}
	}
	h.leave("ann")
	if !h.take("ann") {
		t.Fatal("refused after one had left")
	}
	if h.take("bob") {
		t.Fatal("another key's leave made room")
	}
	if n := h.held("ann"); n != 2 {
		t.Fatalf("ann holds %d, want 2", n)
	}
	if n := h.held("carl"); n != 0 {
		t.Fatalf("carl holds %d, want 0", n)
	}
}

func TestHeldTableOfZeroAdmitsNothing(t *testing.T) {
	for _, most := range []int{0, -1} {
		h := newHeldTable[string](most)
		if h.take("ann") {
			t.Errorf("limit %d: admitted one", most)
		}
		if _, keys := h.total(); keys != 0 {
			t.Errorf("limit %d: a refusal left %d entries", most, keys)
		}
	}
}

func TestHeldTableWithoutLimitAdmitsAll(t *testing.T) {
	h := newHeldTable[string](headcount.Unlimited)
	for range 100_000 {
		if !h.take("ann") {
			t.Fatal("refused")
		}
	}
	if slots, keys := h.total(); slots != 100_000 || keys != 1 {
		t.Fatalf("%d slots of %d keys, want 100000 of 1", slots, keys)
	}
}

func TestHeldTableThatObservesTakesAboveTheLimitAndSaysSo(t *testing.T) {
	h := newHeldTable[string](1)
	if h.takeAnyway("ann") {
		t.Fatal("the first one is not above the limit")
	}
	if !h.takeAnyway("ann") {
		t.Fatal("the second one is above the limit")
	}
	if n := h.held("ann"); n != 2 {
		t.Fatalf("ann holds %d, want 2", n)
	}
	h.leave("ann")
	if h.take("ann") {
		t.Fatal("admitted at the limit")
	}
}

func TestHeldTableKeepsAnEntryOnlyWhileSomethingIsHeld(t *testing.T) {
	h := newHeldTable[int](3)
	for k := range 1000 {
		h.take(k)
		h.take(k)
	}
	if slots, keys := h.total(); slots != 2000 || keys != 1000 {
		t.Fatalf("%d slots of %d keys, want 2000 of 1000", slots, keys)
	}
	for k := range 1000 {
		h.leave(k)
	}
	if slots, keys := h.total(); slots != 1000 || keys != 1000 {
		t.Fatalf("%d slots of %d keys, want 1000 of 1000", slots, keys)
	}
	for k := range 1000 {
		h.leave(k)
	}
	if slots, keys := h.total(); slots != 0 || keys != 0 {
		t.Fatalf("%d slots of %d keys, want none", slots, keys)
	}
}

func TestHeldTableLeftTooOftenPanicsAndGoesOn(t *testing.T) {
	h := newHeldTable[string](1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		h.leave("ann")
	}()
	if !h.take("ann") || h.take("ann") {
		t.Error("the limit does not hold afterwards")
	}
}

// What a key holds is counted outside, at the instant after its take.
func TestHeldTableIsExactForAnyNumberOfTakersWhileTheLimitChanges(t *testing.T) {
	const keys, high = 5, 4
	h := newHeldTable[string](high)
	var inside [keys]struct{ now, peak atomic.Int64 }
	var admitted atomic.Int64
	var holders, changer sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		holders.Go(func() {
			var mine []int
			leave := func(i int) {
				inside[mine[i]].now.Add(-1)
				h.leave(strconv.Itoa(mine[i]))
				mine[i] = mine[len(mine)-1]
				mine = mine[:len(mine)-1]
			}
			for turn := 0; turn < 20_000 || admitted.Load() == 0; turn++ { // the limit may have been 0 all the while
				if len(mine) > 0 && rand.IntN(2) == 0 {
					leave(rand.IntN(len(mine)))
					continue
				}
				k := rand.IntN(keys)
				if !h.take(strconv.Itoa(k)) {
					continue
				}
				admitted.Add(1)
				n := inside[k].now.Add(1)
				for p := inside[k].peak.Load(); n > p && !inside[k].peak.CompareAndSwap(p, n); p = inside[k].peak.Load() {
				}
				mine = append(mine, k)
			}
			for len(mine) > 0 {
				leave(0)
			}
		})
	}
	changer.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				h.setMost(rand.IntN(high + 1))
			}
		}
	})
	holders.Wait()
	close(done)
	changer.Wait()
	for k := range inside {
		if p := inside[k].peak.Load(); p > high {
			t.Errorf("key %d held %d, limit %d", k, p, high)
		}
	}
	if slots, left := h.total(); slots != 0 || left != 0 || admitted.Load() == 0 {
		t.Errorf("%d slots of %d keys are left, %d were admitted", slots, left, admitted.Load())
	}
}

func TestLoweredHeldTableAdmitsNoneOnceTheCallHasReturned(t *testing.T) {
	for range 20 {
		h := newHeldTable[int](headcount.Unlimited)
		var closed atomic.Bool
		var late atomic.Int64
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 2000 {
					seen := closed.Load()
					if k := (i + g) % 7; h.take(k) {
						if seen {
							late.Add(1)
						}
						h.leave(k)
					}
				}
			})
		}
		runtime.Gosched()
		h.setMost(0)
		closed.Store(true)
		wg.Wait()
		if late.Load() > 0 {
			t.Fatalf("%d were admitted after the limit had been lowered to zero", late.Load())
		}
	}
}

func TestHeldTableDoesNotAllocateForARefusalNorForAKeyThatHolds(t *testing.T) {
	noAllocations(t, "string", "203.0.113.7", "198.51.100.1")
	noAllocations(t, "netip.Addr", netip.MustParseAddr("2001:db8::1%eth0"), netip.MustParseAddr("2001:db8::2"))
	noAllocations(t, "netip.Prefix", netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("192.0.2.0/24"))
	noAllocations(t, "struct", struct {
		user  string
		class int
	}{"ann", 1}, struct {
		user  string
		class int
	}{"bob", 2})
}

func noAllocations[K comparable](t *testing.T, name string, holds, refused K) {
	t.Helper()
	h := newHeldTable[K](2)
	h.take(holds)
	if n := testing.AllocsPerRun(1000, func() {
		h.take(holds)
		h.take(holds) // refused
		h.held(holds)
		h.leave(holds)
		h.takeAnyway(holds)
		h.leave(holds)
	}); n != 0 {
		t.Errorf("%s: %v allocations for a key that holds", name, n)
	}
	h.setMost(0)
	if n := testing.AllocsPerRun(1000, func() { h.take(refused) }); n != 0 {
		t.Errorf("%s: %v allocations for a refusal", name, n)
	}
}

// Some keys stay, as they do on a real server: the memory of the flood must come back all the same.
func TestHeldTableGivesMemoryBackAfterAFlood(t *testing.T) {
	const flood, stay = 400_000, 1000
	h := newHeldTable[[16]byte](1)
	key := func(i int) (k [16]byte) {
		k[0], k[1], k[2] = byte(i), byte(i>>8), byte(i>>16)
		return k
	}
	before := liveHeap()
	for i := range flood {
		h.take(key(i))
	}
	full := liveHeap() - before
	for i := stay; i < flood; i++ {
		h.leave(key(i))
	}
	left := liveHeap() - before
	if slots, keys := h.total(); slots != stay || keys != stay {
		t.Fatalf("%d slots of %d keys, want %d", slots, keys, stay)
	}
	t.Logf("%d keys took %d KiB, %d keys %d KiB after it", flood, full>>10, stay, left>>10)
	if left > full/20 {
		t.Errorf("%d of %d bytes are still held", left, full)
	}
	for i := range stay {
		if h.held(key(i)) != 1 {
			t.Fatalf("key %d was lost", i)
		}
	}
	runtime.KeepAlive(h)
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkHeldTableTakeLeave(b *testing.B) {
	keys := make([]netip.Addr, 4096)
	for i := range keys {
		keys[i] = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	}
	for name, of := range map[string]int{"one key": 1, "4096 keys": 4096} {
		b.Run(name, func(b *testing.B) {
			h := newHeldTable[netip.Addr](1 << 20)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(of); pb.Next(); i++ {
					k := keys[i%of]
					h.take(k)
					h.leave(k)
				}
			})
		})
	}
}

func BenchmarkHeldTableRefusal(b *testing.B) {
	h := newHeldTable[netip.Addr](1)
	k := netip.MustParseAddr("203.0.113.7")
	h.take(k)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.take(k)
		}
	})
}
