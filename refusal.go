package headcount

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// ErrRefused is matched by every refusal: errors.Is(err, ErrRefused) is true if a limit said no.
var ErrRefused = errors.New("headcount: refused")

// The reasons of a refusal, each matched by errors.Is.
var (
	// ErrMaxChildren says that the supervisor holds as many children as it may.
	ErrMaxChildren = errors.New("headcount: max_children reached")
	// ErrMaxPerKey says that the key holds as many children as it may.
	ErrMaxPerKey = errors.New("headcount: max_per_key reached")
	// ErrMaxDescendants says that a supervisor above holds as many descendants as it may; the path of the refusal names it.
	ErrMaxDescendants = errors.New("headcount: max_descendants reached")
	// ErrQueueFull says that as many starts wait already as may.
	ErrQueueFull = errors.New("headcount: queue of waiting starts full")
	// ErrWaitTimeout says that no slot came free in the time that a start may wait.
	ErrWaitTimeout = errors.New("headcount: waited too long for a slot")
	// ErrPriority says that slots are free but kept for starts of a higher class.
	ErrPriority = errors.New("headcount: free slots are kept for higher classes")
	// ErrGate says that a [Gate] said no; the refusal names it.
	ErrGate = errors.New("headcount: refused by a gate")
)

// Reason says why a start was refused.
type Reason uint8

// The reasons of a refusal.
const (
	ReasonMaxChildren Reason = iota
	ReasonMaxPerKey
	ReasonMaxDescendants
	ReasonQueueFull
	ReasonWaitTimeout
	ReasonPriority
	ReasonGate
	reasons
)

var reasonTexts = [reasons]struct {
	name     string
	sentinel error
}{
	ReasonMaxChildren:    {"max_children", ErrMaxChildren},
	ReasonMaxPerKey:      {"max_per_key", ErrMaxPerKey},
	ReasonMaxDescendants: {"max_descendants", ErrMaxDescendants},
	ReasonQueueFull:      {"queue_full", ErrQueueFull},
	ReasonWaitTimeout:    {"wait_timeout", ErrWaitTimeout},
	ReasonPriority:       {"priority", ErrPriority},
	ReasonGate:           {"gate", ErrGate},
}

// String gives the word that metrics and logs use, such as max_children.
func (r Reason) String() string {
	if r < reasons {
		return reasonTexts[r].name
	}
	return fmt.Sprintf("reason(%d)", r)
}

// A Refusal is the error of a start to which a limit said no. It matches [ErrRefused] and the sentinel of its reason.
// One value is shared by all refusals of a place: it must not be changed.
type Refusal struct {
	Path   string // the supervisor whose limit it is
	Reason Reason
	Limit  int    // the limit in force when it was last set; for queue_full the length of the queue; see MaxPerKeyFunc
	Gate   string // for ReasonGate, the name of the gate
}

// Word is what metrics and logs call the reason: max_children, or the name of the gate.
func (r *Refusal) Word() string {
	if r.Reason == ReasonGate {
		return r.Gate
	}
	return r.Reason.String()
}

func (r *Refusal) Error() string {
	limit := fmt.Sprint(r.Limit)
	if r.Limit == Unlimited {
		limit = "unlimited"
	}
	switch r.Reason {
	case ReasonQueueFull:
		return fmt.Sprintf("%s: start refused: %s starts wait already (%s)", r.Path, limit, r.Reason)
	case ReasonWaitTimeout:
		return fmt.Sprintf("%s: start refused: no slot came free in time (%s, limit %s)", r.Path, r.Reason, limit)
	case ReasonPriority:
		return fmt.Sprintf("%s: start refused: free slots are kept for higher classes (%s, limit %s)", r.Path, r.Reason, limit)
	}
	return fmt.Sprintf("%s: start refused: %s is %s", r.Path, r.Word(), limit)
}

// Is matches ErrRefused and the sentinel of the reason.
func (r *Refusal) Is(target error) bool {
	return target == ErrRefused || r.Reason < reasons && target == reasonTexts[r.Reason].sentinel
}

// RefusedCounts is the number of refusals by reason.
type RefusedCounts struct {
	MaxChildren, MaxPerKey, MaxDescendants, QueueFull, WaitTimeout, Priority uint64

	Gates uint64 // by all [Gate] values of the supervisor together
}

// Total adds all reasons up.
func (c RefusedCounts) Total() uint64 {
	return c.MaxChildren + c.MaxPerKey + c.MaxDescendants + c.QueueFull + c.WaitTimeout + c.Priority + c.Gates
}

// refusedCounter counts refusals in stripes, so that refusing on all cores costs each what it costs one. It also finds
// spells of refusals: the first refusal after a quiet second begins one, a second without any ends it.
type refusedCounter struct {
	stripes []refusedStripe // a power of two
	spell   [reasons]atomic.Bool
}

type refusedStripe struct {
	by [reasons]atomic.Uint64
	_  [128 - reasons*8]byte // two cache lines, which are fetched together
}

// spellEnd is the time without a refusal after which a spell is over.
const spellEnd = time.Second

func newRefusedCounter() refusedCounter {
	return refusedCounter{stripes: make([]refusedStripe, ceilPowerOfTwo(min(runtime.GOMAXPROCS(0), 64)))}
}

func ceilPowerOfTwo(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// add counts one refusal. Afterwards begins tells whether that begins a spell: they are two, so that both are inlined.
func (c *refusedCounter) add(r Reason) { c.stripes[stackHash()&uint(len(c.stripes)-1)].by[r].Add(1) }

func (c *refusedCounter) begins(r Reason) bool {
	return !c.spell[r].Load() && c.spell[r].CompareAndSwap(false, true)
}

// stackHash tells goroutines that run at the same time apart, at the cost of nothing: by where their stacks are.
func stackHash() uint {
	var here byte
	return addressHash(unsafe.Pointer(&here))
}

// addressHash is a number for a place in memory, the same for a KiB. The address is only looked at, never used as one.
func addressHash(p unsafe.Pointer) uint {
	return uint(uint64(uintptr(p)>>10) * 0x9E3779B97F4A7C15 >> 40)
}

func (c *refusedCounter) total(r Reason) (n uint64) {
	for i := range c.stripes {
		n += c.stripes[i].by[r].Load()
	}
	return n
}

func (c *refusedCounter) counts() RefusedCounts {
	return RefusedCounts{
		MaxChildren: c.total(ReasonMaxChildren), MaxPerKey: c.total(ReasonMaxPerKey), MaxDescendants: c.total(ReasonMaxDescendants),
		QueueFull: c.total(ReasonQueueFull), WaitTimeout: c.total(ReasonWaitTimeout), Priority: c.total(ReasonPriority),
	}
}

// refuse counts a refusal at this supervisor and tells of the spell that it may begin.
func (n *node) refuse(err *Refusal) error {
	n.refused.add(err.Reason)
	if n.refused.begins(err.Reason) {
		n.beginSpell(err)
	}
	return err
}

func (n *node) beginSpell(err *Refusal) {
	reason := err.Reason
	n.refused.watch(reason, func(began time.Time) {
		n.emit(LimitReached{Path: n.Path(), Time: began, Reason: reason.String(), Limit: err.Limit})
	}, func(refused uint64, lasted time.Duration) {
		n.emit(LimitCleared{Path: n.Path(), Time: time.Now(), Reason: reason.String(), Refused: refused, For: lasted})
	})
}

// watch tells of a spell that a refusal has just begun, and of its end.
func (c *refusedCounter) watch(r Reason, reached func(began time.Time), cleared func(refused uint64, lasted time.Duration)) {
	began := time.Now()
	reached(began)
	last := c.total(r)
	before := last - 1 // the refusal that began the spell is counted already
	var check func()
	check = func() {
		if now := c.total(r); now != last {
			last = now
			time.AfterFunc(spellEnd, check)
			return
		}
		cleared(last-before, time.Since(began)-spellEnd)
		c.spell[r].Store(false)
		// A refusal between the count and the store began no spell: it must not go unnoticed.
		if c.total(r) != last && c.spell[r].CompareAndSwap(false, true) {
			c.watch(r, reached, cleared)
		}
	}
	time.AfterFunc(spellEnd, check)
}
