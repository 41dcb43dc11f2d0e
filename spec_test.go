package headcount

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// FuzzCheckSpec looks for a spec that makes Check panic, or that it lets pass though the start then fails because of it.
func FuzzCheckSpec(f *testing.F) {
	f.Add("store", uint8(0), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), false, false, true)
	f.Add("a/b", uint8(9), int64(-5), int64(-1), int64(-1), int64(math.MinInt64), int64(-3), int64(-1), true, true, false)
	f.Add("", uint8(2), int64(math.MaxInt64), int64(1), int64(1), int64(1), int64(1), int64(1), true, true, true)
	f.Fuzz(func(t *testing.T, name string, restart uint8, shutdown, ready, life, bytes, restarts, within int64, significant, await, run bool) {
		spec := ChildSpec{
			Name: name, Restart: Restart(restart), Shutdown: time.Duration(shutdown), AwaitReady: await, ReadyWithin: time.Duration(ready),
			MaxLifetime: time.Duration(life), MaxBytes: bytes, Significant: significant,
			Intensity: Intensity{Restarts: int(restarts), Within: time.Duration(within)},
			Backoff:   Backoff{Min: time.Duration(within), Max: time.Duration(shutdown), Stable: time.Duration(life)},
		}
		if run {
			spec.Run = func(ctx context.Context) error { Ready(ctx); return nil }
		}
		sup := NewSupervisor("app", SupervisorConfig{AutoShutdown: AnySignificant, Logger: quiet}, spec)
		err := Check(sup)
		if err != nil {
			var problem *ConfigError
			if !errors.As(err, &problem) || problem.Path == "" || problem.Field == "" || problem.Problem == "" {
				t.Fatalf("an error that does not name path, field and problem: %#v", err)
			}
			if got := err.Error(); strings.ContainsAny(strings.ReplaceAll(got, "\n", ""), "\x00\x1b") {
				t.Fatalf("control characters in %q", got)
			}
			if startErr := sup.Start(context.Background()); startErr == nil {
				t.Fatalf("started, though Check says %v", err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := sup.Start(ctx); errors.As(err, new(*ConfigError)) {
			t.Fatalf("Check has passed, the start says %v", err)
		} else if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("the start hangs")
		}
		if err := sup.Stop(ctx); errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("the stop hangs")
		}
	})
}
