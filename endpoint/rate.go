package endpoint

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A rateTable limits how often each client may start something, in a memory that is fixed whatever the number of
// clients. It never admits a client above its rate; what it may do is refuse a client that shares cells with others.
//
// It is a count-min sketch with conservative update (Estan and Varghese, "New Directions in Traffic Measurement and
// Accounting", SIGCOMM 2002) whose cells are not counts but theoretical arrival times of the generic cell rate
// algorithm (ITU-T I.371, ATM Forum Traffic Management 4.0), so that they drain by themselves: no window to rotate, no
// goroutine. A client has one cell in each of four rows. With
//
//	T = one second / rate, the time that one start is worth
//	m = the earliest of the client's four cells
//	n = max(m, now) + T
//
// a start is admitted if n - now <= burst x T; then each of the four cells that is earlier than n is set to n. That is
// a bucket of burst tokens, full at first, refilled by rate tokens a second, as seen by a client that is alone in one
// cell at least. T is rounded up to a nanosecond.
//
// Why it never admits too much: after a start, all four cells are at n or later, cells only rise, and the takes of one
// client come one after another (striped locks). So m is never earlier than it would be if the client were alone.
//
// How often it refuses too much: N clients that are at their limit occupy, in rows of w cells, a share of 1 - (1-1/w)^N
// of each row. Another client is refused only if all its four cells are among them:
//
//	p = (1 - (1-1/w)^N)^4, about (1 - e^(-N/w))^4
//
//	w = 16384:  N = 1,000    p = 0.000012
//	            N = 10,000   p = 0.044
//	            N = 100,000  p = 0.99
//
// Each start raises one cell at least and four at most, so clients that come once each, from ever new addresses, do no
// harm while they start less than w x rate in a second all together; some 2 x w x rate is all that they get through
// (measured). Past such numbers the table is a limit for the crowd and not for the client: let in by other means who
// has proven who they are. The hash has a seed of the table's own, so that nobody can aim at another's cells.
//
// Cells are nanoseconds in 64 bits, not milliseconds in 32: those would wrap after 49 days and could not tell more than
// a thousand starts a second. Four rows of 16384 take 512 KiB.
type rateTable struct {
	seed    maphash.Seed
	mask    uint64
	cells   []atomic.Int64 // row after row; nanoseconds on the clock of take, zero at first
	stripes [1 << rateStripeBits]rateStripe
}

const (
	rateRows       = 4
	rateRowBits    = 64 / rateRows // each row takes its own bits of the hash
	rateStripeBits = 6
)

// A rateStripe is the lock of the clients that hash to it.
type rateStripe struct {
	sync.Mutex
	_ [56]byte // stripes do not share a cache line
}

// newRateTable makes a table of four rows of so many cells: a power of two, at most 65,536.
func newRateTable(cells int) *rateTable {
	if cells < 1 || cells > 1<<rateRowBits || cells&(cells-1) != 0 {
		panic("endpoint: the row of a rate table is a power of two, at most 65536")
	}
	return &rateTable{
		seed:  maphash.MakeSeed(),
		mask:  uint64(cells - 1),
		cells: make([]atomic.Int64, rateRows*cells),
	}
}

// rateKey is what stands for k in this table.
func rateKey[K comparable](t *rateTable, k K) uint64 { return maphash.Comparable(t.seed, k) }

// rateNever is the wait for a start that no wait makes possible.
const rateNever = time.Duration(math.MaxInt64)

// take admits one start of the client now, if that keeps to its rate, in starts a second, and to the burst of starts
// that may come at once, at least one. A rate of zero (or less, or NaN) admits nothing, an infinite one everything.
//
// A start that is refused changes nothing. Then wait tells after what time exactly it would be admitted if the client
// and those that share its cells start nothing meanwhile.
//
// now is monotonic and not negative. A rate may be changed from one take to the next; a client that has filled its
// burst at a lower rate still has to sit out the time that this took to refill: see clear.
func (t *rateTable) take(key uint64, now time.Duration, rate float64, burst int) (wait time.Duration, ok bool) {
	if math.IsInf(rate, 1) {
		return 0, true
	}
	if !(rate > 0) {
		return rateNever, false
	}
	each, room := rateSpans(rate, burst)

	stripe := &t.stripes[key*0x9e3779b97f4a7c15>>(64-rateStripeBits)] // by all bits, whichever the rows use
	stripe.Lock()
	defer stripe.Unlock()
	next := max(t.earliest(key), int64(now)) + each
	if early := next - int64(now) - room; early > 0 {
		return time.Duration(early), false
	}
	for row := range uint64(rateRows) {
		cell := t.cell(key, row)
		for at := cell.Load(); at < next && !cell.CompareAndSwap(at, next); at = cell.Load() {
		}
	}
	return 0, true
}

// rateLongest bounds a span, so that no sum of a time and two spans overflows: 73 years. What would refill more slowly
// admits less than asked, never more.
const rateLongest = 1 << 61

// rateSpans gives the time that one start is worth, and the time that a burst is worth.
func rateSpans(rate float64, burst int) (each, room int64) {
	each = rateLongest
	if ns := math.Ceil(float64(time.Second) / rate); ns < rateLongest {
		each = max(int64(ns), 1)
	}
	burst = max(burst, 1)
	if int64(burst) > rateLongest/each {
		return each, max(rateLongest/each*each, each)
	}
	return each, int64(burst) * each
}

// earliest is the earliest of the client's cells: its theoretical arrival time, or a later one.
func (t *rateTable) earliest(key uint64) int64 {
	at := t.cell(key, 0).Load()
	for row := range uint64(rateRows) {
		at = min(at, t.cell(key, row).Load())
	}
	return at
}

func (t *rateTable) cell(key, row uint64) *atomic.Int64 {
	return &t.cells[row*(t.mask+1)+key>>(row*rateRowBits)&t.mask]
}

// clear gives every client its whole burst again: for a rate that has been raised.
func (t *rateTable) clear() {
	for i := range t.cells {
		t.cells[i].Store(0)
	}
}
