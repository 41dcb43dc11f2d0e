package headcount

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The second model test: goroutines that really run at once, and that are preempted at the gaps of admission.

// preempt yields at the gaps by chance: not at all, once, often, or until another goroutine has come to a gap too.
func preempt(t *testing.T) {
	meet := make(chan struct{})
	onGap = func(point) {
		switch n := rand.IntN(8); n {
		case 0, 1:
		case 2, 3, 4:
			runtime.Gosched()
		case 5:
			for range 20 {
				runtime.Gosched()
			}
		default:
			for range 20 {
				select {
				case meet <- struct{}{}:
					return
				case <-meet:
					return
				default:
					runtime.Gosched()
				}
			}
		}
	}
	t.Cleanup(func() { onGap = nil })
}

// A gauge counts from inside the children how many run, and remembers more than were allowed.
type gauge struct {
	inside   atomic.Int64
	allowed  atomic.Uint64 // in the low half; above it how often it was changed
	exceeded atomic.Int64
}

func (g *gauge) allow(n int) {
	g.allowed.Store((g.allowed.Load()>>32+1)<<32 | uint64(n))
}

func (g *gauge) enter() {
	before := g.allowed.Load()
	n := g.inside.Add(1)
	if g.allowed.Load() == before && n > int64(uint32(before)) {
		g.exceeded.Store(n)
	}
}

func (g *gauge) leave() { g.inside.Add(-1) }

// A gapLimit is a limit that changes, with its gauge.
type gapLimit struct {
	*gauge
	limit  *Limit
	held   func() int // slots
	offset int        // of these, held by supervisors
	high   int
}

// swing lowers and raises the limit. Once it was lowered and those admitted before have gone, nobody may run above it.
func (l *gapLimit) swing(rounds int) error {
	for range rounds {
		low := rand.IntN(l.high)
		if err := l.limit.Set(low+l.offset, Change{}); err != nil {
			return err
		}
		for l.held() > low+l.offset {
			runtime.Gosched()
		}
		l.allow(low)
		for range rand.IntN(50) {
			runtime.Gosched()
		}
		high := low + rand.IntN(l.high-low+1)
		l.allow(high)
		if err := l.limit.Set(high+l.offset, Change{}); err != nil {
			return err
		}
		for range rand.IntN(50) {
			runtime.Gosched()
		}
		l.allow(l.high)
	}
	return l.limit.Set(l.high+l.offset, Change{})
}

func TestNoLimitIsPassedWhenStartsArePreemptedAtEachGap(t *testing.T) {
	starts, rounds := 2000, 200
	if testing.Short() {
		starts, rounds = 200, 40
	}
	preempt(t)
	for _, waiting := range []bool{false, true} {
		for reserve := range 3 {
			t.Run(fmt.Sprintf("waiting=%v/reserve=%d", waiting, reserve), func(t *testing.T) {
				hammer(t, waiting, nil, reserve, starts, rounds)
			})
		}
	}
	t.Run("newest first", func(t *testing.T) {
		hammer(t, true, &codel{target: time.Hour, interval: 0}, 1, starts, rounds) // always overloaded, never refused
	})
}

func hammer(t *testing.T, waiting bool, order *codel, reserve, starts, rounds int) {
	var opts []Option
	if waiting {
		opts = append(opts, Wait(1000, time.Hour))
	}
	users := NewKeyedSupervisor[string]("users", MaxChildren(6), MaxPerKey(4), append(opts, KeyShare(10))...)
	jobs := NewDynamicSupervisor("jobs", MaxChildren(5), opts...)
	side := NewDynamicSupervisor("side", MaxChildren(4), opts...)
	users.queue.codel, jobs.queue.codel, side.queue.codel = order, order, order
	mid := NewSupervisor("mid", SupervisorConfig{MaxDescendants: MaxDescendants(11), Reserve: reserve}, users, jobs)
	app := NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(14), Logger: quiet}, mid, side)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit := func(l *Limit, offset int, held func() int) *gapLimit {
		g := &gapLimit{gauge: &gauge{}, limit: l, held: held, offset: offset, high: l.Value() - offset}
		g.allow(g.high)
		return g
	}
	inUsers := limit(users.MaxChildren(), 0, users.own.count)
	inKey := limit(users.MaxPerKey(), 0, func() int { return users.At("a").Count() })
	inJobs := limit(jobs.MaxChildren(), 0, jobs.own.count)
	inSide := limit(side.MaxChildren(), 0, side.own.count)
	inMid := limit(mid.MaxDescendants(), 2, mid.descendants.count)
	inApp := limit(app.MaxDescendants(), 4+reserve, app.descendants.count)
	inApp.high, inApp.offset = 14-4, 4 // what of the reserve is used is counted inside too
	inApp.allow(inApp.high)

	body := func(gauges ...*gapLimit) func(context.Context) error {
		return func(context.Context) error {
			for _, g := range gauges {
				g.enter()
				defer g.leave()
			}
			for range rand.IntN(4) {
				runtime.Gosched()
			}
			switch rand.IntN(8) {
			case 0:
				panic("a fault")
			case 1:
				runtime.Goexit()
			}
			return nil
		}
	}
	callers := []func(ctx context.Context) error{
		func(ctx context.Context) error { _, err := jobs.Go(ctx, body(inJobs, inMid, inApp)); return err },
		func(ctx context.Context) error { _, err := side.Go(ctx, body(inSide, inApp)); return err },
		func(ctx context.Context) error {
			_, err := users.At("a").Go(ctx, body(inUsers, inKey, inMid, inApp))
			return err
		},
		func(ctx context.Context) error {
			_, err := users.At("b").StartChild(ctx, ChildSpec{Run: body(inUsers, inMid, inApp), Restart: Temporary})
			return err
		},
	}
	var calling, swinging sync.WaitGroup
	for i := range 2 * len(callers) {
		calling.Go(func() {
			for range starts {
				ctx, cancel := context.WithCancel(context.Background())
				if waiting && rand.IntN(4) == 0 { // a waiter that gives up, perhaps just when it is served
					go func() {
						for range rand.IntN(30) {
							runtime.Gosched()
						}
						cancel()
					}()
				}
				err := callers[i%len(callers)](ctx)
				cancel()
				switch {
				case err == nil, errors.Is(err, context.Canceled):
				case errors.Is(err, ErrMaxPerKey):
				case waiting || !errors.Is(err, ErrRefused):
					t.Errorf("a start: %v", err)
					return
				}
			}
		})
	}
	// With a reserve the swing of the limit at the top could not be told from outside.
	limits := []*gapLimit{inUsers, inKey, inJobs, inSide, inMid}
	if reserve == 0 {
		limits = append(limits, inApp)
	}
	for _, l := range limits {
		swinging.Go(func() {
			if err := l.swing(rounds); err != nil {
				t.Error(err)
			}
		})
	}
	swinging.Wait()
	calling.Wait() // each that waits has been served
	for _, l := range []*gapLimit{inUsers, inKey, inJobs, inSide, inMid, inApp} {
		if n := l.exceeded.Load(); n != 0 {
			t.Errorf("%s: %d ran at once, more than the limit in force", l.limit.node.Path()+" "+l.limit.name, n)
		}
	}
	if err := app.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	allFree(t, app, mid, users, jobs, side)
}

// between runs a start that stops at its first gap of the kind until the other has had its chance: it may need a lock
// that is held there. The function that it returns waits for the other.
func (h *gapHook) between(at point, start func(), other func()) (wait func()) {
	done := make(chan struct{})
	begin := sync.OnceFunc(func() { go func() { defer close(done); other() }() })
	h.once(at, func() {
		begin()
		for range 2000 {
			if isClosed(done) {
				return
			}
			runtime.Gosched()
		}
	})
	start()
	begin() // the start did not come there
	return func() { <-done }
}

func TestAStartThatIsOvertakenByALoweredLimitIsRefused(t *testing.T) {
	hook := hookGaps(t)
	for _, at := range []point{beforeOwn, beforeLevel} {
		users := NewKeyedSupervisor[string]("users", MaxChildren(2), MaxPerKey(2))
		jobs := NewDynamicSupervisor("jobs", MaxChildren(2))
		app := up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(9), Logger: quiet}, users, jobs))
		for name, s := range map[string]Starter{"jobs": jobs, "users": users.At("a")} {
			limit := app.MaxDescendants()
			if at == beforeOwn {
				limit = map[string]*Limit{"jobs": jobs.MaxChildren(), "users": users.MaxChildren()}[name]
			}
			hook.once(at, func() { limit.Set(0, Change{}) })
			_, err := s.Go(t.Context(), obedient)
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%s, gap %d: admitted after the limit was set to zero: %v", name, at, err)
			}
			app.MaxDescendants().Set(9, Change{})
		}
		if n := jobs.own.count() + users.own.count() + keysIn(users); n != 0 {
			t.Errorf("gap %d: %d slots and keys are held", at, n)
		}
	}
}

func TestALastSlotIsTakenOnce(t *testing.T) {
	hook := hookGaps(t)
	for _, at := range []point{beforeOwn, beforeLevel, beforeSwap} {
		users := NewKeyedSupervisor[string]("users", MaxChildren(1), MaxPerKey(2))
		jobs := NewDynamicSupervisor("jobs", MaxChildren(1))
		below := NewDynamicSupervisor("below", MaxChildren(5), MaxDescendants(1))
		up(t, NewSupervisor("app", SupervisorConfig{Logger: quiet}, users, jobs, below))
		for name, s := range map[string]func(key string) error{
			"jobs":  func(string) error { _, err := jobs.Go(t.Context(), obedient); return err },
			"below": func(string) error { _, err := below.Go(t.Context(), obedient); return err },
			"users": func(key string) error { _, err := users.At(key).Go(t.Context(), obedient); return err },
		} {
			var first, second error
			hook.between(at, func() { first = s("a") }, func() { second = s("b") })()
			if (first == nil) == (second == nil) {
				t.Errorf("%s, gap %d: two starts for one slot got %v and %v", name, at, first, second)
			}
		}
	}
}

func TestALoweredLimitOfTheKeyIsInForceWhenSetReturns(t *testing.T) {
	hook := hookGaps(t)
	users := up(t, NewKeyedSupervisor[string]("users", MaxChildren(2), MaxPerKey(2), WithLogger(quiet)))
	var set sync.WaitGroup
	returned := false
	hook.once(beforeOwn, func() {
		done := make(chan struct{})
		set.Go(func() { defer close(done); users.MaxPerKey().Set(0, Change{}) })
		for range 2000 {
			if returned = isClosed(done); returned {
				return
			}
			runtime.Gosched()
		}
	})
	_, err := users.At("a").Go(t.Context(), obedient)
	if returned && err == nil {
		t.Error("a start was admitted after Set had returned")
	}
	set.Wait()
	_, err = users.At("a").Go(t.Context(), obedient)
	is(t, err, ErrMaxPerKey)
}

func TestAStopFindsAStartThatIsNotRegisteredYet(t *testing.T) {
	hook := hookGaps(t)
	for range 50 {
		jobs := NewDynamicSupervisor("jobs", MaxChildren(2), WithLogger(quiet))
		if err := jobs.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan error, 1)
		hook.between(beforeRegister, func() { jobs.Go(t.Context(), obedient) }, func() { stopped <- jobs.Stop(context.Background()) })
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		allFree(t, jobs)
	}
}

func TestTheSlotComesFreeBeforeTheResultAndNotEarlier(t *testing.T) {
	hook := hookGaps(t)
	for at, want := range map[point]error{beforeRelease: ErrMaxChildren, beforePublish: nil} {
		jobs := up(t, NewDynamicSupervisor("jobs", MaxChildren(1), WithLogger(quiet)))
		var err error
		hook.once(at, func() { _, err = jobs.Go(t.Context(), obedient) })
		started(t)(jobs.Go(t.Context(), func(context.Context) error { return nil })).Wait(t.Context())
		if !errors.Is(err, want) {
			t.Errorf("gap %d: a start got %v, want %v", at, err, want)
		}
	}
}

func TestASlotThatComesFreeBeforeTheQueueIsListedIsNotLost(t *testing.T) {
	hook := hookGaps(t)
	for _, subtree := range []bool{false, true} {
		for range 50 {
			jobs := NewDynamicSupervisor("jobs", MaxChildren(1), Wait(5, time.Hour))
			app := up(t, NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(2), Logger: quiet}, jobs))
			if subtree { // the supervisor is one of two
				jobs.MaxChildren().Set(5, Change{})
			}
			holder := started(t)(jobs.Go(t.Context(), obedient))
			hook.between(beforeList, func() { started(t)(jobs.Go(t.Context(), obedient)) }, func() { holder.Stop(context.Background()) })()
			if n := app.descendants.count(); n != 2 {
				t.Errorf("%d descendants, want 2", n)
			}
		}
	}
}
