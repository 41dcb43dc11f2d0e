package endpoint

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// A knownTable remembers which clients had a request of a higher class lately. A connection comes before anybody can say
// whose it is; by its address a part of the room can be kept for those who have been here. It is of a fixed size: a
// client has four places, of which it takes the one that was not used for the longest time, so that a flood of proven
// clients makes others strangers again and does no more. Reading and writing need no lock: each place is one word.
type knownTable struct {
	seed   maphash.Seed
	epoch  time.Time
	places [knownSets * knownWays]atomic.Uint64 // tag of the client in the upper half, second of the last time in the lower
}

const (
	knownSets = 4096
	knownWays = 4
	// knownFor is how long a client is remembered.
	knownFor = 10 * time.Minute
)

func newKnownTable() *knownTable {
	// The clock begins so that a place which was never used is old.
	return &knownTable{seed: maphash.MakeSeed(), epoch: time.Now().Add(-2 * knownFor)}
}

func (t *knownTable) now() uint64 { return uint64(time.Since(t.epoch)/time.Second) & 0xFFFF_FFFF }

// find gives the places of the client and its tag.
func (t *knownTable) find(client netip.Addr) (places []atomic.Uint64, tag uint64) {
	h := maphash.Comparable(t.seed, client)
	first := h % knownSets * knownWays
	return t.places[first : first+knownWays], h >> 32
}

// note remembers the client.
func (t *knownTable) note(client netip.Addr) {
	places, tag := t.find(client)
	now := t.now()
	oldest := &places[0]
	for i := range places {
		word := places[i].Load()
		if word>>32 == tag {
			if word&0xFFFF_FFFF != now {
				places[i].Store(tag<<32 | now)
			}
			return
		}
		if word&0xFFFF_FFFF < oldest.Load()&0xFFFF_FFFF {
			oldest = &places[i]
		}
	}
	oldest.Store(tag<<32 | now)
}

// has reports whether the client is remembered.
func (t *knownTable) has(client netip.Addr) bool {
	places, tag := t.find(client)
	now := t.now()
	for i := range places {
		word := places[i].Load()
		if word>>32 == tag && now-word&0xFFFF_FFFF < uint64(knownFor/time.Second) {
			return true
		}
	}
	return false
}
