package endpoint

import (
	"hash/maphash"
	"math/bits"
	"runtime"
	"sync"
)

// A heldTable counts what each key holds, exactly, with one limit for every key: connections of an address, requests of
// a user. There is an entry only for a key that holds something, so the table is never larger than what is held.
//
// It is cut into shards by a keyed hash, so that nobody can choose keys that fall together. Everything of a key, the
// limit's comparison included, is decided under the lock of its shard. Keys must equal themselves: a NaN would never
// be found again.
//
// No call blocks but for that lock. A take that is refused, or whose key holds something already, does not allocate.
type heldTable[K comparable] struct {
	seed    maphash.Seed
	shards  []heldShard[K] // a power of two
	setting sync.Mutex     // one setMost after another
}

type heldShard[K comparable] struct {
	mu    sync.Mutex
	most  int       // what each key may hold, the same in all shards
	held  map[K]int // all above zero
	slots int       // the sum
	high  int       // the most keys this map has had
	_     [24]byte  // shards do not share a cache line
}

// newHeldTable makes a table in which each key may hold so many; see setMost.
func newHeldTable[K comparable](most int) *heldTable[K] {
	n := min(16*runtime.GOMAXPROCS(0), 256)
	t := &heldTable[K]{
		seed:   maphash.MakeSeed(),
		shards: make([]heldShard[K], 1<<bits.Len(uint(n-1))),
	}
	for i := range t.shards {
		t.shards[i].most = most
		t.shards[i].held = make(map[K]int)
	}
	return t
}

// take gives the key one slot more, if that keeps to the limit.
func (t *heldTable[K]) take(k K) bool {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.held[k]
	if n >= s.most {
		return false
	}
	s.setLocked(k, n+1)
	return true
}

// takeAnyway gives the key one slot more whatever the limit says, and reports whether take would have refused: for a
// limit that only observes.
func (t *heldTable[K]) takeAnyway(k K) (above bool) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.held[k]
	s.setLocked(k, n+1)
	return n >= s.most
}

// leave gives back what one take, or takeAnyway, has taken for the key.
func (t *heldTable[K]) leave(k K) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.held[k]
	if n == 0 {
		panic("endpoint: a key was left more often than taken")
	}
	s.slots--
	if n > 1 {
		s.held[k] = n - 1
		return
	}
	delete(s.held, k)
	s.shrinkLocked()
}

// held is what the key holds now.
func (t *heldTable[K]) held(k K) int {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[k]
}

// total is what all keys hold, and how many keys hold something. The shards are read one after another, not at one
// instant.
func (t *heldTable[K]) total() (slots, keys int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		slots += s.slots
		keys += len(s.held)
		s.mu.Unlock()
	}
	return slots, keys
}

// setMost sets what each key may hold: [headcount.Unlimited] for no limit, zero or less to admit nothing. What is held
// above a lowered limit stays until it leaves.
//
// A take that has used the limit before is over once its shard has been locked here: when setMost returns, n is in
// force.
func (t *heldTable[K]) setMost(n int) {
	t.setting.Lock()
	defer t.setting.Unlock()
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.most = n
		s.mu.Unlock()
	}
}

func (t *heldTable[K]) shard(k K) *heldShard[K] {
	return &t.shards[maphash.Comparable(t.seed, k)&uint64(len(t.shards)-1)]
}

func (s *heldShard[K]) setLocked(k K, n int) {
	s.held[k] = n
	s.slots++
	s.high = max(s.high, len(s.held))
}

// smallMap is the number of keys up to which a shard's map is not worth replacing.
const smallMap = 64

// shrinkLocked replaces the map when seven of eight keys have gone: a Go map keeps the size of its greatest flood. At
// least seven keys have left for each one that is copied, so a leave costs the same as ever when spread over them.
func (s *heldShard[K]) shrinkLocked() {
	if s.high <= smallMap || len(s.held) > s.high/8 {
		return
	}
	m := make(map[K]int, len(s.held))
	for k, n := range s.held {
		m[k] = n
	}
	s.held, s.high = m, len(m)
}
