package headcount

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// startEventLog runs logEvents on a bus of its own. end closes the subscription and
// waits until the log has ended.
func startEventLog(h slog.Handler, buffer int) (bus *eventBus, end func()) {
	bus = new(eventBus)
	sub := bus.subscribe(buffer)
	over := logEvents(sub, slog.New(h))
	return bus, func() {
		sub.Close()
		<-over
	}
}

func lines(b *bytes.Buffer) []string {
	return strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\n' })
}

func TestEventLogWritesOneLinePerEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		bus, end := startEventLog(slog.NewTextHandler(&out, nil), 0)
		when := time.Now().UTC()
		for _, e := range allEvents("myapp/jobs", when) {
			bus.emit(e)
		}
		time.Sleep(time.Millisecond) // the lines tell when it happened, not when it was logged
		end()
		want := []string{
			`level=WARN msg="child failed" path=myapp/jobs err=boom id=7 restart=true`,
			`level=INFO msg="child restarted" path=myapp/jobs err=boom id=7 restarts=2 delay=1s`,
			`level=ERROR msg="child given up" path=myapp/jobs err=boom id=7 restarts=3 within=5s`,
			`level=ERROR msg="child stuck" path=myapp/jobs id=7 after=5s`,
			`level=INFO msg="child unstuck" path=myapp/jobs id=7 stuck=1m0s`,
			`level=WARN msg="start failed" path=myapp/jobs err=boom`,
			`level=WARN msg="group restarted" path=myapp/jobs err=boom strategy=rest_for_one child=store`,
			`level=WARN msg="group halted" path=myapp/jobs child=store`,
			`level=INFO msg="supervisor started" path=myapp/jobs`,
			`level=INFO msg="supervisor stopped" path=myapp/jobs err=boom`,
			`level=ERROR msg="supervisor gave up" path=myapp/jobs err=boom`,
			`level=ERROR msg="limits refused" path=myapp/jobs err="line 3" source=limits.yaml`,
			`level=INFO msg="limit changed" path=myapp/jobs limit=max_children from=10 to=20 in_force=15 source=admin by=ann why=sale`,
			`level=WARN msg="limit reached" path=myapp/jobs reason=max_children limit=10`,
			`level=INFO msg="limit cleared" path=myapp/jobs reason=max_children refused=12 for=3s`,
		}
		got := lines(&out)
		if len(got) != len(want) {
			t.Fatalf("%d lines:\n%s", len(got), out.String())
		}
		for i := range want {
			if want := "time=" + when.Format("2006-01-02T15:04:05.000Z") + " " + want[i]; got[i] != want {
				t.Errorf("\n got %s\nwant %s", got[i], want)
			}
		}
	})
}

func TestEventLogHoldsAStormToTwentyLinesASecondPerKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHandler{}
		bus, end := startEventLog(h, 1000)
		for range 50 {
			bus.emit(ChildFailed{Time: time.Now()})
		}
		bus.emit(ChildStuck{Time: time.Now()})
		time.Sleep(time.Second - 1)
		synctest.Wait()
		if n := h.count("child failed"); n != 20 {
			t.Errorf("%d lines of the storm", n)
		}
		if h.count("child stuck") != 1 {
			t.Error("another kind was held back too")
		}
		if h.count("events not logged") != 0 {
			t.Error("the rest was told before the second was over")
		}

		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if h.count("events not logged kind=child failed events=30") != 1 {
			t.Errorf("the rest was not told: %q", h.last())
		}

		time.Sleep(time.Hour) // a quiet time tells nothing
		before := len(h.written())
		for range 25 {
			bus.emit(ChildFailed{Time: time.Now()})
		}
		end() // the end of the events is the end of the second
		if len(h.written()) != before+21 || h.count("events not logged kind=child failed events=5") != 1 {
			t.Errorf("after a quiet time: %q", h.written()[before:])
		}
	})
}

func TestEventLogTellsWhatWasDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHandler{block: make(chan struct{})}
		bus, end := startEventLog(h, 4)
		bus.emit(SupervisorStarted{})
		synctest.Wait() // the handler hangs on the first line
		for range 10 {
			bus.emit(SupervisorStarted{}) // delayed by nothing
		}
		close(h.block)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := h.last(); !strings.Contains(got, "events dropped events=6") {
			t.Errorf("last line: %s", got)
		}
		n := len(h.written())
		bus.emit(SupervisorStarted{})
		end()
		if len(h.written()) != n+1 {
			t.Error("what was told once was told again")
		}
	})
}

func TestEventLogSurvivesAHandlerThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHandler{panics: map[string]bool{"child stuck": true}}
		bus, end := startEventLog(h, 0)
		bus.emit(ChildStuck{})
		bus.emit(SupervisorStarted{})
		end()
		if got := h.written(); len(got) != 1 || !strings.HasPrefix(got[0], "supervisor started") {
			t.Errorf("written: %q", got)
		}
	})
}

func TestEventLogBoundsErrorsAndStacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHandler{}
		bus, end := startEventLog(h, 0)
		p := &PanicError{Value: strings.Repeat("v", 10_000), Stack: bytes.Repeat([]byte("s"), 1<<20)}
		bus.emit(ChildFailed{Err: fmt.Errorf("wrapped: %w", p)})
		bus.emit(ChildFailed{Err: &panickyError{}})
		bus.emit(ChildFailed{Err: evilError{}})
		end()
		got := h.written()
		if len(got) != 3 {
			t.Fatalf("%d lines", len(got))
		}
		if n := strings.Count(got[0], "s"); n < maxLoggedStack || n > maxLoggedStack+50 {
			t.Errorf("%d bytes of stack", n)
		}
		if n := strings.Count(got[0], "v"); n > maxLoggedError {
			t.Errorf("%d bytes of error", n)
		}
		if !strings.Contains(got[1], "PANIC") || !strings.Contains(got[2], "err=evil") {
			t.Errorf("got %q", got[1:])
		}
	})
}

func TestEventLogAsksTheHandlerForItsLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		bus, end := startEventLog(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError}), 0)
		for _, e := range allEvents("a", time.Now()) {
			bus.emit(e)
		}
		end()
		if got := lines(&out); len(got) != 4 {
			t.Errorf("%d lines:\n%s", len(got), out.String())
		}
	})
}

type evilError struct{}

func (evilError) Error() string { return "evil" }
func (evilError) Unwrap() error { panic("no chain") }

// fakeHandler keeps its lines, hangs until block is closed if there is one,
// and panics at some messages.
type fakeHandler struct {
	block  chan struct{}
	panics map[string]bool

	mu    sync.Mutex
	lines []string
}

func (h *fakeHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h *fakeHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *fakeHandler) WithGroup(string) slog.Handler            { return h }
func (h *fakeHandler) Handle(_ context.Context, r slog.Record) error {
	if h.block != nil {
		<-h.block
	}
	if h.panics[r.Message] {
		panic("handler")
	}
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
	return nil
}

func (h *fakeHandler) written() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.lines...)
}

// count returns how many lines begin with prefix.
func (h *fakeHandler) count(prefix string) (n int) {
	for _, line := range h.written() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func (h *fakeHandler) last() string {
	if w := h.written(); len(w) > 0 {
		return w[len(w)-1]
	}
	return ""
}
