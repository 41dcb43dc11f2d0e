package headcount

import "math/bits"

// A keyIndex finds the entries of one shard by the hash of their keys, which is computed once for the shard and for
// this. It has as many chains as entries and grows and shrinks by one chain at a time (linear hashing: Litwin, 1980), so
// that nobody waits for the lock of a shard while all its keys are moved. The shard's lock guards it.
type keyIndex[K comparable] struct {
	chains []*keyEntry[K]
}

// chain is where the entries of a hash are. The index is not empty.
func (x *keyIndex[K]) chain(hash uint64) uint64 {
	n := uint64(len(x.chains))
	mask := uint64(1)<<bits.Len64(n-1) - 1
	if i := hash & mask; i < n {
		return i
	}
	return hash & (mask >> 1) // that chain has not been split yet
}

// twin is the chain that the last one was split from. There are at least two.
func (x *keyIndex[K]) twin() int {
	last := len(x.chains) - 1
	return last - 1<<(bits.Len(uint(last))-1)
}

func (x *keyIndex[K]) find(hash uint64, key K) *keyEntry[K] {
	if len(x.chains) == 0 {
		return nil
	}
	e := x.chains[x.chain(hash)]
	for e != nil && (e.hash != hash || e.key != key) {
		e = e.next
	}
	return e
}

func (x *keyIndex[K]) add(e *keyEntry[K]) {
	x.chains = append(x.chains, nil)
	if len(x.chains) > 1 {
		x.redistribute(&x.chains[x.twin()])
	}
	x.push(e)
}

func (x *keyIndex[K]) remove(e *keyEntry[K]) {
	at := &x.chains[x.chain(e.hash)]
	for *at != e {
		at = &(*at).next
	}
	*at = e.next
	last := len(x.chains) - 1
	rest := x.chains[last]
	x.chains[last] = nil
	x.chains = x.chains[:last]
	x.redistribute(&rest)
}

// redistribute empties a chain and puts its entries where they belong now.
func (x *keyIndex[K]) redistribute(chain **keyEntry[K]) {
	e := *chain
	*chain = nil
	for e != nil {
		next := e.next
		x.push(e)
		e = next
	}
}

func (x *keyIndex[K]) push(e *keyEntry[K]) {
	at := &x.chains[x.chain(e.hash)]
	e.next = *at
	*at = e
}
