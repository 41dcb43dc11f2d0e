package headcount

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A hostileError does what it is told to wherever it is asked something. The supervisors of the child that fails with
// it, and what tells of it, are not to feel that.
type hostileError struct {
	do func(e error)
	is error // what it matches
}

func (e *hostileError) Error() string        { e.do(e); return "not so hostile" }
func (e *hostileError) Is(target error) bool { e.do(e); return target == e.is }
func (e *hostileError) As(any) bool          { e.do(e); return false }
func (e *hostileError) Unwrap() error        { e.do(e); return nil }
func (e *hostileError) GoString() string     { e.do(e); return "not so hostile" }

// hostility is what a hostileError may do. In the bubble of a test nothing blocks for ever: what is blocked is let go
// with the test's context, once it has been seen that nobody else was.
func hostility(t *testing.T) map[string]*hostileError {
	return map[string]*hostileError{
		"panics":             {do: func(error) { panic("hostile") }},
		"panics with itself": {do: func(e error) { panic(e) }}, // printing the panic panics again, which fmt does not survive
		"exits":              {do: func(error) { runtime.Goexit() }},
		"blocks":             {do: func(error) { <-t.Context().Done() }},
	}
}

// eachHostility runs a test with an error that a child panics with: then no method of it is called on the child's own
// goroutine.
func eachHostility(t *testing.T, test func(t *testing.T, hostile *hostileError)) {
	for name := range hostility(t) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) { test(t, hostility(t)[name]) })
		})
	}
}

func TestNoErrorOfAChildHurtsItsSupervisor(t *testing.T) {
	for _, strategy := range []Strategy{OneForOne, OneForAll, RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			eachHostility(t, func(t *testing.T, hostile *hostileError) {
				runs := 0
				s := NewSupervisor("s", SupervisorConfig{Strategy: strategy, Intensity: Intensity{2, time.Hour}},
					ChildSpec{Name: "bad", AwaitReady: true, Run: func(ctx context.Context) error {
						if runs++; runs == 1 {
							Ready(ctx)
							<-time.After(time.Second)
						}
						panic(hostile)
					}})
				spec := s.ChildSpec()
				spec.Restart = Temporary
				bystander := ChildSpec{Name: "bystander", Run: obedient}
				root := up(t, NewSupervisor("root", SupervisorConfig{}, spec, bystander)) // with the log of the process
				events := root.Events(0)
				defer events.Close()
				time.Sleep(time.Hour)
				synctest.Wait()
				if runs != 3 {
					t.Errorf("the child ran %d times, want 3: its budget", runs)
				}
				told := false
				for len(events.C()) > 0 {
					if e, ok := (<-events.C()).(ChildFailed); ok && e.Path == "root/s" {
						told = true
						if !isIntensity(e.Err) {
							t.Errorf("the supervisor failed with a %T, want its IntensityError", e.Err)
						}
					}
				}
				if !told {
					t.Error("nobody tells that the supervisor gave up")
				}
				if info, _ := root.Child("bystander"); info.State != StateRunning {
					t.Errorf("the bystander is %s", info.State)
				}
			})
		})
	}
}

func TestNoErrorOfAChildHurtsADynamicSupervisorThatLeavesOthersBehind(t *testing.T) {
	eachHostility(t, func(t *testing.T, hostile *hostileError) {
		d := NewDynamicSupervisor("d", MaxChildren(5), Escalate(0, time.Hour))
		root := NewSupervisor("root", SupervisorConfig{Intensity: Intensity{0, time.Hour}}, d)
		if err := root.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		run, release := deaf()
		started(t)(d.Go(t.Context(), run))
		started(t)(d.Go(t.Context(), func(context.Context) error { panic(hostile) }, WithRestart(Permanent)))
		err := root.Wait(t.Context())
		var stuck *StuckError
		if !errors.As(err, &stuck) || stuck.Total != 1 {
			t.Errorf("got a %T, want one that names what is stuck", err)
		}
		if !errors.As(err, new(*IntensityError)) {
			t.Errorf("got a %T, want one that tells of the budget", err)
		}
		release()
		synctest.Wait()
	})
}

// The log of a tree goes on after an error that took its goroutine.
func TestTheLogGoesOnAfterAnErrorThatExits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := &fakeHandler{}
		d := up(t, NewDynamicSupervisor("d", MaxChildren(5), WithLogger(slog.New(h))))
		for _, hostile := range []*hostileError{{do: func(error) { runtime.Goexit() }}, {do: func(e error) { panic(e) }}} {
			c := started(t)(d.Go(t.Context(), func(context.Context) error { panic(hostile) }))
			<-c.Done()
		}
		c := started(t)(d.Go(t.Context(), func(context.Context) error { return errors.New("plain") }))
		<-c.Done()
		synctest.Wait()
		if written := strings.Join(h.written(), "\n"); !strings.Contains(written, "err=plain") {
			t.Errorf("the log ended before:\n%s", written)
		}
	})
}

// A log that hangs in an error delays neither children nor stops, and the end of the tree by a bounded time.
func TestAnErrorThatBlocksTheLogDelaysNoChild(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		hostile := hostility(t)["blocks"]
		d := NewDynamicSupervisor("d", MaxChildren(5))
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 3 {
			c := started(t)(d.Go(t.Context(), func(context.Context) error { panic(hostile) }))
			<-c.Done()
		}
		started(t)(d.Go(t.Context(), obedient))
		if took := time.Since(began); took != 0 {
			t.Errorf("starts and ends took %v", took)
		}
		down(t, d)
		if took := time.Since(began); took > logGrace {
			t.Errorf("the stop took %v", took)
		}
	})
}

func TestMainEndsWhateverAnErrorDoes(t *testing.T) {
	eachHostility(t, func(t *testing.T, hostile *hostileError) {
		fail := func(context.Context) error { <-time.After(time.Second); panic(hostile) }
		for _, c := range []struct {
			awaitReady bool
			code       int
			told       string
		}{{false, 1, "myapp: ended: "}, {true, 1, "myapp: start failed: "}} {
			var out bytes.Buffer
			app := NewSupervisor("myapp", SupervisorConfig{Logger: quiet}, ChildSpec{Name: "bad", AwaitReady: c.awaitReady, Run: fail})
			code := Main(context.Background(), app, MainConfig{Output: &out, Signals: make(chan os.Signal)})
			if code != c.code || !strings.Contains(out.String(), c.told) {
				t.Errorf("exit code %d, want %d and %q told:\n%s", code, c.code, c.told, out.String())
			}
		}
	})
}

// While an error keeps Main from telling it, a second signal still ends the process.
func TestMainAnswersASignalWhateverAnErrorDoes(t *testing.T) {
	eachHostility(t, func(t *testing.T, hostile *hostileError) {
		tree := newFakeTree()
		tree.stop = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		b := startMain(t, tree, MainConfig{})
		tree.ended <- &IntensityError{Path: "myapp", Child: "bad", Err: &PanicError{Value: hostile}}
		synctest.Wait()
		b.signals <- syscall.SIGINT
		b.signals <- syscall.SIGINT
		b.end(t, 130)
	})
}

// Who awaits a task is not hurt by the task's error unless it asks the error itself.
func TestATasksErrorDoesNotHurtWhoAwaitsIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := up(t, NewDynamicSupervisor("d", MaxChildren(5), WithLogger(quiet)))
		hostile := &hostileError{do: func(error) {}, is: context.DeadlineExceeded} // not hostile until it has been judged
		task, err := Async(t.Context(), d, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, hostile }, WithLifetime(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		<-task.Child().Done()
		hostile.do = func(e error) { panic(e) }
		if _, err := task.Await(t.Context()); err == nil {
			t.Error("Await: no error")
		}
		if _, err := AwaitAll(t.Context(), task); err == nil {
			t.Error("AwaitAll: no error")
		}
	})
}

// What a key is called is the user's to say, in whatever form: its name is asked for on a goroutine of its own.
func TestNoKeyHurtsItsSupervisor(t *testing.T) {
	for _, name := range []string{"panics", "panics with itself", "exits"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				key := hostility(t)[name]
				for _, opts := range [][]Option{nil, {SecretKeys()}} {
					k := NewKeyedSupervisor[*hostileError]("k", MaxChildren(5), MaxPerKey(5), append(opts, WithLogger(quiet))...)
					if err := k.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					run, release := deaf()
					c := started(t)(k.At(key).Go(t.Context(), run))
					if c.Path() == "" {
						t.Error("no path")
					}
					if err := k.Stop(t.Context()); !errors.As(err, new(*StuckError)) {
						t.Errorf("stop: %v", err)
					}
					release()
					<-c.Done()
				}
			})
		})
	}
}

// A child's error that happens to match one of ours is the child's failure all the same, not an answer of the
// supervisor to itself.
func TestAFailedStartInAGroupIsRetriedWhateverItsErrorMatches(t *testing.T) {
	for _, err := range []error{ErrNotFound, ErrAlreadyStarted} {
		inBubble(t, func(t *testing.T) {
			runs := 0
			run, fail := failing()
			s := up(t, NewSupervisor("s", SupervisorConfig{Strategy: OneForAll, Logger: quiet}, ChildSpec{Name: "a", Run: run},
				ChildSpec{Name: "b", AwaitReady: true, Run: func(ctx context.Context) error {
					if runs++; runs == 2 {
						return fmt.Errorf("the row: %w", err)
					}
					Ready(ctx)
					return obedient(ctx)
				}}))
			fail <- struct{}{}
			time.Sleep(time.Minute)
			synctest.Wait()
			if b, _ := s.Child("b"); b.State != StateRunning || runs != 3 {
				t.Errorf("b is %s after %d runs, want it retried", b.State, runs)
			}
		})
	}
}
