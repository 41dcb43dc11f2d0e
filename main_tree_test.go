package headcount

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

func TestMainTellsWhatIsLeftOfATree(t *testing.T) {
	tree := TreeNode{
		Path: "myapp", Kind: SupervisorKind, Counts: Counts{Running: 3},
		Workers: []ChildInfo{{Path: "myapp/store", State: StateStopped}, {Path: "myapp/web", State: StateStopping}},
		Children: []TreeNode{
			{Path: "myapp/jobs", Kind: DynamicKind, Counts: Counts{Running: 5, Stuck: 2}},
			{Path: "myapp/users", Kind: KeyedKind},
		},
	}
	got := strings.Join(stillRunning(tree), "\n")
	if want := "myapp/web: stopping\nmyapp/jobs: 5 running, 2 of them stuck"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What the fakes above promise is what real trees do.
func TestMainOverARealTree(t *testing.T) {
	type run struct {
		cfg     MainConfig
		out     bytes.Buffer
		signals chan os.Signal
	}
	main := func(r *run, cfg SupervisorConfig, children ...Specifier) int {
		cfg.Logger = slog.New(slog.DiscardHandler)
		r.signals = make(chan os.Signal, 2)
		r.cfg.Output, r.cfg.Signals = &r.out, r.signals
		return Main(context.Background(), NewSupervisor("myapp", cfg, children...), r.cfg)
	}
	check := func(t *testing.T, r *run, got, want int, told string) {
		t.Helper()
		if got != want || !strings.Contains(r.out.String(), told) {
			t.Errorf("exit code %d, want %d; the output should tell %q:\n%s", got, want, told, r.out.String())
		}
	}
	bubble(t, "stopped in order", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", Run: func(ctx context.Context) error {
			r.signals <- syscall.SIGTERM
			<-ctx.Done()
			return nil
		}})
		check(t, &r, code, 0, "myapp: stopped in")
	})
	bubble(t, "ended by itself", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{AutoShutdown: AnySignificant}, ChildSpec{
			Name: "batch", Restart: Transient, Significant: true, Run: func(context.Context) error { return nil },
		})
		check(t, &r, code, 0, "myapp: stopped in")
	})
	bubble(t, "gave up", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", Run: func(context.Context) error { return errors.New("boom") }})
		check(t, &r, code, 1, "gave up")
	})
	bubble(t, "start failed", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", AwaitReady: true, Run: func(context.Context) error { return errors.New("boom") }})
		check(t, &r, code, 1, "myapp: start failed: ")
	})
	bubble(t, "invalid", func(t *testing.T) {
		var r run
		check(t, &r, main(&r, SupervisorConfig{}, ChildSpec{Name: "web"}), 2, "\n  myapp/web: ChildSpec.Run: ")
	})
	bubble(t, "asked to end while it starts", func(t *testing.T) {
		var r run
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", AwaitReady: true, Run: func(ctx context.Context) error {
			r.signals <- syscall.SIGINT
			<-ctx.Done()
			return ctx.Err()
		}})
		check(t, &r, code, 0, "myapp: stopped in")
	})
	bubble(t, "stuck", func(t *testing.T) {
		var r run
		hang := make(chan struct{})
		code := main(&r, SupervisorConfig{}, ChildSpec{Name: "web", Run: func(context.Context) error {
			r.signals <- syscall.SIGTERM
			<-hang
			return nil
		}})
		check(t, &r, code, 3, "stuck, left to the end of the process: 1\n  myapp/web\n")
		close(hang)
		synctest.Wait()
	})
	bubble(t, "time over", func(t *testing.T) {
		var r run
		hang := make(chan struct{})
		hanging := func(context.Context) error { <-hang; return nil }
		jobs := NewDynamicSupervisor("jobs", MaxChildren(5), ShutdownWithin(ShutdownInfinity))
		code := main(&r, SupervisorConfig{}, jobs, ChildSpec{Name: "web", Shutdown: ShutdownInfinity, Run: func(ctx context.Context) error {
			if _, err := jobs.Go(ctx, hanging); err != nil {
				return err
			}
			r.signals <- syscall.SIGTERM
			return hanging(ctx)
		}})
		check(t, &r, code, 3, "myapp: not stopped within 25s, left to the end of the process:\n  myapp/web: stopping\n  myapp/jobs: 1 running, 0 of them stuck\n")
		close(hang)
		synctest.Wait()
	})
}
