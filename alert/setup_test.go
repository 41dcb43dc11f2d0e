package alert

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/headcount-go/headcount"
)

var quiet = slog.New(slog.DiscardHandler)

// A recorder is a notifier that keeps what it was told.
type recorder struct {
	mu   sync.Mutex
	told []Alert
	fail error
	hang bool
}

func (r *recorder) String() string { return "recorder" }

func (r *recorder) Notify(ctx context.Context, alerts []Alert) error {
	r.mu.Lock()
	fail, hang := r.fail, r.hang
	if fail == nil && !hang {
		r.told = append(r.told, alerts...)
	}
	r.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return fail
}

func (r *recorder) set(fail error, hang bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail, r.hang = fail, hang
}

// lines gives what it was told of the rule, as "+path limit" and "-path limit".
func (r *recorder) lines(rule string) (lines []string) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.told {
		if a.Rule == rule {
			sign := "+"
			if a.Resolved() {
				sign = "-"
			}
			lines = append(lines, strings.TrimSpace(sign+a.Path+" "+a.Limit))
		}
	}
	return lines
}

func (r *recorder) want(t *testing.T, rule string, want ...string) {
	t.Helper()
	if got := r.lines(rule); !slices.Equal(got, want) {
		t.Errorf("%s: told %q, want %q", rule, got, want)
	}
}

// watched starts a tree with alerts that tell the recorder.
func watched(t *testing.T, cfg Config, children ...headcount.Specifier) (*Alerts, *recorder, *headcount.Supervisor) {
	t.Helper()
	r := &recorder{}
	cfg.Notifiers = append(cfg.Notifiers, r)
	cfg.Logger = quiet
	a := New("alerts", cfg)
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet}, append(children, a)...)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a, r, app
}

func untilStopped(ctx context.Context) error { <-ctx.Done(); return nil }

func fill(t *testing.T, d *headcount.DynamicSupervisor, n int) (children []*headcount.Child) {
	t.Helper()
	for range n {
		c, err := d.Go(t.Context(), untilStopped)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	return children
}

func stop(t *testing.T, children []*headcount.Child) {
	t.Helper()
	for _, c := range children {
		if err := c.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
