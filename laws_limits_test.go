package headcount

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheSlotIsFreeWhenTheResultIsSeen(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 1000
	}
	fn := func(context.Context) error { return nil }
	k := NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(1))
	d := NewDynamicSupervisor("jobs", MaxChildren(1), MaxDescendants(1))
	up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(3), Logger: quiet}, k, d))
	for name, s := range map[string]Starter{"dynamic": d, "keyed": k.At("a")} {
		for how, see := range map[string]func(c *Child){
			"Wait": func(c *Child) { c.Wait(context.Background()) },
			"Done": func(c *Child) { <-c.Done() },
			"Stop": func(c *Child) { c.Stop(context.Background()) },
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				for i := range rounds {
					c, err := s.Go(t.Context(), fn)
					if err != nil {
						t.Fatalf("round %d: %v", i, err)
					}
					see(c)
					if i%4 == 0 {
						if err := s.Do(t.Context(), fn); err != nil {
							t.Fatalf("round %d: %v", i, err)
						}
					}
				}
			})
		}
	}
}

func TestNoStartIsAdmittedAboveALoweredLimit(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	k := NewKeyedSupervisor[string]("users", MaxChildren(8), MaxPerKey(8), KeyShare(100), MaxDescendants(8))
	app := up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(9), Logger: quiet}, k))
	for name, limit := range map[string]struct {
		*Limit
		offset int
		held   func() int
	}{
		"MaxChildren":          {k.MaxChildren(), 0, k.own.count},
		"MaxPerKey":            {k.MaxPerKey(), 0, k.At("a").Count},
		"MaxDescendants":       {k.MaxDescendants(), 0, k.descendants.count},
		"MaxDescendants above": {app.MaxDescendants(), 1, app.descendants.count}, // users itself is one
	} {
		t.Run(name, func(t *testing.T) {
			var g gauge
			g.allow(8)
			var wg sync.WaitGroup
			quit := make(chan struct{})
			for range 4 {
				wg.Go(func() {
					for !isClosed(quit) {
						k.At("a").Do(context.Background(), func(context.Context) error {
							g.enter()
							defer g.leave()
							return nil
						})
					}
				})
			}
			for range rounds {
				// Lowered: whoever runs above the limit was admitted before. When these have gone nobody may be.
				if err := limit.Set(1+limit.offset, Change{}); err != nil {
					t.Fatal(err)
				}
				for limit.held() > 1+limit.offset {
					runtime.Gosched()
				}
				g.allow(1)
				for range 20 {
					runtime.Gosched()
				}
				g.allow(8)
				limit.Set(8+limit.offset, Change{})
			}
			close(quit)
			wg.Wait()
			if n := g.exceeded.Load(); n != 0 {
				t.Errorf("%d ran above the limit in force", n)
			}
		})
	}
	allFree(t, k)
}

func TestZeroAdmitsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := NewKeyedSupervisor[string]("users", MaxChildren(0, Ceiling(5)), MaxPerKey(1), MaxDescendants(1))
		up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, k))
		refusedAs(t, k, ErrMaxChildren)
		k.MaxChildren().Set(1, Change{})
		k.MaxPerKey().Set(0, Change{})
		refusedAs(t, k, ErrMaxPerKey)
		k.MaxPerKey().Set(1, Change{})
		k.MaxDescendants().Set(0, Change{})
		refusedAs(t, k, ErrMaxDescendants)
		k.MaxDescendants().Set(1, Change{})
		started(t)(k.At("a").Go(t.Context(), obedient))
	})
}

// refusedAs fails the test if a start is not refused for the reason, in each of the ways to start.
func refusedAs(t *testing.T, k *KeyedSupervisor[string], sentinel error) {
	t.Helper()
	at := k.At("a")
	_, err := at.Go(t.Context(), obedient)
	is(t, err, sentinel)
	is(t, err, ErrRefused)
	_, err = at.StartChild(t.Context(), ChildSpec{Run: obedient})
	is(t, err, sentinel)
	is(t, at.Do(t.Context(), obedient), sentinel)
}

func TestARefusalAllocatesNothing(t *testing.T) {
	fn := func(context.Context) error { return nil }
	ctx := context.Background()
	full := NewDynamicSupervisor("full", MaxChildren(0), Classes(0.5, 1))
	below := NewDynamicSupervisor("below", MaxChildren(5), MaxDescendants(0))
	queued := NewDynamicSupervisor("queued", MaxChildren(0), Wait(1, time.Hour))
	classed := NewDynamicSupervisor("classed", MaxChildren(2), Classes(0.5, 1))
	keyed := NewKeyedSupervisor[string]("keyed", MaxChildren(5), MaxPerKey(0))
	byFunc := NewKeyedSupervisor[string]("by_func", MaxChildren(5), MaxPerKey(1), MaxPerKeyFunc(func(key string, _ int) int { return -len(key) }))
	up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, full, below, queued, classed, keyed, byFunc))
	started(t)(classed.Go(ctx, obedient))
	waiting, giveUp := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() { defer close(gone); queued.Go(waiting, fn) }()
	for queued.Counts().Waiting == 0 {
		runtime.Gosched()
	}
	for name, refuse := range map[string]func() error{
		"full":           func() error { _, err := full.Go(ctx, fn); return err },
		"full, Do":       func() error { return full.Do(ctx, fn) },
		"full, class":    func() error { _, err := full.Go(ctx, fn, InClass(1)); return err },
		"priority":       func() error { _, err := classed.Go(ctx, fn); return err },
		"subtree":        func() error { _, err := below.Go(ctx, fn); return err },
		"subtree, class": func() error { _, err := below.Go(ctx, fn, InClass(1)); return err },
		"queue full":     func() error { _, err := queued.Go(ctx, fn); return err },
		"key":            func() error { _, err := keyed.At("a").Go(ctx, fn); return err },
		"key, class":     func() error { _, err := keyed.At("a").Go(ctx, fn, InClass(1)); return err },
		"key, Do":        func() error { return keyed.At("a").Do(ctx, fn) },
		"key, func":      func() error { _, err := byFunc.At("a").Go(ctx, fn); return err },
	} {
		if err := refuse(); !errors.Is(err, ErrRefused) { // the first of a spell is an event
			t.Fatalf("%s: got %v", name, err)
		}
		if n := testing.AllocsPerRun(1000, func() { refuse() }); n >= 1 {
			t.Errorf("%s: %v allocations for one refusal", name, n)
		}
	}
	giveUp()
	<-gone
	if n := keysIn(keyed) + keysIn(byFunc); n != 0 {
		t.Errorf("there is state for %d keys", n)
	}
}

func TestARefusalKeepsNoStateForTheKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, full := range []*KeyedSupervisor[int]{
			NewKeyedSupervisor[int]("a", MaxChildren(0), MaxPerKey(1), WithLogger(quiet)),
			NewKeyedSupervisor[int]("b", MaxChildren(1), MaxPerKey(0), WithLogger(quiet)),
			NewKeyedSupervisor[int]("c", MaxChildren(1), MaxPerKey(1), MaxDescendants(0), WithLogger(quiet)),
			NewKeyedSupervisor[int]("d", MaxChildren(0), MaxPerKey(1), Wait(5, time.Second), WithLogger(quiet)),
		} {
			up(t, full)
			for key := range 100 {
				_, err := full.At(key).Go(t.Context(), obedient)
				is(t, err, ErrRefused)
			}
			if n := keysIn(full); n != 0 {
				t.Errorf("%s: state for %d keys", full.Path(), n)
			}
			if n := len(full.queue.mu.byKey); n != 0 {
				t.Errorf("%s: the queue has state for %d keys", full.Path(), n)
			}
		}
	})
}

func TestLoweringKillsNobodyAndRaisingWakes(t *testing.T) {
	for name, set := range map[string]func(l *Limit, n int){
		"Set": func(l *Limit, n int) { l.Set(n, Change{}) },
		"Cap": func(l *Limit, n int) {
			if n == 4 {
				l.Uncap("pressure")
			} else {
				l.Cap("pressure", n, "")
			}
		},
		"expiry": func(l *Limit, n int) {
			if n == 4 {
				time.Sleep(time.Minute)
			} else {
				l.Set(n, Change{Expires: time.Now().Add(time.Minute)})
			}
		},
	} {
		for level := range 3 {
			t.Run(name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					d := NewDynamicSupervisor("jobs", MaxChildren(4), MaxDescendants(4), Wait(10, time.Hour))
					app := up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(4), Logger: quiet}, d))
					app.MaxDescendants().Set(5, Change{}) // jobs is one
					limit := []*Limit{d.MaxChildren(), d.MaxDescendants(), app.MaxDescendants()}[level]
					if level == 2 {
						limit.Set(4, Change{})
					}
					full := limit.Value() - level/2
					var children []*Child
					for range full {
						children = append(children, started(t)(d.Go(t.Context(), obedient)))
					}
					set(limit, 1)
					synctest.Wait()
					for _, c := range children {
						if c.hasEnded() || c.flags.Load()&flagStopping != 0 {
							t.Error("a child was stopped because a limit was lowered")
						}
					}
					woken := make(chan error)
					go func() { _, err := d.Go(t.Context(), obedient); woken <- err }()
					synctest.Wait()
					children[0].Stop(t.Context())
					synctest.Wait()
					select {
					case err := <-woken:
						t.Fatalf("a start was admitted above the lowered limit: %v", err)
					default:
					}
					set(limit, 4)
					if err := <-woken; err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func TestACapOnlyLowers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("jobs", MaxChildren(3, Ceiling(5)), WithLogger(quiet)))
		l := d.MaxChildren()
		want := func(n int) {
			t.Helper()
			if l.Value() != n || d.own.limit() != n || l.Snapshot().InForce != n {
				t.Fatalf("in force: value %d, word %d, snapshot %d, want %d", l.Value(), d.own.limit(), l.Snapshot().InForce, n)
			}
		}
		l.Cap("a", 10, "")
		want(3)
		l.Cap("b", 2, "")
		want(2)
		l.Set(5, Change{})
		want(2)
		l.Cap("b", 4, "")
		want(4)
		l.Cap("b", Unlimited, "")
		want(5)
		if err := l.Set(6, Change{}); err == nil {
			t.Error("a person passed the ceiling")
		}
		l.Cap("c", 0, "")
		want(0)
		l.Uncap("c")
		l.Uncap("nobody")
		want(5)
	})
}

// Refusals are made beforehand for so many limits of keys as there may be; the numbers of those beyond are rounded.
func TestARefusalByKeyAllocatesNothingHoweverManyLimitsThereAre(t *testing.T) {
	k := up(t, NewKeyedSupervisor[int]("users", MaxChildren(Unlimited), MaxPerKey(1), WithLogger(quiet),
		MaxPerKeyFunc(func(key, _ int) int { return key })))
	refusal := func(limit int) *Refusal { return k.perKeyRefusal(limit) }
	limits := rounds(20_000)
	for limit := range limits {
		refusal(limit)
	}
	limit := 0
	allocs := testing.AllocsPerRun(limits, func() {
		r := refusal(limit)
		if r.Limit > limit || r.Limit < limit-limit/8 {
			t.Fatalf("a refusal at %d tells %d", limit, r.Limit)
		}
		limit = (limit + 7919) % limits
	})
	if allocs != 0 {
		t.Errorf("%v allocations for each refusal, want none", allocs)
	}
	if n := len(k.keyFull.Load().byLimit); n > maxKeyRefusals+maxRoundedRefusals {
		t.Errorf("%d refusals were made beforehand", n)
	}
	ctx := t.Context()
	if allocs := testing.AllocsPerRun(1000, func() {
		if _, err := k.At(0).Go(ctx, benchIdle); err == nil {
			t.Fatal("not refused")
		}
	}); allocs != 0 {
		t.Errorf("%v allocations for each refused start, want none", allocs)
	}
}
