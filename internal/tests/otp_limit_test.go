package tests

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

// D5, H3, law 7
func TestARefusalIsTypedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		mustGo(t, pool)
		took(t, 0, func() {
			for i := range 3 {
				_, err := pool.Go(t.Context(), until)
				wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
				var refusal *headcount.Refusal
				if errors.As(err, &refusal) && (refusal.Path != "pool" || refusal.Limit != 1) {
					t.Errorf("got %+v, want path pool and limit 1", refusal)
				}
				if n := pool.Counts().Refused; n.MaxChildren != uint64(i+1) || n.Total() != uint64(i+1) {
					t.Errorf("counted %+v after %d refusals", n, i+1)
				}
			}
		})
		_, err := pool.StartChild(t.Context(), headcount.ChildSpec{Run: until})
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
		wantRefusal(t, pool.Do(t.Context(), until), headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
	})
}

// D5, RA9: 0 is a limit like any other.
func TestLimitZeroAdmitsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 0)
		users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(5), headcount.MaxPerKey(0))
		start(t, users)
		whole := headcount.NewDynamicSupervisor("whole", headcount.MaxChildren(5), headcount.MaxDescendants(0))
		start(t, whole)
		ran := func(context.Context) error {
			t.Error("a child ran")
			return nil
		}
		for name, s := range map[string]headcount.Starter{"children": pool, "per key": users.At("k"), "descendants": whole} {
			if _, err := s.Go(t.Context(), ran); !errors.Is(err, headcount.ErrRefused) {
				t.Errorf("%s: Go returned %v", name, err)
			}
			if err := s.Do(t.Context(), ran); !errors.Is(err, headcount.ErrRefused) {
				t.Errorf("%s: Do returned %v", name, err)
			}
			if _, err := s.StartChild(t.Context(), headcount.ChildSpec{Run: ran}); !errors.Is(err, headcount.ErrRefused) {
				t.Errorf("%s: StartChild returned %v", name, err)
			}
		}
	})
}

// D2
func TestUnlimitedIsWrittenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, headcount.Unlimited)
		for range 100 {
			mustGo(t, pool)
		}
		if got := pool.Counts().Limit; got != headcount.Unlimited {
			t.Errorf("counts show the limit %d, want Unlimited", got)
		}
		if got := pool.MaxChildren().Snapshot().InForce; got != headcount.Unlimited {
			t.Errorf("the limit shows %d in force, want Unlimited", got)
		}
		if headcount.Unlimited <= headcount.MaxLimit {
			t.Error("Unlimited could be mistaken for a number")
		}
	})
}

// D3
func TestWhatTheLimitCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		pool := newPool(t, 5, headcount.WithBackoff(longBackoff))
		for range 3 { // failed and ignored starts do not count
			fails, ignores := d.actor("fails"), d.actor("ignores")
			fails.begin = func(int) error { return errBoom }
			ignores.begin = func(int) error { return headcount.ErrIgnore }
			if _, err := pool.StartChild(t.Context(), fails); !errors.Is(err, errBoom) {
				t.Fatalf("StartChild returned %v, want boom", err)
			}
			child, err := pool.StartChild(t.Context(), ignores)
			wantIgnored(t, child, err)
		}
		mustGo(t, pool) // a worker
		inner := headcount.NewSupervisor("inner", headcount.SupervisorConfig{}, d.actor("x"), d.actor("y"), d.actor("z"))
		if _, err := pool.StartChild(t.Context(), inner); err != nil { // a supervisor: one, whatever is below
			t.Fatal(err)
		}
		restarting := d.actor("restarting")
		if _, err := pool.StartChild(t.Context(), restarting); err != nil {
			t.Fatal(err)
		}
		restarting.backsOff()
		ready := make(chan struct{})
		starting := make(chan error, 1)
		go func() { // a start that waits for readiness
			_, err := pool.StartChild(context.Background(), headcount.ChildSpec{AwaitReady: true, Run: func(ctx context.Context) error {
				<-ready
				headcount.Ready(ctx)
				return until(ctx)
			}})
			starting <- err
		}()
		release := make(chan struct{})
		stuck, err := pool.StartChild(t.Context(), stubborn("stuck", headcount.ShutdownNow, release))
		if err != nil {
			t.Fatal(err)
		}
		wantStuck(t, stuck.Stop(t.Context()), stuck.Path())

		synctest.Wait()
		wantRunning(t, pool, 5)
		_, err = pool.Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)

		close(ready)
		if err := <-starting; err != nil {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		wantRunning(t, pool, 4)
	})
}

// D18, RA4, O2, laws 1 and 10
func TestTheLimitChangesWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := headcount.NewDynamicSupervisor("pool", headcount.MaxChildren(2, headcount.Ceiling(4)))
		start(t, pool)
		events := pool.Events(100)
		defer events.Close()
		limit := pool.MaxChildren()
		set := func(n int) {
			t.Helper()
			if err := limit.Set(n, headcount.Change{Source: "test", By: "me", Why: "because"}); err != nil {
				t.Fatal(err)
			}
		}
		full := func() {
			t.Helper()
			_, err := pool.Go(t.Context(), until)
			wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
			var refusal *headcount.Refusal
			if errors.As(err, &refusal) && refusal.Limit != limit.Value() {
				t.Errorf("the refusal says limit %d, want %d", refusal.Limit, limit.Value())
			}
		}
		children := []*headcount.Child{mustGo(t, pool), mustGo(t, pool)}
		full()
		set(4)
		children = append(children, mustGo(t, pool), mustGo(t, pool))
		full()
		if err := limit.Set(5, headcount.Change{}); err == nil || limit.Value() != 4 {
			t.Errorf("above the ceiling: %v, in force %d", err, limit.Value())
		}
		if err := limit.Set(-1, headcount.Change{}); err == nil || limit.Value() != 4 {
			t.Errorf("negative: %v, in force %d", err, limit.Value())
		}
		set(1) // kills nobody
		synctest.Wait()
		wantRunning(t, pool, 4)
		for _, c := range children[:3] {
			full()
			if err := c.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		full()
		if err := children[3].Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustGo(t, pool)
		full()

		if err := limit.Cap("memory", 0, "little is left"); err != nil {
			t.Fatal(err)
		}
		set(3) // in force is the smallest
		full()
		snapshot := limit.Snapshot()
		if s := snapshot.Setting; s.Value != 3 || s.Source != "test" || s.By != "me" || s.Why != "because" || s.When.IsZero() {
			t.Errorf("the setting is %+v", s)
		}
		if len(snapshot.Caps) != 1 || snapshot.Caps[0].Name != "memory" || snapshot.InForce != 0 || snapshot.Ceiling != 4 {
			t.Errorf("the snapshot is %+v", snapshot)
		}
		limit.Uncap("memory")
		mustGo(t, pool)
		mustGo(t, pool)
		full()
		changes := 0
		for _, e := range drain(events) {
			if _, ok := e.(headcount.LimitChanged); ok {
				changes++
			}
		}
		if changes != 5 {
			t.Errorf("%d changes told, want 5: three settings, a cap set and lifted", changes)
		}
	})
}

// RA4, law 10
func TestRaisingALimitWakesTheWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 0, headcount.Wait(10, time.Hour))
		var inside atomic.Int32
		for range 5 {
			go func() {
				if err := pool.Do(context.Background(), func(ctx context.Context) error {
					inside.Add(1)
					return until(ctx)
				}); err != nil && !errors.Is(err, headcount.ErrStopped) && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}()
		}
		for limit := range 6 {
			if err := pool.MaxChildren().Set(limit, headcount.Change{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := int(inside.Load()); got != limit {
				t.Errorf("limit %d: %d inside", limit, got)
			}
		}
	})
}

// RA6, law 7
func TestASpellOfRefusalsIsTwoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, 1)
		events := pool.Events(1000)
		defer events.Close()
		mustGo(t, pool)
		for range 2 { // two spells
			for range 100 {
				if _, err := pool.Go(t.Context(), until); !errors.Is(err, headcount.ErrMaxChildren) {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			time.Sleep(time.Minute)
		}
		var reached []headcount.LimitReached
		var cleared []headcount.LimitCleared
		for _, e := range drain(events) {
			switch e := e.(type) {
			case headcount.LimitReached:
				reached = append(reached, e)
			case headcount.LimitCleared:
				cleared = append(cleared, e)
			}
		}
		if len(reached) != 2 || len(cleared) != 2 {
			t.Fatalf("%d times reached, %d times cleared, want two spells", len(reached), len(cleared))
		}
		if r := reached[0]; r.Path != "pool" || r.Limit != 1 || r.Reason != "max_children" {
			t.Errorf("got %+v", r)
		}
		for _, c := range cleared {
			if c.Refused != 100 {
				t.Errorf("a spell of %d refusals, want 100", c.Refused)
			}
		}
	})
}

// V1
func TestMaxDescendantsHoldsForTheWholeTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := headcount.NewDynamicSupervisor("a", headcount.MaxChildren(10))
		b := headcount.NewDynamicSupervisor("b", headcount.MaxChildren(10))
		top := headcount.NewSupervisor("top", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(7)},
			a, headcount.NewSupervisor("middle", headcount.SupervisorConfig{}, b))
		start(t, top)
		var children []*headcount.Child
		for i := range 4 { // a, middle and b are descendants too
			s := a
			if i%2 == 0 {
				s = b
			}
			children = append(children, mustGo(t, s))
		}
		for _, s := range []*headcount.DynamicSupervisor{a, b} {
			_, err := s.Go(t.Context(), until)
			wantRefusal(t, err, headcount.ReasonMaxDescendants, headcount.ErrMaxDescendants)
			var refusal *headcount.Refusal
			if errors.As(err, &refusal) && refusal.Path != "top" {
				t.Errorf("the refusal names %s, want top", refusal.Path)
			}
		}
		if err := children[0].Stop(t.Context()); err != nil { // of b
			t.Fatal(err)
		}
		mustGo(t, a) // all levels or none: a's refusals kept no slot of its own
		if n := a.Counts().Running; n != 3 {
			t.Errorf("a holds %d, want 3", n)
		}
	})
}
