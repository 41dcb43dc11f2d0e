package headcount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A MainConfig tells [Main] how to end. The zero value is fine for a service.
type MainConfig struct {
	// StopWithin is the time for the whole tree to stop in, 25 s if zero. It
	// should be below what the platform grants before it kills the process,
	// which is 30 s in Kubernetes.
	StopWithin time.Duration
	// Signals are what asks for the end. If nil, SIGINT and SIGTERM of the
	// process are.
	Signals <-chan os.Signal
	// Output is where the progress of the end is told, and each child that is
	// stuck. If nil, it is standard error.
	Output io.Writer
	// Logger, if not nil, is told of the start and of the end. Events of the
	// tree go to the loggers of its supervisors.
	Logger *slog.Logger
}

const defaultStopWithin = 25 * time.Second

// stopGrace is how long Main waits, when StopWithin is over, for the tree to
// say what is left of it.
const stopGrace = time.Second

// How Main ends; the meanings are at Main.
const (
	codeStopped = 0
	codeFailed  = 1
	codeConfig  = 2
	codeStuck   = 3
	codeSignal  = 128 // and the number of the signal
)

// Main runs the tree below n to its end and returns the exit code of the
// process, for [os.Exit]:
//
//	0    the tree was stopped in order, or ended normally
//	1    the start failed, or the tree gave up
//	2    the configuration is invalid; nothing was started
//	3    children were stuck when the tree had stopped, or StopWithin was over
//	128+ the number of the second signal: 130 for SIGINT, 143 for SIGTERM
//
// Where two apply, a second signal comes before the failure, and that before
// what is stuck.
//
// The first signal, or the end of ctx, stops the tree in order, also while it
// still starts, and gives it StopWithin for that. A second signal ends Main at
// once; what still runs then is left to the end of the process, and so it is
// when StopWithin is over. What is left is named on the output.
//
// Main blocks until the end.
func Main(ctx context.Context, n Node, cfg MainConfig) int {
	check := func() error {
		if err := Check(n); err != nil {
			return err
		}
		return checkRoot(n.base())
	}
	return runMain(ctx, n, check, func() []string { return stillRunning(n.Tree()) }, cfg)
}

// stillRunning says what still runs in the tree, by path: each declared child,
// and the number of children of each dynamic supervisor.
func stillRunning(tree TreeNode) (lines []string) {
	for n := range tree.All() {
		for _, w := range n.Workers {
			if w.State != StateStopped {
				lines = append(lines, fmt.Sprintf("%s: %s", w.Path, w.State))
			}
		}
		if n.Kind != SupervisorKind && n.Counts.Running > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d running, %d of them stuck", n.Path, n.Counts.Running, n.Counts.Stuck))
		}
	}
	return lines
}

// mainNode is what Main needs of a node.
type mainNode interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Wait(ctx context.Context) error
	Path() string
}

func runMain(ctx context.Context, n mainNode, check func() error, left func() []string, cfg MainConfig) int {
	m := &mainRun{node: n, name: "Main", left: left, stopWithin: cfg.StopWithin, signals: cfg.Signals, output: cfg.Output, log: cfg.Logger}
	if m.stopWithin == 0 {
		m.stopWithin = defaultStopWithin
	}
	if m.output == nil {
		m.output = os.Stderr
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if err := mainProblem(ctx, cfg, check); err != nil {
		m.tellConfig(err)
		return codeConfig
	}
	m.name = n.Path()
	if m.signals == nil {
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(signals)
		m.signals = signals
	}
	return m.run(ctx)
}

func mainProblem(ctx context.Context, cfg MainConfig, check func() error) error {
	switch {
	case ctx == nil:
		return &ConfigError{Path: "Main", Field: "ctx", Value: nil, Problem: "must not be nil"}
	case cfg.StopWithin < 0:
		return &ConfigError{Path: "Main", Field: "MainConfig.StopWithin", Value: cfg.StopWithin, Problem: "must not be negative"}
	}
	return check()
}

// A mainRun is one run of Main. All of it is on one goroutine; each call into
// the tree has another, so that a signal is heard at any time.
type mainRun struct {
	node       mainNode
	name       string
	left       func() []string
	stopWithin time.Duration
	signals    <-chan os.Signal
	heard      int // signals received
	output     io.Writer
	log        *slog.Logger
}

// A mainCall is a call into the tree. Its err may be read once done is closed.
type mainCall struct {
	done chan struct{}
	err  error
}

func callTree(f func() error) *mainCall {
	c := &mainCall{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = f()
	}()
	return c
}

func (c *mainCall) isDone() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// run starts the tree, waits for its end or for being asked to end it, and
// stops it. A tree that failed to start or ended by itself is stopped too:
// that does nothing if nothing is left, and else says what is.
func (m *mainRun) run(ctx context.Context) int {
	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCalls()
	starting, cancelStart := context.WithCancel(ctx)
	defer cancelStart()

	start := callTree(func() error { return m.node.Start(starting) })
	asked := m.until(ctx, start)
	var wait *mainCall
	if asked == "" && start.err == nil {
		m.note(slog.LevelInfo, "started")
		wait = callTree(func() error { return m.node.Wait(calls) })
		asked = m.until(ctx, wait)
	}
	cancelStart()

	if asked != "" {
		m.tell("%s: stopping within %v; a second signal ends at once", asked, m.stopWithin)
		m.note(slog.LevelInfo, "stopping", slog.String("why", asked), slog.Duration("within", m.stopWithin))
	}
	failure := m.failure(asked, start, wait)
	began := time.Now()
	stop, code := m.stop(calls, start, wait)
	if failure == nil {
		failure = m.failure(asked, start, wait)
	}
	stuck := m.stuck(stop, start, wait)
	switch {
	case code > codeSignal:
		return code
	case failure != nil:
		return codeFailed
	case stuck || code != codeStopped:
		return codeStuck
	}
	took := time.Since(began).Round(time.Millisecond)
	m.tell("stopped in %v", took)
	m.note(slog.LevelInfo, "stopped", slog.Duration("took", took))
	return codeStopped
}

// until waits for the end of c. If something asks for the end of the tree
// first, or at the same time, it returns what.
func (m *mainRun) until(ctx context.Context, c *mainCall) (asked string) {
	for {
		select {
		case <-c.done:
			if ctx.Err() == nil {
				return ""
			}
			return m.ctxText(ctx)
		case <-ctx.Done():
			return m.ctxText(ctx)
		case sig, open := <-m.signals:
			if !open {
				m.signals = nil
				continue
			}
			m.heard++
			return sig.String()
		}
	}
}

func (m *mainRun) ctxText(ctx context.Context) string { return lineOf(context.Cause(ctx)) }

// stop waits for the start to have ended, stops the tree, and waits for the
// end of wait, if there was one. The code is not 0 if that was not to be: a
// second signal came, or the time was over.
func (m *mainRun) stop(calls context.Context, start, wait *mainCall) (stop *mainCall, code int) {
	stopping, cancel := context.WithTimeout(calls, m.stopWithin)
	defer cancel()
	over := time.NewTimer(m.stopWithin + stopGrace)
	defer over.Stop()

	if code := m.await(start, over.C); code != codeStopped {
		return nil, code
	}
	stop = callTree(func() error { return m.node.Stop(stopping) })
	if code := m.await(stop, over.C); code != codeStopped {
		return stop, code
	}
	switch {
	case stop.err == nil, errors.Is(stop.err, ErrStopped), errors.Is(stop.err, ErrNotRunning):
		// Nothing is left, so the end of the tree is at hand.
		if wait != nil {
			return stop, m.await(wait, over.C)
		}
		return stop, codeStopped
	case stuckIn(stop.err) == nil:
		m.tellLeft()
	}
	return stop, codeStuck
}

// await waits for the end of c, for a second signal, or for the end of the
// time, and returns the exit code that follows from it.
func (m *mainRun) await(c *mainCall, over <-chan time.Time) (code int) {
	for {
		select {
		case <-c.done:
			return codeStopped
		case <-over:
			m.tellLeft()
			return codeStuck
		case sig, open := <-m.signals:
			if !open {
				m.signals = nil
				continue
			}
			// The first signal may come when the end is under way already. Who
			// sent it does not know that, and asked for an orderly one.
			if m.heard++; m.heard < 2 {
				m.tell("%v: stopping already; a second signal ends at once", sig)
				continue
			}
			m.tell("%v: ending at once", sig)
			m.note(slog.LevelError, "ending at once", slog.String("why", sig.String()))
			if number, ok := sig.(syscall.Signal); ok {
				return codeSignal + int(number)
			}
			return codeSignal + int(syscall.SIGTERM)
		}
	}
}

// failure returns why the tree did not start or did not last, as far as that
// is known, and tells it. What follows from having been asked to end is no
// failure.
func (m *mainRun) failure(asked string, start, wait *mainCall) error {
	var err error
	switch {
	case wait != nil:
		if !wait.isDone() || wait.err == nil {
			return nil
		}
		err = wait.err
		if ask(false, func() bool {
			return !errors.As(err, new(*IntensityError)) && (asked != "" || errors.Is(err, ErrStopped) || stuckIn(err) != nil)
		}) {
			return nil
		}
		text := lineOf(err)
		m.tell("ended: %s", text)
		m.note(slog.LevelError, "ended", slog.String("err", text))
	case start.isDone() && start.err != nil:
		err = start.err
		if asked != "" && ask(false, func() bool {
			return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
				errors.Is(err, ErrStopped) || stuckIn(err) != nil
		}) {
			return nil
		}
		text := lineOf(err)
		m.tell("start failed: %s", text)
		m.note(slog.LevelError, "start failed", slog.String("err", text))
	}
	return err
}

// tellLeft tells that the time is over, and what still runs.
func (m *mainRun) tellLeft() {
	left := m.left()
	m.tell("not stopped within %v, left to the end of the process:", m.stopWithin)
	m.list(left, len(left))
	m.note(slog.LevelError, "not stopped", slog.Duration("within", m.stopWithin), slog.Any("left", left[:min(len(left), maxReported)]))
}

// stuck names the children that the first of the calls to know of any says
// are stuck, and reports whether there are any.
func (m *mainRun) stuck(calls ...*mainCall) bool {
	for _, c := range calls {
		if c == nil || !c.isDone() {
			continue
		}
		s := ask(nil, func() *StuckError { return stuckIn(c.err) })
		if s == nil {
			continue
		}
		m.tell("stuck, left to the end of the process: %d", s.Total)
		m.list(s.Paths, s.Total)
		m.note(slog.LevelError, "stuck", slog.Int("total", s.Total), slog.Any("paths", s.Paths))
		return true
	}
	return false
}

// ask gives the answer of f, which calls methods of errors that are the
// user's. They are called on a goroutine of their own, because whatever they
// do, Main ends: if they panic or take longer than stopGrace, the answer is
// otherwise.
func ask[T any](otherwise T, f func() T) T {
	answer := make(chan T, 1)
	go func() {
		got := otherwise
		defer func() {
			_ = recover()
			answer <- got
		}()
		got = f()
	}()
	select {
	case got := <-answer:
		return got
	case <-time.After(stopGrace):
		return otherwise
	}
}

// lineOf is the text of err in one line.
func lineOf(err error) string {
	return ask("(an error that does not say)", func() string { return errorLine(err) })
}

func stuckIn(err error) *StuckError {
	var s *StuckError
	if errors.As(err, &s) {
		return s
	}
	return nil
}

// tellConfig tells what is wrong, a line for each problem.
func (m *mainRun) tellConfig(err error) {
	problems := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		problems = joined.Unwrap()
	}
	m.tell("invalid configuration:")
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = lineOf(p)
	}
	m.list(lines, len(lines))
	m.note(slog.LevelError, "invalid configuration", slog.String("err", lineOf(err)))
}

func (m *mainRun) tell(format string, args ...any) {
	m.print(m.name + ": " + fmt.Sprintf(format, args...))
}

// list prints the first of the lines, and how many more there are of total.
func (m *mainRun) list(lines []string, total int) {
	lines = lines[:min(len(lines), maxReported)]
	for _, line := range lines {
		m.print("  " + oneLine(line, maxLine))
	}
	if more := total - len(lines); more > 0 {
		m.print(fmt.Sprintf("  and %d more", more))
	}
}

// print writes a line to the output. There is nowhere to tell that it cannot.
func (m *mainRun) print(line string) { _, _ = io.WriteString(m.output, line+"\n") }

// note writes to the log. A handler that panics must not keep the tree from
// being stopped.
func (m *mainRun) note(level slog.Level, msg string, attrs ...slog.Attr) {
	defer func() { _ = recover() }()
	m.log.LogAttrs(context.Background(), level, msg, append([]slog.Attr{slog.String("path", m.name)}, attrs...)...)
}
