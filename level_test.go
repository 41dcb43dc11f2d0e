package headcount

import (
	"math/rand/v2"
	"testing"
)

func TestPlainlyFullIsWhatJudgeSays(t *testing.T) {
	limits := []uint64{0, 1, 2, wordUnlimited - 1, wordUnlimited}
	for range 100_000 {
		limit := limits[rand.IntN(len(limits))]
		w := rand.Uint64N(8)<<61 | limit<<limitShift | (limit+rand.Uint64N(3)-rand.Uint64N(3))&wordCount
		if got, want := plainlyFull(w), judge(w, 1, false) == full; got != want {
			t.Fatalf("plainlyFull(%#x) = %t, want %t", w, got, want)
		}
	}
}
