package headcount

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAReservedSlotIsNeverTakenByOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		vip := NewDynamicSupervisor("vip", MaxChildren(10), Reserve(3))
		rest := NewDynamicSupervisor("rest", MaxChildren(10))
		app := up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(8), Logger: quiet}, vip, rest))
		// Eight: two supervisors, three reserved, three for all.
		var others []*Child
		for range 3 {
			others = append(others, started(t)(rest.Go(t.Context(), obedient)))
		}
		_, err := rest.Go(t.Context(), obedient)
		is(t, err, ErrMaxDescendants)
		for range 3 {
			started(t)(vip.Go(t.Context(), obedient))
		}
		_, err = vip.Go(t.Context(), obedient)
		is(t, err, ErrMaxDescendants)
		others[0].Stop(t.Context())
		borrowed := started(t)(vip.Go(t.Context(), obedient))
		_, err = rest.Go(t.Context(), obedient)
		is(t, err, ErrMaxDescendants)
		borrowed.Stop(t.Context())
		others[0] = started(t)(rest.Go(t.Context(), obedient))
		if n := app.descendants.count(); n != 8 {
			t.Errorf("%d slots taken at the top, want 8", n)
		}
	})
}

func TestAReserveIsKeptForTheStuckAfterItsSupervisorHasGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, release := deaf()
		vip := NewDynamicSupervisor("vip", MaxChildren(10), Reserve(3))
		rest := NewDynamicSupervisor("rest", MaxChildren(10))
		app := up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(6), Logger: quiet}, vip, rest))
		for range 2 {
			started(t)(vip.Go(t.Context(), run))
		}
		if err := app.TerminateChild(t.Context(), "vip"); !errors.As(err, new(*StuckError)) {
			t.Fatal(err)
		}
		if err := app.DeleteChild(t.Context(), "vip"); err != nil {
			t.Fatal(err)
		}
		// Two are stuck and rest is one: three slots are free.
		for range 3 {
			started(t)(rest.Go(t.Context(), obedient))
		}
		_, err := rest.Go(t.Context(), obedient)
		is(t, err, ErrMaxDescendants)
		release()
		synctest.Wait()
		for range 2 {
			started(t)(rest.Go(t.Context(), obedient))
		}
		if n := vip.reserve.word.Load(); n != 0 {
			t.Errorf("the word of the reserve is %x", n)
		}
		if n := app.descendants.count(); n != 6 {
			t.Errorf("%d slots taken at the top, want 6", n)
		}
	})
}

func TestASlotThatComesFreeInAReserveWakes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		vip := NewDynamicSupervisor("vip", MaxChildren(10), Reserve(1), Wait(5, time.Hour))
		rest := NewDynamicSupervisor("rest", MaxChildren(10), Wait(5, time.Hour))
		up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(4), Logger: quiet}, vip, rest))
		started(t)(rest.Go(t.Context(), obedient))
		c := started(t)(vip.Go(t.Context(), obedient))
		other, mine := make(chan error, 1), make(chan error, 1)
		go func() { _, err := rest.Go(t.Context(), obedient); other <- err }()
		synctest.Wait()
		go func() { _, err := vip.Go(t.Context(), obedient); mine <- err }()
		synctest.Wait()
		c.Stop(t.Context())
		synctest.Wait()
		select {
		case err := <-mine:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("a start waits though its reserve has room")
		}
		select {
		case err := <-other:
			t.Errorf("a start of others was admitted into the reserve: %v", err)
		default:
		}
	})
}

func TestWaitersAreServedInOrderAndTheHighestClassFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(1), Wait(10, time.Hour), Classes(1, 1), WithLogger(quiet)))
		holder := started(t)(d.Go(t.Context(), obedient))
		order := make(chan string, 4)
		for _, w := range []struct {
			name  string
			class Class
		}{{"low 1", 0}, {"low 2", 0}, {"high 1", 1}, {"high 2", 1}} {
			go d.Do(t.Context(), func(context.Context) error { order <- w.name; return nil }, InClass(w.class))
			synctest.Wait()
		}
		holder.Stop(t.Context())
		for _, want := range []string{"high 1", "high 2", "low 1", "low 2"} {
			if got := <-order; got != want {
				t.Errorf("%q was served, want %q", got, want)
			}
		}
	})
}

func TestAQueueOfLowerClassesHoldsUpNoHigherOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		// Class 0 may fill one of the two slots, and all of the queue of one.
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(2), Wait(1, time.Hour), Classes(0.5, 1), WithLogger(quiet)))
		started(t)(d.Go(t.Context(), obedient))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go d.Go(ctx, obedient)
		synctest.Wait()
		_, err := d.Go(t.Context(), obedient)
		is(t, err, ErrQueueFull)
		started(t)(d.Go(t.Context(), obedient, InClass(1)))
	})
}

func TestARefusalBecauseOfTheKeyNeverWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := up(t, NewKeyedSupervisor[string]("users", MaxChildren(2), MaxPerKey(1), Wait(5, time.Hour), WithLogger(quiet)))
		started(t)(k.At("a").Go(t.Context(), obedient))
		began := time.Now()
		_, err := k.At("a").Go(t.Context(), obedient)
		is(t, err, ErrMaxPerKey)
		started(t)(k.At("b").Go(t.Context(), obedient))
		_, err = k.At("a").Go(t.Context(), obedient) // the supervisor is full too
		is(t, err, ErrMaxPerKey)
		if time.Since(began) != 0 {
			t.Errorf("the refusals took %v", time.Since(began))
		}
	})
}

func TestACancelledWaiterLeavesNothingBehind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := up(t, NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(1), Wait(5, time.Second), WithLogger(quiet)))
		holder := started(t)(k.At("a").Go(t.Context(), obedient))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		for _, key := range []string{"b", "b", "c"} {
			go func() { _, err := k.At(key).Go(ctx, obedient); gone <- err }()
		}
		synctest.Wait()
		cancel()
		cancelled, refused := 0, 0
		for range 3 {
			switch err := <-gone; {
			case errors.Is(err, context.Canceled):
				cancelled++
			case errors.Is(err, ErrMaxPerKey): // the second one of b
				refused++
			}
		}
		if cancelled != 2 || refused != 1 {
			t.Errorf("%d cancelled, %d refused", cancelled, refused)
		}
		_, err := k.At("b").Go(t.Context(), obedient)
		is(t, err, ErrWaitTimeout)
		holder.Stop(t.Context())
		if n := k.Counts().Waiting; n != 0 || len(k.queue.mu.byKey) != 0 {
			t.Errorf("%d wait, %d keys", n, len(k.queue.mu.byKey))
		}
	})
}

func TestNoHonestStartIsRefusedWhileAFullSiblingIsHammered(t *testing.T) {
	rounds := 5000
	if testing.Short() {
		rounds = 500
	}
	full := NewDynamicSupervisor("full", MaxChildren(2))
	keyed := NewKeyedSupervisor[string]("keyed", MaxChildren(1), MaxPerKey(1))
	capped := NewDynamicSupervisor("capped", MaxChildren(10), MaxDescendants(2))
	honest := NewDynamicSupervisor("honest", MaxChildren(1))
	// Room for all that their own limits let in: 4 supervisors, 2, 1, 2 and 1.
	up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(10), Logger: quiet}, full, keyed, capped, honest))
	quit := make(chan struct{})
	done := make(chan struct{})
	fn := func(context.Context) error { return nil }
	attack := func(start func() error) {
		defer func() { done <- struct{}{} }()
		for !isClosed(quit) {
			start()
		}
	}
	attackers := []func() error{
		func() error { _, err := full.Go(context.Background(), fn); return err },
		func() error { _, err := keyed.At("a").Go(context.Background(), fn); return err },
		func() error { _, err := capped.Go(context.Background(), fn); return err },
	}
	for range 2 {
		for _, a := range attackers {
			go attack(a)
		}
	}
	for i := range rounds {
		if err := honest.Do(t.Context(), fn); err != nil {
			t.Errorf("round %d: %v", i, err)
			break
		}
	}
	close(quit)
	for range 2 * len(attackers) {
		<-done
	}
}

func TestAWaitGrowsNotWhenTheLimitOfTheKeyChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var k *KeyedSupervisor[string]
		asked := 0
		byFunc := MaxPerKeyFunc(func(key string, base int) int {
			if asked++; asked == 3 { // the room that woke the waiter has gone again
				k.MaxChildren().Set(1, Change{})
			}
			return base
		})
		k = up(t, NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(1), Wait(5, time.Minute), byFunc, WithLogger(quiet)))
		started(t)(k.At("a").Go(t.Context(), obedient))
		began := time.Now()
		refused := make(chan error)
		go func() { _, err := k.At("b").Go(t.Context(), obedient); refused <- err }()
		time.Sleep(time.Minute / 2)
		k.MaxPerKey().Set(2, Change{})
		k.MaxChildren().Set(2, Change{})
		is(t, <-refused, ErrWaitTimeout)
		if asked != 3 || time.Since(began) != time.Minute {
			t.Errorf("waited %v, asked %d times", time.Since(began), asked)
		}
	})
}
