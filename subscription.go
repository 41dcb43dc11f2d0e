package headcount

import (
	"slices"
	"sync"
	"sync/atomic"
)

const (
	defaultEventBuffer = 256
	maxEventBuffer     = 65_536
)

// An eventBus hands events to its subscriptions. The zero value has none.
//
// These hold:
//   - emit never waits for a receiver. With no subscription it is one atomic
//     load; with some, each costs a short lock and a channel send that gives up
//     when the buffer is full.
//   - subs points to a list that is never changed, only replaced, under mu.
//     It is nil while there is no subscription.
//   - A channel is sent to and closed under the lock of its own subscription
//     only, and never sent to once that is marked closed; so an emit that
//     still holds an old list finds the mark and sends nothing.
//   - eventBus.mu and Subscription.mu are never held together.
//   - What one goroutine emits arrives in its order.
type eventBus struct {
	subs atomic.Pointer[[]*Subscription]
	mu   sync.Mutex // guards changes of subs
}

// emit offers e to each subscription. It may be called from many goroutines
// at once.
func (b *eventBus) emit(e Event) {
	subs := b.subs.Load()
	if subs == nil {
		return
	}
	for _, s := range *subs {
		s.offer(e)
	}
}

// subscribe adds a subscription with room for buffer events, 256 if buffer is
// less than 1 and never more than 65536.
func (b *eventBus) subscribe(buffer int) *Subscription {
	if buffer < 1 {
		buffer = defaultEventBuffer
	}
	s := &Subscription{bus: b, events: make(chan Event, min(buffer, maxEventBuffer))}
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []*Subscription
	if old := b.subs.Load(); old != nil {
		list = append(list, *old...)
	}
	list = append(list, s)
	b.subs.Store(&list)
	return s
}

// unsubscribe takes s off the list, if it is there.
func (b *eventBus) unsubscribe(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.subs.Load()
	if old == nil {
		return
	}
	list := slices.DeleteFunc(slices.Clone(*old), func(o *Subscription) bool { return o == s })
	if len(list) == 0 {
		b.subs.Store(nil)
		return
	}
	b.subs.Store(&list)
}

// A Subscription receives events in a buffer of its own. A receiver that is
// too slow for its buffer loses the newest events and delays nobody; how many
// it lost is counted. All methods may be called from many goroutines.
//
// A subscription that is no longer wanted must be closed: until then each
// event is offered to it.
type Subscription struct {
	bus     *eventBus
	events  chan Event
	dropped atomic.Uint64
	mu      sync.Mutex // guards closed, and each send to events and its closing
	closed  bool
}

// C returns the channel of the events. It is closed by Close; what was in the
// buffer then can still be received. The end of a supervisor does not close
// it: it may be started again.
func (s *Subscription) C() <-chan Event { return s.events }

// Dropped returns how many events were lost because the buffer was full.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Close ends the subscription. It does not block, and closing again does
// nothing.
func (s *Subscription) Close() {
	s.bus.unsubscribe(s)
	s.end()
}

func (s *Subscription) offer(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	select {
	case s.events <- e:
	default:
		s.dropped.Add(1)
	}
}

func (s *Subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.events)
	}
}
