package headcount

import (
	"math/rand/v2"
	"testing"
)

func TestKeyIndexHoldsWhatAMapHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var x keyIndex[int]
	want := make(map[int]*keyEntry[int])
	hash := func(key int) uint64 { return uint64(key) * 0x9E3779B97F4A7C15 >> 59 } // few, so that chains are long
	for step := range 20_000 {
		key := r.IntN(200)
		if e := want[key]; e == nil {
			e = &keyEntry[int]{key: key, hash: hash(key)}
			want[key] = e
			x.add(e)
		} else if r.IntN(1+step/5_000) > 0 || step > 19_000 { // grows first and shrinks at the end
			delete(want, key)
			x.remove(e)
		}
		if len(x.chains) != len(want) {
			t.Fatalf("step %d: %d chains for %d entries", step, len(x.chains), len(want))
		}
		for key := range 200 {
			if got := x.find(hash(key), key); got != want[key] {
				t.Fatalf("step %d: find(%d) = %v, want %v", step, key, got, want[key])
			}
		}
	}
}
