package top

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe"
	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

const secret = "a secret of the tests"

// serve runs a service with a page, and gives a client of it and its limit.
func serve(t *testing.T) (*client.Client, *headcount.Limit) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4))
	app := headcount.NewSupervisor("shop", headcount.SupervisorConfig{Logger: quiet}, jobs)
	page := observe.NewHandler("page", app, observe.Token("ann", secret), observe.AllowChanges(), observe.Logger(quiet))
	for _, s := range []*headcount.Supervisor{app, page.Supervisor()} {
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, client.Config{Token: secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, jobs.MaxChildren()
}

// A terminal keeps what is written to it, and has a keyboard.
type terminal struct {
	mu       sync.Mutex
	screen   bytes.Buffer
	keys     *io.PipeReader
	keyboard *io.PipeWriter
}

func newTerminal() *terminal {
	r, w := io.Pipe()
	return &terminal{keys: r, keyboard: w}
}

func (x *terminal) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.Write(b)
}

// awaits waits until something was written after what was awaited before.
func (x *terminal) awaits(t *testing.T, word string) {
	t.Helper()
	for range 500 {
		x.mu.Lock()
		text := x.screen.String()
		if i := strings.Index(text, word); i >= 0 {
			x.screen.Next(i + len(word))
			x.mu.Unlock()
			return
		}
		x.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q is never on the screen:\n%q", word, x.screen.String())
}

func (x *terminal) types(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(x.keyboard, text); err != nil {
		t.Fatal(err)
	}
}

func TestALimitOfARunningProgramIsChangedByKeys(t *testing.T) {
	c, limit := serve(t)
	x := newTerminal()
	defer x.keyboard.Close()
	ended := make(chan error)
	go func() {
		ended <- run(t.Context(), c, "bob", tea.WithInput(x.keys), tea.WithOutput(x), tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	}()
	x.awaits(t, "jobs")
	x.types(t, "j")
	x.types(t, "L")
	x.awaits(t, "max_children")
	x.types(t, "\r")
	x.awaits(t, "new value")
	x.types(t, "9\r")
	x.awaits(t, "reason")
	x.types(t, "the sale\r")
	x.awaits(t, "for how long")
	x.types(t, "\r")
	x.awaits(t, "Make the change?")
	if got := limit.Snapshot().InForce; got != 4 {
		t.Errorf("the limit is %d before it was confirmed", got)
	}
	x.types(t, "y")
	x.awaits(t, "audit log")
	s := limit.Snapshot()
	if s.InForce != 9 || s.Setting.By != "ann" || s.Setting.Why != "the sale" || s.Setting.Source != "command" {
		t.Errorf("the limit is %+v", s)
	}
	x.types(t, "e")
	x.awaits(t, "changed from 4 to 9") // told by the stream
	x.types(t, "q")
	x.awaits(t, "SUPERVISOR")
	x.types(t, "q")
	if err := <-ended; err != nil {
		t.Errorf("error %v", err)
	}
}

func TestItEndsWithItsContext(t *testing.T) {
	c, _ := serve(t)
	x := newTerminal()
	defer x.keyboard.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- run(ctx, c, "bob", tea.WithInput(x.keys), tea.WithOutput(x), tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	}()
	x.awaits(t, "jobs")
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAProgramThatDoesNotAnswerIsAnErrorBeforeTheScreenIsTaken(t *testing.T) {
	c, _ := serve(t)
	stranger, err := client.New(c.Address(), client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	x := newTerminal()
	problem := (*wire.Problem)(nil)
	if err := Run(t.Context(), stranger, "bob", x.keys, x); !errors.As(err, &problem) || problem.Status != 401 || x.screen.Len() > 0 {
		t.Errorf("error %v, written %q", err, x.screen.String())
	}
}
