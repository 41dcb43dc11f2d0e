package headcount

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func rounds(long int) int {
	if testing.Short() {
		return long / 10
	}
	return long
}

// Each of two significant children that end at once finds the other on its way out: one of them must be the last.
func TestTheLastOfTwoSignificantChildrenThatEndAtOnceStopsTheSupervisor(t *testing.T) {
	for range rounds(5000) {
		gate := make(chan struct{})
		run := func(ctx context.Context) error { <-gate; return nil }
		s := NewSupervisor("s", SupervisorConfig{AutoShutdown: AllSignificant, Logger: quiet},
			ChildSpec{Name: "a", Run: run, Restart: Transient, Significant: true},
			ChildSpec{Name: "b", Run: run, Restart: Transient, Significant: true})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(gate)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if err := s.Wait(ctx); err != nil {
			t.Fatalf("the automatic shutdown was lost: %v", err)
		}
		cancel()
	}
}

// The order of a start is the owner's: nobody gets in between.
func TestThereIsNoAdministrationBeforeTheDeclaredChildrenHaveStarted(t *testing.T) {
	for name, call := range map[string]func(s *Supervisor) error{
		"restart":   func(s *Supervisor) error { _, err := s.RestartChild(t.Context(), "b"); return err },
		"delete":    func(s *Supervisor) error { return s.DeleteChild(t.Context(), "b") },
		"terminate": func(s *Supervisor) error { return s.TerminateChild(t.Context(), "b") },
		"start": func(s *Supervisor) error {
			_, err := s.StartChild(t.Context(), ChildSpec{Name: "c", Run: benchIdle})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				goOn := make(chan struct{})
				s := NewSupervisor("s", SupervisorConfig{Logger: quiet},
					ChildSpec{Name: "a", AwaitReady: true, Run: func(ctx context.Context) error { <-goOn; Ready(ctx); <-ctx.Done(); return nil }},
					ChildSpec{Name: "b", Run: benchIdle})
				started := make(chan error, 1)
				go func() { started <- s.Start(context.Background()) }()
				synctest.Wait()
				if err := call(s); !errors.Is(err, ErrNotRunning) {
					t.Errorf("got %v, want %v", err, ErrNotRunning)
				}
				close(goOn)
				if err := <-started; err != nil {
					t.Error(err)
				}
				if b, _ := s.Child("b"); b.State != StateRunning {
					t.Errorf("b is %s", b.State)
				}
				if err := s.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Whoever was told that a child is terminated does not find it running again, whatever the group does.
func TestATerminatedChildDoesNotComeBackWithItsGroup(t *testing.T) {
	for i := range rounds(5000) {
		gate := make(chan struct{})
		first := true
		s := NewSupervisor("s", SupervisorConfig{Strategy: OneForAll, Intensity: Intensity{100, time.Second}, Logger: quiet},
			ChildSpec{Name: "a", Run: func(ctx context.Context) error {
				if !first {
					<-ctx.Done()
					return nil
				}
				first = false
				select {
				case <-gate:
					return errors.New("x")
				case <-ctx.Done():
					return nil
				}
			}},
			ChildSpec{Name: "b", Run: benchIdle})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		go close(gate)
		for range i % 50 { // at different moments
			s.Counts()
		}
		if err := s.TerminateChild(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if info, _ := s.Child("a"); info.State != StateStopped {
				t.Fatalf("terminated, and %s again", info.State)
			}
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A group that was stopped because of a child starts again without it, if that one is terminated in the pause.
func TestTerminatingTheFailedChildInThePauseBringsItsSiblingsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := make(chan struct{})
		failing := func(ctx context.Context) error {
			select {
			case <-fail:
				return errors.New("x")
			case <-ctx.Done():
				return nil
			}
		}
		s := NewSupervisor("s", SupervisorConfig{
			Strategy: OneForAll, Intensity: Intensity{10, time.Hour}, Backoff: Backoff{Min: time.Minute, Max: time.Minute}, Logger: quiet,
		}, ChildSpec{Name: "good", Run: benchIdle}, ChildSpec{Name: "bad", Run: failing})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(fail) // the first restart is at once, the second after a pause
		synctest.Wait()
		if good, _ := s.Child("good"); good.State != StateStopped {
			t.Fatalf("there is no pause: good is %s", good.State)
		}
		if err := s.TerminateChild(t.Context(), "bad"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, want := range map[string]State{"good": StateRunning, "bad": StateStopped} {
			if c, _ := s.Child(name); c.State != want {
				t.Errorf("%s is %s, want %s", name, c.State, want)
			}
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A key that could not be admitted now, because of what it holds, does not wait: it would keep others out of the queue.
func TestAKeyAboveItsAllowanceDoesNotFillTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewKeyedSupervisor[string]("k", MaxChildren(2), MaxPerKey(8), Wait(4, time.Minute), WithLogger(quiet))
		if err := k.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"mallory", "alice"} {
			if _, err := k.At(key).Go(t.Context(), benchIdle); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			if _, err := k.At("mallory").Go(t.Context(), benchIdle); !errors.Is(err, ErrMaxPerKey) {
				t.Errorf("got %v, want %v at once", err, ErrMaxPerKey)
			}
		}
		admitted := make(chan error, 1)
		go func() { _, err := k.At("bob").Go(context.Background(), benchIdle); admitted <- err }()
		synctest.Wait()
		if err := k.At("alice").Terminate(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-admitted; err != nil {
			t.Errorf("bob: %v", err)
		}
		if err := k.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAShareOfALimitIsRoundedUpAndNotFurther(t *testing.T) {
	for limit := uint64(1); limit <= 1000; limit++ {
		for percent := uint64(1); percent < 100; percent++ {
			if got, want := portion(float64(percent)/100, limit), (percent*limit+99)/100; got != want {
				t.Fatalf("%d %% of %d are %d, want %d", percent, limit, got, want)
			}
		}
	}
}

func TestTheErrorOfARunIsNotReplacedByWhatFollowsInItsHelpers(t *testing.T) {
	d := NewDynamicSupervisor("d", MaxChildren(1), WithLogger(quiet))
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the cause")
	c, err := d.Go(t.Context(), func(ctx context.Context) error {
		if err := Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return errors.New("interrupted") }); err != nil {
			return err
		}
		return cause
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context()); err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// One supervisor declared by two roots lives once, also if both are started at the same time.
func TestTwoRootsThatShareASupervisorDoNotBothStart(t *testing.T) {
	for range rounds(2000) {
		shared := NewDynamicSupervisor("shared", MaxChildren(1))
		results := make(chan error, 2)
		roots := []*Supervisor{
			NewSupervisor("one", SupervisorConfig{Logger: quiet}, shared), NewSupervisor("two", SupervisorConfig{Logger: quiet}, shared),
		}
		for _, root := range roots {
			go func() { results <- root.Start(context.Background()) }()
		}
		if a, b := <-results, <-results; (a == nil) == (b == nil) {
			t.Fatalf("started: %v and %v", a, b)
		}
		for _, root := range roots {
			if err := root.Stop(t.Context()); err != nil && !errors.Is(err, ErrNotRunning) {
				t.Fatal(err)
			}
		}
	}
}

// A name function may look at its own supervisor: nobody asks it under a lock.
func TestAKeyIsNamedUnderNoLock(t *testing.T) {
	var k *KeyedSupervisor[int]
	k = NewKeyedSupervisor[int]("k", MaxChildren(1), MaxPerKey(1), WithLogger(quiet), MaxBytes(10),
		KeyName(func(n int) string { k.Counts(); return fmt.Sprint(n) }))
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kept context.Context
	err := k.At(1).Do(t.Context(), func(ctx context.Context) error {
		kept = ctx
		if err := Charge(ctx, 11); !errors.Is(err, ErrMaxBytes) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := Charge(kept, 1); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
	if err := k.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatNoConstructorHasMadeIsAnErrorAndNoPanic(t *testing.T) {
	ctx := t.Context()
	anyKey := NewKeyedSupervisor[any]("k", MaxChildren(1, nil), MaxPerKey(1), WithLogger(quiet), nil)
	if err := anyKey.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() error{
		"dynamic Go":         func() error { _, err := (&DynamicSupervisor{}).Go(ctx, benchIdle); return err },
		"dynamic Do":         func() error { return (&DynamicSupervisor{}).Do(ctx, benchIdle) },
		"dynamic StartChild": func() error { _, err := (&DynamicSupervisor{}).StartChild(ctx, ChildSpec{Run: benchIdle}); return err },
		"dynamic Start":      func() error { return (&DynamicSupervisor{}).Start(ctx) },
		"supervisor Start":   func() error { return (&Supervisor{}).Start(ctx) },
		"supervisor Check":   func() error { return Check(&Supervisor{}) },
		"keyed Go":           func() error { _, err := Keyed[string]{}.Go(ctx, benchIdle); return err },
		"keyed Terminate":    func() error { return Keyed[string]{}.Terminate(ctx) },
		"key not comparable": func() error { _, err := anyKey.At([]int{1}).Go(ctx, benchIdle); return err },
	} {
		if err := try(); !errors.As(err, new(*ConfigError)) {
			t.Errorf("%s: got %v, want a ConfigError", name, err)
		}
	}
	if err := anyKey.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// A context may be kept beyond its run: its deadline stays that run's, and asking for it is no race with the next one.
func TestTheDeadlineOfARunMayBeAskedForDuringTheNextOne(t *testing.T) {
	d := up(t, NewDynamicSupervisor("d", MaxChildren(10), WithLogger(quiet)))
	kept, asked := make(chan context.Context, 1), make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(asked)
		ctx := <-kept
		first, _ := ctx.Deadline()
		for ended := false; !ended; {
			select {
			case <-over:
				ended = true
			default:
			}
			if now, ok := ctx.Deadline(); !ok || !now.Equal(first) {
				t.Errorf("the deadline was %v and is %v", first, now)
				return
			}
		}
	}()
	runs := 0
	c := started(t)(d.StartChild(t.Context(), ChildSpec{Restart: Transient, MaxLifetime: time.Hour, Run: func(ctx context.Context) error {
		if runs++; runs == 1 {
			kept <- ctx
			return errors.New("once more")
		}
		return nil
	}}))
	if err := c.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	close(over)
	<-asked
}
