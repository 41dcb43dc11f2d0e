package headcount

import (
	"cmp"
	"slices"
)

// A KeyCount is a key and what it holds.
type KeyCount[K comparable] struct {
	Key   K
	Name  string // as shown
	Count int
}

// maxTopKeys bounds an answer of TopKeys.
const maxTopKeys = 1000

// TopKeys gives the n keys that hold most, at most 1,000, the first holding most. It looks at all keys that hold a
// child, a bounded number at a time, while starts and ends go on.
func (k *KeyedSupervisor[K]) TopKeys(n int) []KeyCount[K] {
	n = min(n, maxTopKeys)
	if n <= 0 {
		return nil
	}
	var top []KeyCount[K]
	cut := func() {
		slices.SortFunc(top, func(a, b KeyCount[K]) int { return cmp.Compare(b.Count, a.Count) })
		seen := make(map[K]bool)
		top = slices.DeleteFunc(top, func(c KeyCount[K]) bool {
			twice := seen[c.Key]
			seen[c.Key] = true
			return twice
		})
		top = top[:min(n, len(top))]
	}
	for i := range k.keys.shards {
		k.keys.shards[i].each(func(key K, held int) {
			top = append(top, KeyCount[K]{Key: key, Count: held})
		}, func() {
			if len(top) > 4*n {
				cut()
			}
		})
	}
	cut()
	for i := range top {
		top[i].Name = k.shown(top[i].Key)
	}
	return top
}

// TopShown is TopKeys for who does not know the type of the keys: Key and Name are both the key as it is shown.
func (k *KeyedSupervisor[K]) TopShown(n int) []KeyCount[string] {
	var shown []KeyCount[string]
	for _, c := range k.TopKeys(n) {
		shown = append(shown, KeyCount[string]{Key: c.Name, Name: c.Name, Count: c.Count})
	}
	return shown
}
