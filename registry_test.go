package headcount

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// A registryModel is a registry beside a plain map of the same children.
type registryModel struct {
	*testing.T
	rng      *rand.Rand
	registry registry
	present  map[uint64]*Child
	ids      []uint64 // of those present, in no order
	gone     []uint64
	ever     map[uint64]bool
	leaving  []*Child // gone from the registry, their tails not over
	exits    [exitKinds]uint64
}

func newRegistryModel(t *testing.T, shards int) *registryModel {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return &registryModel{
		T: t, rng: rand.New(rand.NewPCG(seed, 0)),
		registry: registry{shards: make([]registryShard, shards), bits: bits.TrailingZeros(uint(shards)), clock: newClock(time.Now())},
		present:  make(map[uint64]*Child), ever: make(map[uint64]bool),
	}
}

func TestRegistryAgreesWithAPlainMap(t *testing.T) {
	for _, shards := range []int{1, 2, 8, 64} {
		t.Run(fmt.Sprintf("shards=%d", shards), func(t *testing.T) {
			m := newRegistryModel(t, shards)
			growing := 0.5
			for step := range 10_000 {
				if step%500 == 0 { // it fills up and empties, down to the last child
					growing = m.rng.Float64()
				}
				switch {
				case m.rng.IntN(50) == 0:
					m.look()
				case m.rng.Float64() < growing:
					m.add()
				default:
					m.remove()
				}
			}
			m.walk()
			for len(m.present) > 0 {
				if m.remove(); len(m.present) == 30 {
					m.walk()
				}
			}
			m.look()
			m.blocks()
		})
	}
}

func (m *registryModel) add() {
	c := &Child{}
	m.registry.add(c)
	if c.id == 0 || m.ever[c.id] {
		m.Fatalf("id %d is not new", c.id)
	}
	m.ever[c.id] = true
	m.present[c.id] = c
	m.ids = append(m.ids, c.id)
}

func (m *registryModel) remove() {
	if len(m.ids) == 0 {
		return
	}
	i := m.rng.IntN(len(m.ids))
	c := m.present[m.ids[i]]
	m.ids = slices.Delete(m.ids, i, i+1)
	c.first.how = exitKind(m.rng.IntN(int(exitKinds)))
	m.registry.remove(c)
	m.exits[c.first.how]++
	delete(m.present, c.id)
	m.gone = append(m.gone, c.id)
	m.leaving = append(m.leaving, c)
	if m.rng.IntN(2) == 0 {
		for _, c := range m.leaving {
			m.registry.finished(c)
		}
		m.leaving = nil
	}
}

func (m *registryModel) sorted() []uint64 { return slices.Sorted(slices.Values(m.ids)) }

// look asks all that a registry can be asked.
func (m *registryModel) look() {
	for id, c := range m.present {
		if m.registry.find(id) != c {
			m.Fatalf("child %d is not found", id)
		}
	}
	for _, id := range append([]uint64{0, m.rng.Uint64(), math.MaxUint64}, m.gone[max(0, len(m.gone)-100):]...) {
		if c := m.registry.find(id); c != nil && m.present[id] != c {
			m.Fatalf("found a child of id %d", id)
		}
	}
	m.page(m.rng.Uint64N(uint64(2*len(m.present)+100)), 1+m.rng.IntN(300))
	m.page(m.rng.Uint64(), 1+m.rng.IntN(3))

	var oldest *Child
	for _, c := range m.present {
		if oldest == nil || c.started < oldest.started {
			oldest = c
		}
	}
	if got := m.registry.oldest(); got != oldest && (got == nil || oldest == nil || got.started != oldest.started) {
		m.Fatalf("oldest is %+v, want %+v", got, oldest)
	}
	started, exits, _ := m.registry.totals()
	if want := len(m.present) + len(m.gone); started != uint64(want) || exits != exitCounts(m.exits) {
		m.Fatalf("%d started, want %d; exits %+v, want %+v", started, want, exits, exitCounts(m.exits))
	}
	if got, want := m.registry.unfinished(), len(m.present)+len(m.leaving); got != want {
		m.Fatalf("%d unfinished, want %d", got, want)
	}
	m.blocks()
}

// page compares one page with the children that the map has behind this id.
func (m *registryModel) page(after uint64, n int) {
	ids := m.sorted()
	i, found := slices.BinarySearch(ids, after)
	if found {
		i++
	}
	want := ids[i:]
	got, next := m.registry.page(after, n)
	if len(got) != min(n, len(want)) {
		m.Fatalf("page of %d after %d has %d children of %d", n, after, len(got), len(want))
	}
	for i, c := range got {
		if c.id != want[i] {
			m.Fatalf("page of %d after %d: child %d at %d, want %d", n, after, c.id, i, want[i])
		}
	}
	switch {
	case next == 0 && len(want) > n:
		m.Fatalf("page of %d after %d is the last one, but there are %d", n, after, len(want))
	case next != 0 && next != got[len(got)-1].id:
		m.Fatalf("page of %d after %d goes on from %d, its last child is %d", n, after, next, got[len(got)-1].id)
	}
}

// walk reads all, in pages of several sizes: from one child, if there are few.
func (m *registryModel) walk() {
	for n := 1 + len(m.ids)/50; n < 3000; n = 3*n + 1 {
		var got []uint64
		for after := uint64(0); ; {
			children, next := m.registry.page(after, n)
			for _, c := range children {
				got = append(got, c.id)
			}
			if after = next; next == 0 {
				break
			}
		}
		if !slices.Equal(got, m.sorted()) {
			m.Fatalf("in pages of %d: %d children, want %d", n, len(got), len(m.present))
		}
	}
}

// blocks checks that no memory is kept for children that have gone.
func (m *registryModel) blocks() {
	for i := range m.registry.shards {
		s := &m.registry.shards[i]
		if !slices.IsSortedFunc(s.blocks, func(a, b *registryBlock) int { return cmp.Compare(a.first, b.first) }) {
			m.Fatalf("the blocks of shard %d are in disorder", i)
		}
		for j, b := range s.blocks {
			live := 0
			for _, c := range b.children {
				if c != nil {
					live++
				}
			}
			if live != b.live || live == 0 && j < len(s.blocks)-1 {
				m.Fatalf("block %d of %d in shard %d counts %d and has %d", j, len(s.blocks), i, b.live, live)
			}
		}
	}
}

func TestRegistryDoesNotGrowWithThoseThatCameAndWent(t *testing.T) {
	r := newRegistry(newClock(time.Now()), false)
	held := make([]*Child, 100)
	turn := func(n int) {
		for i := range n {
			if c := held[i%len(held)]; c != nil {
				r.remove(c)
				r.finished(c)
			}
			c := &Child{}
			held[i%len(held)] = c
			r.add(c)
		}
	}
	turn(10_000)
	before := heapInUse()
	turn(1_000_000)
	if grown := heapInUse() - before; grown > 1<<20 {
		t.Errorf("%d bytes more after a million children", grown)
	}
	blocks := 0
	for i := range r.shards {
		blocks += len(r.shards[i].blocks)
	}
	if most := len(held) + len(r.shards); blocks > most {
		t.Errorf("%d blocks for %d children in %d shards", blocks, len(held), len(r.shards))
	}
	runtime.KeepAlive(held)
}

func TestASupervisorDoesNotGrowWithThoseThatCameAndWent(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 50_000
	}
	jobs := NewDynamicSupervisor("jobs", MaxChildren(10), WithLogger(quiet))
	startTree(t, jobs)
	mustGo(t, jobs, untilStopped) // keeps its own block, and no other
	turn := func(n int) {
		for range n {
			if err := jobs.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	turn(1000)
	before := heapInUse()
	turn(n)
	if grown := heapInUse() - before; grown > 1<<20 {
		t.Errorf("%d bytes more after %d children", grown, n)
	}
	if c := jobs.Counts(); c.Running != 1 || c.Exits.Normal != uint64(n+1000) {
		t.Errorf("%+v", c)
	}
}

// heapInUse is what is reachable: two collections, since the first may leave what pools and finalizers hold.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
