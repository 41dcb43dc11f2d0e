package headcount

import (
	"cmp"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A registry holds the children of one supervisor that came and have not left, and what is counted of all that ever
// did. It is cut into shards, so that starts on several cores do not wait for each other.
//
// A child's id says where it is: the shard, and its number within the shard. A shard keeps its children in blocks of 32
// in the order of their numbers, so that finding one is a binary search and a page is read from where the last one
// ended. A lock is held for a bounded number of entries. An empty block is dropped; one child alone keeps one block.
type registry struct {
	shards []registryShard // a power of two
	bits   int             // of the number of shards
	clock  *clock
	timed  bool // lifetimes are put into the histogram
}

type registryShard struct {
	mu         sync.Mutex
	finished   atomic.Uint64    // of all that ever entered, those whose tail is over
	next       uint64           // the number of the next child
	blocks     []*registryBlock // in the order of their numbers, none empty but the last
	exits      [exitKinds]uint64
	lastBlock  time.Duration // when the last block was begun
	unmeasured uint64        // children that have left since the last whose lifetime was measured
	spare      *registryBlock
	lifetimes  histogram

	_ cacheLine // shards do not share one
}

const blockSize = 32

type registryBlock struct {
	first    uint64 // the number of the first entry
	live     int
	children [blockSize]*Child
}

func newRegistry(clock *clock, timed bool) registry {
	shards := ceilPowerOfTwo(min(4*runtime.GOMAXPROCS(0), 64))
	return registry{shards: make([]registryShard, shards), bits: bits.TrailingZeros(uint(shards)), clock: clock, timed: timed}
}

// add enters the child and gives it its id and its start. Where the child is in memory chooses the shard: that costs nothing.
func (r *registry) add(c *Child) {
	i := addressHash(unsafe.Pointer(c)) & uint(len(r.shards)-1)
	s := &r.shards[i]
	s.mu.Lock()
	number := s.next
	s.next++
	place := number % blockSize
	c.started, c.first.measured = r.startOf(number)
	if place == 0 {
		r.clock.noteBlock(c.started - s.lastBlock)
		s.lastBlock = c.started
		b := s.spare
		if s.spare = nil; b == nil {
			b = new(registryBlock)
		}
		b.first = number - place
		s.blocks = append(s.blocks, b)
	}
	b := s.blocks[len(s.blocks)-1]
	b.children[place] = c
	b.live++
	c.slot = b
	c.id = number<<r.bits + uint64(i) + 1
	s.mu.Unlock()
}

// Where children come fast, one in sampleEvery has its lifetime measured and counts for all that are short.
const (
	sampleEvery = 8
	shortLife   = 16 * tickEvery // a longer one is known well enough from ticks
)

// startOf gives a child its start, and tells whether that was read from the machine's clock.
func (r *registry) startOf(number uint64) (at time.Duration, exact bool) {
	if tick, ticking := r.clock.roughly(); ticking && (!r.timed || number%sampleEvery != 0) {
		return tick, false
	}
	return r.clock.now(), true
}

// measureLocked puts the lifetime of a child that leaves into the histogram.
func (s *registryShard) measureLocked(c *Child, clock *clock) {
	s.unmeasured++
	if c.first.measured {
		s.lifetimes.observeFor(clock.now()-c.started, s.unmeasured)
		s.unmeasured = 0
		return
	}
	now, ticking := clock.roughly()
	if !ticking {
		now = clock.now()
	}
	if lived := now - c.started; lived >= shortLife {
		s.lifetimes.observe(lived)
		s.unmeasured--
	}
}

// where gives the shard of an id and the number within it.
func (r *registry) where(id uint64) (s *registryShard, number uint64) {
	return &r.shards[(id-1)&uint64(len(r.shards)-1)], (id - 1) >> r.bits
}

// remove takes the child out and counts its exit.
func (r *registry) remove(c *Child) {
	s, number := r.where(c.id)
	s.mu.Lock()
	s.exits[c.first.how]++
	if r.timed {
		s.measureLocked(c, r.clock)
	}
	b := c.slot
	b.children[number-b.first] = nil
	if b.live--; b.live == 0 && b.first+blockSize <= s.next {
		s.dropLocked(b)
	}
	s.mu.Unlock()
}

func (s *registryShard) dropLocked(b *registryBlock) {
	i := s.searchLocked(b.first)
	s.blocks = slices.Delete(s.blocks, i, i+1)
	s.spare = b
}

// searchLocked finds the first block that may hold the number or a later one.
func (s *registryShard) searchLocked(number uint64) int {
	i, _ := slices.BinarySearchFunc(s.blocks, number, func(b *registryBlock, n uint64) int {
		return cmp.Compare(b.first+blockSize-1, n)
	})
	return i
}

// finished notes that the tail of the child is over.
func (r *registry) finished(c *Child) {
	s, _ := r.where(c.id)
	s.finished.Add(1)
}

// unfinished is the number of children whose tail is not over: those in the registry, and those on their way out.
func (r *registry) unfinished() (n int) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n += int(s.next - s.finished.Load())
		s.mu.Unlock()
	}
	return n
}

// find gives the child of this id, or nil.
func (r *registry) find(id uint64) *Child {
	if id == 0 {
		return nil
	}
	s, number := r.where(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.searchLocked(number); i < len(s.blocks) && s.blocks[i].first <= number {
		return s.blocks[i].children[number-s.blocks[i].first]
	}
	return nil
}

// page gives up to n children with ids above after, in rising order, and the id to go on from; zero at the end. A child
// that is there throughout is met once in a row of pages.
func (r *registry) page(after uint64, n int) (children []*Child, next uint64) {
	batch := n/len(r.shards) + blockSize
	var found []*Child
	for len(children) < n {
		// A shard that holds more than its batch bounds what can be put in order in this round.
		found = found[:0]
		bound := uint64(math.MaxUint64)
		for i := range r.shards {
			had := len(found)
			var more bool
			found, more = r.appendAfter(found, i, after, batch)
			if more && len(found) > had {
				bound = min(bound, found[len(found)-1].id)
			}
		}
		slices.SortFunc(found, func(a, b *Child) int { return cmp.Compare(a.id, b.id) })
		for _, c := range found {
			if c.id > bound {
				break
			}
			if len(children) == n {
				return children, children[n-1].id
			}
			children = append(children, c)
		}
		if bound == math.MaxUint64 {
			return children, 0
		}
		after = bound
	}
	return children, children[n-1].id
}

// appendAfter appends up to n children of one shard with ids above after, and reports whether there may be more.
func (r *registry) appendAfter(to []*Child, shard int, after uint64, n int) (_ []*Child, more bool) {
	// The first number whose id is above after.
	number := uint64(0)
	if after > uint64(shard) {
		number = (after-uint64(shard)-1)>>r.bits + 1
	}
	s := &r.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := s.searchLocked(number); i < len(s.blocks); i++ {
		b := s.blocks[i]
		for place, c := range b.children {
			if c == nil || b.first+uint64(place) < number {
				continue
			}
			if n == 0 {
				return to, true
			}
			to = append(to, c)
			n--
		}
	}
	return to, false
}

// oldest gives the child with the lowest number of any shard that started first, or nil.
func (r *registry) oldest() (oldest *Child) {
	for i := range r.shards {
		c := r.shards[i].first()
		if c != nil && (oldest == nil || c.started < oldest.started) {
			oldest = c
		}
	}
	return oldest
}

func (s *registryShard) first() *Child {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.blocks { // only the last can be empty
		for _, c := range b.children {
			if c != nil {
				return c
			}
		}
	}
	return nil
}

// entered is the number of all that ever entered.
func (r *registry) entered() (n uint64) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n += s.next
		s.mu.Unlock()
	}
	return n
}

// totals adds up what the shards have counted.
func (r *registry) totals() (started uint64, exits ExitCounts, lifetimes Histogram) {
	var all [exitKinds]uint64
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		started += s.next
		for kind, n := range s.exits {
			all[kind] += n
		}
		if r.timed {
			s.lifetimes.addTo(&lifetimes)
		}
		s.mu.Unlock()
	}
	return started, exitCounts(all), lifetimes
}
