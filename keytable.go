package headcount

import (
	"hash/maphash"
	"runtime"
	"sync"
)

// A keyTable holds an entry for each key that holds a slot, and for no other. It is cut into shards by a keyed hash, so
// that nobody can choose keys that fall together.
type keyTable[K comparable] struct {
	seed   maphash.Seed
	shards []keyShard[K] // a power of two
}

const (
	maxKeyShardBits = 8
	maxKeyShards    = 1 << maxKeyShardBits
)

type keyShard[K comparable] struct {
	mu    sync.Mutex
	index keyIndex[K]
	order []*keyEntry[K] // the same entries, so that they can be read a few at a time
	_     [64]byte       // shards do not share a cache line
}

// A keyEntry is one key with its children. It is where they belong.
type keyEntry[K comparable] struct {
	sup      *KeyedSupervisor[K]
	key      K
	hash     uint64
	next     *keyEntry[K] // of the same chain of the index
	held     int          // slots, those of children on their way in included
	place    int          // in the shard's order
	children []*Child
}

func (t *keyTable[K]) init() {
	t.seed = maphash.MakeSeed()
	t.shards = make([]keyShard[K], ceilPowerOfTwo(min(16*runtime.GOMAXPROCS(0), maxKeyShards)))
}

func (t *keyTable[K]) hash(key K) uint64 { return maphash.Comparable(t.seed, key) }

// shard gives the shard of a hash. The top bits choose it: the index uses those at the other end.
func (t *keyTable[K]) shard(hash uint64) *keyShard[K] {
	return &t.shards[hash>>(64-maxKeyShardBits)&uint64(len(t.shards)-1)]
}

// lock locks the shard of a key and gives the key's entry, nil if it has none.
func (t *keyTable[K]) lock(key K) (*keyShard[K], *keyEntry[K]) {
	hash := t.hash(key)
	s := t.shard(hash)
	s.mu.Lock()
	return s, s.index.find(hash, key)
}

// eachShard calls f for each shard while it is locked.
func (t *keyTable[K]) eachShard(f func(s *keyShard[K])) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// keysAtOnce bounds the keys that are read while a shard is locked.
const keysAtOnce = 256

// each calls f for the keys of a shard, under its lock, and rest between two locked stretches. It reads from the last to
// the first: a key that is taken out is replaced by the last one, which has been read already. So a key that is there
// throughout is met at least once.
func (s *keyShard[K]) each(f func(key K, held int), rest func()) {
	s.mu.Lock()
	for next := len(s.order) - 1; next >= 0; {
		next = min(next, len(s.order)-1)
		for end := max(next-keysAtOnce, -1); next > end; next-- {
			f(s.order[next].key, s.order[next].held)
		}
		s.mu.Unlock()
		rest()
		s.mu.Lock()
	}
	s.mu.Unlock()
}

func (s *keyShard[K]) addLocked(k *KeyedSupervisor[K], key K, hash uint64) *keyEntry[K] {
	e := &keyEntry[K]{sup: k, key: key, hash: hash, place: len(s.order)}
	s.index.add(e)
	s.order = append(s.order, e)
	return e
}

// giveUpLocked takes back one slot of the entry, and the entry with the last one.
func (s *keyShard[K]) giveUpLocked(e *keyEntry[K]) {
	if e.held--; e.held > 0 {
		return
	}
	s.index.remove(e)
	last := len(s.order) - 1
	s.order[e.place] = s.order[last]
	s.order[e.place].place = e.place
	s.order[last] = nil
	s.order = s.order[:last]
}

func (e *keyEntry[K]) shard() *keyShard[K] { return e.sup.keys.shard(e.hash) }

// enter puts an admitted child into the registry and among the children of its key.
func (e *keyEntry[K]) enter(c *Child) {
	e.sup.enter(c)
	s := e.shard()
	s.mu.Lock()
	c.atKey = uint32(len(e.children))
	e.children = append(e.children, c)
	s.mu.Unlock()
}

func (e *keyEntry[K]) supervisor() *node { return &e.sup.node }

func (e *keyEntry[K]) afterRun(c *Child, x exit) bool { return e.sup.afterRun(c, x) }

func (e *keyEntry[K]) leave(c *Child) {
	e.sup.registry.remove(c)
	e.sup.settleLeaver(c)
}

// free takes the child out of its key and frees its slots, under one lock: if the key were free before, the next start
// there would hold a second slot of the levels above for that moment, and one somewhere else could be refused because of
// it. See chain.freeLevels.
func (e *keyEntry[K]) free(c *Child) {
	s := e.shard()
	s.mu.Lock()
	last := len(e.children) - 1
	e.children[c.atKey] = e.children[last]
	e.children[c.atKey].atKey = c.atKey
	e.children[last] = nil
	e.children = e.children[:last]
	s.giveUpLocked(e)
	freed := e.sup.releaseSlots()
	s.mu.Unlock()
	freed.serve()
}

// giveBack is for a start that was admitted and came to nothing.
func (e *keyEntry[K]) giveBack() {
	s := e.shard()
	s.mu.Lock()
	s.giveUpLocked(e)
	freed := e.sup.releaseSlots()
	s.mu.Unlock()
	freed.serve()
	e.sup.noteDrained()
}

func (e *keyEntry[K]) countDown(c *Child) { e.sup.countDown(c) }
func (e *keyEntry[K]) path(c *Child) string {
	return e.above() + "/" + c.shownName()
}
func (e *keyEntry[K]) keyName() string { return e.sup.shown(e.key) }

// above is the path of what is below the key.
func (e *keyEntry[K]) above() string { return e.sup.Path() + "/" + e.keyName() }
