package headcount

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// faults are all ways in which a function can end.
var faults = map[string]func(context.Context) error{
	"return": func(context.Context) error { return nil },
	"error":  func(context.Context) error { return io.EOF },
	"panic":  func(context.Context) error { panic("a fault") },
	"nil":    func(context.Context) error { panic(nil) },
	"Goexit": func(context.Context) error { runtime.Goexit(); return nil },
	"Goexit in a panic": func(context.Context) error {
		defer runtime.Goexit()
		panic("a fault")
	},
	"panic in a Goexit": func(context.Context) error {
		defer func() { panic("a fault") }()
		runtime.Goexit()
		return nil
	},
	"an error that panics": func(context.Context) error { return brokenError{} },
}

func TestTheSlotIsFreedHoweverAChildEnds(t *testing.T) {
	for name, fault := range faults {
		for _, restart := range []Restart{Permanent, Transient, Temporary} {
			t.Run(name+"/"+restart.String(), func(t *testing.T) {
				inBubble(t, func(t *testing.T) { endAllWays(t, fault, restart) })
			})
		}
	}
}

func endAllWays(t *testing.T, fault func(context.Context) error, restart Restart) {
	k := NewKeyedSupervisor[string]("users", MaxChildren(4), MaxPerKey(4), KeyShare(10), RestartIntensity(2, time.Minute), Reserve(1))
	app := NewSupervisor("app", SupervisorConfig{MaxDescendants: MaxDescendants(20), Logger: quiet}, k)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	bystander := started(t)(k.At("a").Go(t.Context(), obedient))
	for range 3 {
		c := started(t)(k.At("a").Go(t.Context(), fault, WithRestart(restart)))
		c.Wait(t.Context())
		c = started(t)(k.At("b").StartChild(t.Context(), ChildSpec{Run: func(ctx context.Context) error { // and in a helper
			return Go(ctx, fault)
		}, Restart: restart}))
		c.Wait(t.Context())
		done := make(chan struct{})
		go func() { // Do may take the goroutine with it
			defer close(done)
			k.At("c").Do(t.Context(), fault)
		}()
		<-done
		k.At("d").StartChild(t.Context(), ChildSpec{Run: fault, Restart: restart, AwaitReady: true})
	}
	synctest.Wait()
	if n := k.own.count(); n != 1 {
		t.Errorf("%d slots are held, want the bystander's", n)
	}
	if bystander.hasEnded() {
		t.Error("the bystander was hurt")
	}
	down(t, app)
	allFree(t, app, k)
}

func TestFaultsInCallbacksFreeTheSlot(t *testing.T) {
	fault := func(kind string) {
		if kind == "panic" {
			panic("in a callback")
		}
		runtime.Goexit()
	}
	for _, kind := range []string{"panic", "Goexit"} {
		for name, opt := range map[string]Option{
			"Around before": Around(func(context.Context, ChildInfo, func(context.Context) error) error { fault(kind); return nil }),
			"Around after": Around(func(ctx context.Context, _ ChildInfo, next func(context.Context) error) error {
				next(ctx)
				fault(kind)
				return nil
			}),
			"MaxPerKeyFunc": MaxPerKeyFunc(func(string, int) int { fault(kind); return 0 }),
			"KeyName":       KeyName(func(string) string { fault(kind); return "" }),
			"slog":          WithLogger(slog.New(faultyHandler{func() { fault(kind) }})),
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					k := NewKeyedSupervisor[string]("users", MaxChildren(4), MaxPerKey(4), WithLogger(quiet), RestartIntensity(1, time.Minute), opt)
					if err := k.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					for _, f := range faults {
						for _, restart := range []Restart{Permanent, Temporary} {
							done := make(chan struct{})
							go func() {
								defer close(done)
								k.At("a").Go(t.Context(), f, WithRestart(restart))
							}()
							<-done
							synctest.Wait()
						}
					}
					time.Sleep(time.Minute)
					if n := k.own.count(); n != 0 {
						t.Errorf("%d slots are held", n)
					}
					down(t, k)
					allFree(t, k)
				})
			})
		}
	}
}

// A faultyHandler is a log handler that fails in every way.
type faultyHandler struct{ fault func() }

func (h faultyHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (h faultyHandler) Handle(context.Context, slog.Record) error { h.fault(); return nil }
func (h faultyHandler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h faultyHandler) WithGroup(string) slog.Handler             { return h }

func TestAFilterThatPanicsHurtsOnlyItsCaller(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := up(t, NewKeyedSupervisor[string]("users", MaxChildren(4), MaxPerKey(4), WithLogger(quiet)))
		started(t)(k.At("a").Go(t.Context(), obedient))
		for _, list := range []func(Query) ([]ChildInfo, uint64){k.Children, k.At("a").Children} {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic did not reach the caller")
					}
				}()
				list(Query{Match: func(ChildInfo) bool { panic("a fault") }})
			}()
		}
		if infos, _ := k.Children(Query{}); len(infos) != 1 {
			t.Errorf("%d children, want 1", len(infos))
		}
	})
}

func TestAKeyThatDoesNotEqualItselfIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := NewKeyedSupervisor[float64]("users", MaxChildren(4), MaxPerKey(1), WithLogger(quiet))
		if err := k.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := k.At(math.NaN())
		_, err := at.Go(t.Context(), obedient)
		isConfig(t, err, "key")
		_, err = at.StartChild(t.Context(), ChildSpec{Run: obedient})
		isConfig(t, err, "key")
		isConfig(t, at.Do(t.Context(), func(context.Context) error { return nil }), "key")
		down(t, k)
		if n := keysIn(k); n != 0 {
			t.Errorf("there is state for %d keys", n)
		}
	})
}

// isConfig fails the test if err holds no ConfigError of the field, or one that says too little.
func isConfig(t *testing.T, err error, field string) {
	t.Helper()
	var c *ConfigError
	if !errors.As(err, &c) {
		t.Fatalf("got %v, want a ConfigError of %s", err, field)
	}
	if c.Field != field || c.Path == "" || c.Problem == "" {
		t.Fatalf("got field %q path %q problem %q, want field %q", c.Field, c.Path, c.Problem, field)
	}
}
