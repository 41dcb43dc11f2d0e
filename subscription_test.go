package headcount

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
)

func TestSubscriptionReceivesInOrderUntilItIsClosed(t *testing.T) {
	var b eventBus
	b.emit(ChildStuck{ID: 1}) // nobody hears it
	s := b.subscribe(0)
	for id := range uint64(10) {
		b.emit(ChildStuck{ID: id})
	}
	s.Close()
	b.emit(ChildStuck{ID: 99})
	var want uint64
	for e := range s.C() {
		if e.(ChildStuck).ID != want {
			t.Errorf("got %v, want %d", e, want)
		}
		want++
	}
	if want != 10 || s.Dropped() != 0 {
		t.Errorf("received %d, dropped %d", want, s.Dropped())
	}
}

func TestSubscriptionDropsTheNewestAndCountsThem(t *testing.T) {
	var b eventBus
	slow, other := b.subscribe(2), b.subscribe(10)
	for id := range uint64(5) {
		b.emit(ChildStuck{ID: id})
	}
	if n := slow.Dropped(); n != 3 {
		t.Errorf("dropped %d", n)
	}
	if e := <-slow.C(); e.(ChildStuck).ID != 0 {
		t.Errorf("got %v first", e)
	}
	if len(other.C()) != 5 || other.Dropped() != 0 {
		t.Errorf("the other has %d and lost %d", len(other.C()), other.Dropped())
	}
}

func TestSubscriptionBufferIsBounded(t *testing.T) {
	var b eventBus
	for buffer, want := range map[int]int{-1: 256, 0: 256, 1: 1, 65_536: 65_536, math.MaxInt: 65_536} {
		if got := cap(b.subscribe(buffer).C()); got != want {
			t.Errorf("buffer %d gives %d, want %d", buffer, got, want)
		}
	}
}

func TestSubscriptionClosesOnceAndLeavesTheOthers(t *testing.T) {
	var b eventBus
	first, second := b.subscribe(1), b.subscribe(1)
	first.Close()
	first.Close()
	b.emit(SupervisorStarted{})
	if _, open := <-first.C(); open {
		t.Error("the closed one received")
	}
	if len(second.C()) != 1 {
		t.Error("the other did not receive")
	}
	second.Close()
	if b.subs.Load() != nil {
		t.Error("the bus still has a subscription")
	}
	second.Close()
}

// Emitting, subscribing and closing subscriptions at the same time neither
// panics nor loses an event uncounted.
func TestEventBusUnderConcurrentUse(t *testing.T) {
	const emitters, each = 4, 2000
	var b eventBus
	var emit, churn, receive sync.WaitGroup
	steady := b.subscribe(16)
	var received atomic.Uint64
	receive.Go(func() {
		last := map[uint64]int{}
		for e := range steady.C() {
			received.Add(1)
			r := e.(ChildRestarted)
			if before, ok := last[r.ID]; ok && before >= r.Restarts {
				t.Errorf("emitter %d: %d after %d", r.ID, r.Restarts, before)
			}
			last[r.ID] = r.Restarts
		}
	})
	for id := range uint64(emitters) {
		emit.Go(func() {
			for i := range each {
				b.emit(ChildRestarted{ID: id, Restarts: i})
			}
		})
		churn.Go(func() {
			for range 500 {
				s := b.subscribe(1)
				select {
				case <-s.C():
				default:
				}
				s.Close()
			}
		})
	}
	emit.Wait()
	steady.Close() // while others still come and go
	churn.Wait()
	receive.Wait()
	if got := received.Load() + steady.Dropped(); got != emitters*each {
		t.Errorf("received and dropped %d of %d", got, emitters*each)
	}
	if b.subs.Load() != nil {
		t.Error("a closed subscription is kept")
	}
}

func TestEmitWithoutSubscriptionAllocatesNothing(t *testing.T) {
	var b eventBus
	var e Event = SupervisorStarted{}
	if n := testing.AllocsPerRun(100, func() { b.emit(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEmit(b *testing.B) {
	var e Event = SupervisorStarted{Path: "a"}
	b.Run("unheard", func(b *testing.B) {
		var bus eventBus
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				bus.emit(e)
			}
		})
	})
	b.Run("full", func(b *testing.B) {
		var bus eventBus
		bus.subscribe(1)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				bus.emit(e)
			}
		})
	})
	b.Run("received", func(b *testing.B) {
		var bus eventBus
		s := bus.subscribe(0)
		var done sync.WaitGroup
		done.Go(func() {
			for range s.C() {
			}
		})
		for b.Loop() {
			bus.emit(e)
		}
		s.Close()
		done.Wait()
		b.ReportMetric(float64(s.Dropped())/float64(b.N), "dropped/op")
	})
}
