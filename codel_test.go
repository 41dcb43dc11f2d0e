package headcount

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

// A scene is starts that come at times of their own. It knows from inside the children in which order they were served,
// and from the callers when and how they were refused.
type scene struct {
	t     *testing.T
	began time.Time
	calls sync.WaitGroup

	mu      sync.Mutex
	served  []string
	refused map[string]time.Duration // when
	errs    map[string]error
}

func newScene(t *testing.T) *scene {
	return &scene{t: t, began: time.Now(), refused: make(map[string]time.Duration), errs: make(map[string]error)}
}

// comes has a start come at an instant. It works for so long once it is served, also when it is told to stop.
func (c *scene) comes(at time.Duration, name string, s Starter, work time.Duration, opts ...StartOption) {
	c.comesWith(c.t.Context(), at, name, s, work, opts...)
}

func (c *scene) comesWith(ctx context.Context, at time.Duration, name string, s Starter, work time.Duration, opts ...StartOption) {
	c.calls.Go(func() {
		time.Sleep(time.Until(c.began.Add(at)))
		err := s.Do(ctx, func(context.Context) error {
			c.mu.Lock()
			c.served = append(c.served, name)
			c.mu.Unlock()
			time.Sleep(work)
			return nil
		}, opts...)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.refused[name], c.errs[name] = time.Since(c.began), err
		}
	})
}

// isServed compares with those served, in their order.
func (c *scene) isServed(want ...string) {
	c.t.Helper()
	c.calls.Wait()
	if !slices.Equal(c.served, want) {
		c.t.Errorf("served %q, want %q", c.served, want)
	}
}

// isRefused compares with those refused because their time was over, and when.
func (c *scene) isRefused(want map[string]time.Duration) {
	c.t.Helper()
	c.calls.Wait()
	if !maps.Equal(c.refused, want) {
		c.t.Errorf("refused at\n%v, want\n%v", c.refused, want)
	}
	for name, err := range c.errs {
		if !errors.Is(err, ErrWaitTimeout) {
			c.t.Errorf("%s: %v", name, err)
		}
	}
}

// stands keeps the queue of the class from being empty, by a start each 4 ms that is not served, from an instant to
// another. All that came 5 ms before the end, at the latest, have been refused at the end.
func (c *scene) stands(from, to time.Duration, s Starter, opts ...StartOption) {
	for at := from; at < to; at += 4 * ms {
		c.calls.Go(func() {
			time.Sleep(time.Until(c.began.Add(at)))
			if _, err := s.Go(c.t.Context(), obedient, opts...); !errors.Is(err, ErrWaitTimeout) {
				c.t.Errorf("a start that came at %v: %v", at, err)
			}
		})
	}
}

// controlled makes a supervisor with one slot and CoDel(5 ms, 100 ms).
func controlled(t *testing.T, opts ...Option) *DynamicSupervisor {
	return up(t, NewDynamicSupervisor("jobs", MaxChildren(1), append(opts, Wait(1000, time.Second), CoDel(5*ms, 100*ms), WithLogger(quiet))...))
}

func TestCoDelTakesUpAShortBurstInTheOrderOfArrival(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		var want []string
		for i := range 11 { // the last one waits for 90 ms less 10 µs
			name := fmt.Sprint(i)
			want = append(want, name)
			c.comes(time.Duration(i)*time.Microsecond, name, d, 9*ms)
		}
		c.isServed(want...)
		c.isRefused(nil)
	})
}

func TestCoDelGivesAStartTheIntervalUntilTheQueueStandsAndThenTheTarget(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		c.comes(0, "holder", d, 10_000*ms)
		want := make(map[string]time.Duration)
		for _, start := range []struct{ came, refused time.Duration }{
			{1, 101}, // the queue is empty before it: an interval
			{40, 101},
			{95, 101},
			{97, 102}, // the queue stands when it is over
			{100, 105},
			{102, 107}, // it came when the queue stood
			{104, 109},
			{107, 112}, // then the queue is empty
			{120, 220},
			{219, 224},
			{330, 430},
		} {
			name := fmt.Sprintf("of %v", start.came*ms)
			c.comes(start.came*ms, name, d, 0)
			want[name] = start.refused * ms
		}
		c.isRefused(want)
		c.isServed("holder")
		waits := d.Counts().Waits
		if sum := 0.100 + 0.061 + 0.006 + 5*0.005 + 0.100 + 0.005 + 0.100; waits.Count != 11 || waits.Sum < sum-1e-6 || waits.Sum > sum+1e-6 {
			t.Errorf("%d waits of %v s, want 11 of %v s", waits.Count, waits.Sum, sum)
		}
		if n := d.Counts().Refused.WaitTimeout; n != 11 {
			t.Errorf("%d refusals counted", n)
		}
	})
}

func TestCoDelServesTheNewestFirstWhenTheQueueStandsAndTheOldestWhenItHasBeenEmpty(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		c.comes(0, "holder", d, 120*ms)
		c.stands(1*ms, 114*ms, d)
		for i, at := range []time.Duration{116, 117, 118, 119} {
			c.comes(at*ms, fmt.Sprint("standing ", i), d, 900*time.Microsecond)
		}
		for i, at := range []time.Duration{126, 127, 128, 139} { // at 125 ms nobody waits any more
			c.comes(at*ms, fmt.Sprint("recovered ", i), d, 10*ms)
		}
		c.isServed("holder", "standing 3", "standing 2", "standing 1", "recovered 0", "recovered 1", "recovered 2", "recovered 3")
		c.isRefused(map[string]time.Duration{"standing 0": 121 * ms})
	})
}

func TestCoDelTurnsTheOrderAtTheEndOfTheInterval(t *testing.T) {
	for freed, want := range map[time.Duration]string{101*ms - 1: "first", 101 * ms: "last"} {
		inBubble(t, func(t *testing.T) {
			d, c := controlled(t), newScene(t)
			c.comes(0, "holder", d, freed)
			c.comes(1*ms, "first", d, 10*ms)
			c.comes(98*ms, "middle", d, 0)
			c.comes(99*ms, "last", d, 10*ms)
			c.calls.Wait()
			if got := c.served[1]; got != want {
				t.Errorf("%s was served at %v, want %s", got, freed, want)
			}
		})
	}
}

func TestUnderCoDelANewcomerIsServedByTheQueueAndNotBesideIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		c.comes(0, "holder", d, 110*ms)
		c.stands(1*ms, 106*ms, d)
		c.comes(106*ms, "oldest", d, 1*ms)
		c.comes(107*ms, "older", d, 1*ms)
		c.comes(110*ms+1, "newcomer", d, 1*ms) // the slot has been given away to the newest of those that waited
		c.comes(110*ms+2, "last", d, 1*ms)
		c.isServed("holder", "older", "last", "newcomer")
		c.isRefused(map[string]time.Duration{"oldest": 111 * ms})
	})
}

func TestUnderCoDelEachClassIsAQueueByItself(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t, Classes(1, 1)), newScene(t)
		c.comes(0, "holder", d, 120*ms)
		c.stands(1*ms, 114*ms, d)
		// What stands in the lower class shortens nothing here, and does not turn the order.
		c.comes(90*ms, "high 1", d, 1*ms, InClass(1))
		c.comes(110*ms, "high 2", d, 1*ms, InClass(1))
		c.comes(117*ms, "low 1", d, 1*ms)
		c.comes(118*ms, "low 2", d, 1*ms)
		c.comes(118*ms+1, "low 3", d, 1*ms)
		c.isServed("holder", "high 1", "high 2", "low 3")
		c.isRefused(map[string]time.Duration{"low 1": 122 * ms, "low 2": 123 * ms})
	})
}

func TestUnderCoDelAClassStillHasItsShareOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t, Classes(0.5, 1)), newScene(t)
		d.MaxChildren().Set(2, Change{})
		c.comes(0, "low holder", d, 120*ms)
		c.comes(1, "high holder", d, 118*ms, InClass(1))
		c.stands(1*ms, 114*ms, d)
		c.comes(117*ms, "low", d, 50*ms) // from 118 ms on a slot is free, but not for it
		c.comes(119*ms, "high", d, 50*ms, InClass(1))
		c.calls.Wait()
		if want := map[string]time.Duration{"low": 122 * ms}; !maps.Equal(c.refused, want) {
			t.Errorf("refused %v, want %v", c.refused, want)
		}
	})
}

func TestUnderCoDelACancelledStartLeavesTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		c.comes(0, "holder", d, 120*ms)
		c.stands(1*ms, 114*ms, d)
		c.comes(116*ms, "first", d, 1*ms)
		ctx, cancel := context.WithTimeout(t.Context(), 119*ms)
		defer cancel()
		c.comesWith(ctx, 117*ms, "cancelled", d, 1*ms)
		c.isServed("holder", "first")
		if err := c.errs["cancelled"]; !errors.Is(err, context.DeadlineExceeded) || c.refused["cancelled"] != 119*ms {
			t.Errorf("%v at %v", err, c.refused["cancelled"])
		}
	})
}

func TestARaisedLimitServesTheNewestUnderCoDel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		c.comes(0, "holder", d, 200*ms)
		c.stands(1*ms, 114*ms, d)
		for i, at := range []time.Duration{116, 117, 118} {
			c.comes(at*ms, fmt.Sprint(i), d, 50*ms)
		}
		time.Sleep(119 * ms)
		synctest.Wait()
		d.MaxChildren().Set(3, Change{})
		synctest.Wait()
		if n := d.Counts(); n.Running != 3 || n.Waiting != 1 {
			t.Errorf("%d run and %d wait, want 3 and 1", n.Running, n.Waiting)
		}
		c.calls.Wait()
		slices.Sort(c.served[1:]) // these began at one instant
		c.isServed("holder", "1", "2")
		c.isRefused(map[string]time.Duration{"0": 121 * ms})
	})
}

func TestAStopEndsWaitingUnderCoDelAndTheNextLifeBeginsWithAnEmptyQueue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		run, release := deaf()
		defer release()
		started(t)(d.Go(t.Context(), obedient))
		c.stands(1*ms, 114*ms, d)
		c.comes(116*ms, "waiter", d, 0)
		time.Sleep(119 * ms)
		if err := d.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.isServed()
		is(t, c.errs["waiter"], ErrStopped)
		if at := c.refused["waiter"]; at != 119*ms {
			t.Errorf("stopped at %v", at)
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		started(t)(d.Go(t.Context(), run))
		began := time.Now()
		_, err := d.Go(t.Context(), obedient)
		is(t, err, ErrWaitTimeout)
		if waited := time.Since(began); waited != 100*ms {
			t.Errorf("waited %v in the next life", waited)
		}
	})
}

func TestUnderCoDelAKeyedSupervisorRefusesByKeyAndServesTheNewest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := up(t, NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(1), Wait(1000, time.Second), CoDel(5*ms, 100*ms), WithLogger(quiet)))
		c := newScene(t)
		c.comes(0, "holder", k.At("holder"), 120*ms)
		for i := range 29 { // each key may have one start that waits
			c.stands(time.Duration(1+4*i)*ms, time.Duration(2+4*i)*ms, k.At(fmt.Sprint("standing ", i)))
		}
		c.comes(117*ms, "a", k.At("a"), 1*ms)
		c.comes(118*ms, "b", k.At("b"), 1*ms)
		c.comes(119*ms, "b again", k.At("b"), 1*ms)
		c.comes(119*ms, "c", k.At("c"), 1*ms)
		c.isServed("holder", "c", "b")
		is(t, c.errs["b again"], ErrMaxPerKey)
		if at := c.refused["b again"]; at != 119*ms {
			t.Errorf("refused because of its key at %v", at)
		}
		is(t, c.errs["a"], ErrWaitTimeout)
		if n := len(k.queue.mu.byKey); n != 0 {
			t.Errorf("%d keys left in the queue", n)
		}
	})
}

func TestUnderCoDelAStartWaitsNoLongerWhenTheLimitOfItsKeyChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		byFunc := MaxPerKeyFunc(func(key string, base int) int { return base })
		k := up(t, NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(1), Wait(1000, time.Second), CoDel(5*ms, 100*ms), byFunc, WithLogger(quiet)))
		c := newScene(t)
		c.comes(0, "holder", k.At("holder"), 300*ms)
		for i := range 29 {
			c.stands(time.Duration(1+4*i)*ms, time.Duration(2+4*i)*ms, k.At(fmt.Sprint("standing ", i)))
		}
		c.comes(116*ms, "a", k.At("a"), 50*ms)
		c.comes(117*ms, "b", k.At("b"), 50*ms)
		time.Sleep(119 * ms)
		synctest.Wait()
		// All that wait are asked for their limit anew when the room is offered. One of them gets it.
		k.MaxPerKey().Set(2, Change{})
		k.MaxChildren().Set(2, Change{})
		synctest.Wait()
		if n := k.Counts(); n.Running != 2 || n.Waiting != 1 {
			t.Errorf("%d run and %d wait, want 2 and 1", n.Running, n.Waiting)
		}
		c.calls.Wait()
		for name, at := range c.refused {
			if want := map[string]time.Duration{"a": 121 * ms, "b": 122 * ms}[name]; at != want {
				t.Errorf("%s was refused at %v, want %v", name, at, want)
			}
		}
		if len(c.served) != 2 || len(c.refused) != 1 {
			t.Errorf("served %v, refused %v", c.served, c.refused)
		}
	})
}

func TestUnderCoDelAStreamWaitsForRoomAndMakesNoQueueStand(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d, c := controlled(t), newScene(t)
		c.comes(0, "holder", d, 320*ms)
		for i, at := range []time.Duration{1, 2} {
			c.calls.Go(func() {
				time.Sleep(at * ms)
				for r := range Stream(t.Context(), d, slices.Values([]string{fmt.Sprint("stream ", i)}), func(_ context.Context, name string) (int, error) {
					c.mu.Lock()
					c.served = append(c.served, name)
					c.mu.Unlock()
					return 0, nil
				}, StreamConfig{}) {
					if r.Err != nil {
						t.Errorf("an element of a stream: %v", r.Err)
					}
				}
			})
		}
		// The streams have waited for an interval when the first start comes: that has an interval still.
		c.comes(150*ms, "first", d, 0)
		c.stands(210*ms, 315*ms, d)
		c.comes(317*ms, "older", d, 1*ms)
		c.comes(318*ms, "newer", d, 1*ms)
		// The two that have an end go first, the newest of them before the other, then the queue is as before.
		c.isServed("holder", "newer", "older", "stream 0", "stream 1")
		c.isRefused(map[string]time.Duration{"first": 250 * ms})
	})
}

func TestCoDelThatCannotWorkIsRefusedBeforeAnythingStarts(t *testing.T) {
	wait := Wait(10, time.Second)
	for _, bad := range []struct {
		opts  []Option
		field string
		value any
	}{
		{[]Option{CoDel(5*ms, 100*ms)}, "CoDel", "(5ms, 100ms)"},
		{[]Option{Wait(0, time.Second), CoDel(5*ms, 100*ms)}, "CoDel", "(5ms, 100ms)"},
		{[]Option{CoDel(0, 100*ms), wait}, "CoDel.target", time.Duration(0)},
		{[]Option{CoDel(-ms, 100*ms), wait}, "CoDel.target", -ms},
		{[]Option{CoDel(5*ms, 4*ms), wait}, "CoDel.interval", 4 * ms},
		{[]Option{CoDel(5*ms, 1001*ms), wait}, "CoDel.interval", 1001 * ms},
	} {
		for _, n := range []Node{NewDynamicSupervisor("jobs", MaxChildren(1), bad.opts...), NewKeyedSupervisor[int]("jobs", MaxChildren(1), MaxPerKey(1), bad.opts...)} {
			var c *ConfigError
			if err := n.Start(t.Context()); !errors.As(err, &c) || c.Field != bad.field || c.Value != bad.value {
				t.Errorf("%s %v: %v", bad.field, bad.value, err)
			}
		}
	}
	for _, good := range []Option{CoDel(time.Second, time.Second), CoDel(1, 1)} {
		if err := Check(NewDynamicSupervisor("jobs", MaxChildren(1), good, wait)); err != nil {
			t.Error(err)
		}
	}
}
