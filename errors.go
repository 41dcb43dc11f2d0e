package headcount

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrStopped says that the supervisor stops, or has stopped for good.
	ErrStopped = errors.New("headcount: stopped")
	// ErrNotRunning says that the supervisor has not been started, or is between two lives.
	ErrNotRunning = errors.New("headcount: not running")
	// ErrAlreadyStarted says that the supervisor or the child runs, is being restarted, or has not returned yet.
	ErrAlreadyStarted = errors.New("headcount: already started")
	// ErrNotFound says that there is no child of this name or id.
	ErrNotFound = errors.New("headcount: no such child")
	// ErrWithin says that a stop was asked for from inside the very child: it is under way, and the caller must return
	// for it to end.
	ErrWithin = errors.New("headcount: stop asked for from inside; it goes on when this child returns")
	// ErrIgnore is returned by a Run that finds that it is not needed: before Ready, or at once. It is not a failure: a
	// declared child keeps its spec and does not run.
	ErrIgnore = errors.New("headcount: child not needed")
	// ErrGoexit is the error of a child whose goroutine ended by runtime.Goexit.
	ErrGoexit = errors.New("headcount: the child called runtime.Goexit")
	// ErrTimeout is the error of work that took longer than it was given.
	ErrTimeout = errors.New("headcount: timed out")
	// ErrNotReady says that a child did not call Ready in the time it had.
	ErrNotReady = errors.New("headcount: not ready in time")
	// ErrReturnedEarly says that a child with AwaitReady returned without calling Ready.
	ErrReturnedEarly = errors.New("headcount: returned before it was ready")
	// ErrMaxBytes says that a Charge would go above the budget of the child or of its supervisor.
	ErrMaxBytes = errors.New("headcount: max_bytes reached")
	// ErrNoChild says that a context does not belong to a child.
	ErrNoChild = errors.New("headcount: the context is not a child's")
)

// A PanicError is the error of a child that panicked. It unwraps to the value if that was an error.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked, as debug.Stack gives it
}

func (e *PanicError) Error() string { return "panic: " + textOf(e.Value) }

// Unwrap gives the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// maxReported bounds what a report lists: beyond it only the total is told.
const maxReported = 100

// A StuckError names the children that were still running when the time for stopping them was over. They keep their
// slots until they return.
type StuckError struct {
	Path  string   // what was to be stopped
	Paths []string // the first hundred stuck children
	Total int
}

func (e *StuckError) Error() string {
	more := ""
	if e.Total > len(e.Paths) {
		more = fmt.Sprintf(" and %d more", e.Total-len(e.Paths))
	}
	return fmt.Sprintf("%s: stopped, but %d still running: %s%s", e.Path, e.Total, strings.Join(e.Paths, ", "), more)
}

// join takes over what err names as stuck; any other error counts as nothing.
func (e *StuckError) join(err error) {
	var other *StuckError
	if !errors.As(err, &other) {
		return
	}
	e.Total += other.Total
	e.Paths = append(e.Paths, other.Paths[:min(len(other.Paths), maxReported-len(e.Paths))]...)
}

func (e *StuckError) orNil() error {
	if e.Total == 0 {
		return nil
	}
	return e
}

// An IntensityError is the error of a supervisor that gave up: a child failed once more than its budget of restarts
// allows. It unwraps to that child's last error.
type IntensityError struct {
	Path     string // the supervisor
	Child    string // the path of the child that failed last
	Restarts int
	Within   time.Duration
	Err      error
}

func (e *IntensityError) Error() string {
	return fmt.Sprintf("%s: gave up: %s failed after %d restarts within %v: %s", e.Path, e.Child, e.Restarts, e.Within, textOf(e.Err))
}

// Unwrap gives the last error of the child.
func (e *IntensityError) Unwrap() error { return e.Err }

// A StartError says that a child could not be started. It unwraps to the reason.
type StartError struct {
	Path string // the child
	Err  error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("%s: start failed: %s", e.Path, textOf(e.Err))
}

// Unwrap gives the reason.
func (e *StartError) Unwrap() error { return e.Err }

// A ConfigError names what is wrong with a name, an option, a limit or a spec.
type ConfigError struct {
	Path    string // the supervisor or child
	Field   string
	Value   any
	Problem string
}

func (e *ConfigError) Error() string {
	value := textOf(e.Value)
	if s, ok := e.Value.(string); ok {
		value = fmt.Sprintf("%q", s)
	}
	if n, ok := e.Value.(int); ok && n == Unlimited {
		value = "unlimited"
	}
	return fmt.Sprintf("%s: %s: %s %s", e.Path, e.Field, value, e.Problem)
}

// A leftError is that of a supervisor that failed and left children behind. Its text is made when it is asked for, not
// on the supervisor's goroutine: the failure has a child's error in it.
type leftError struct {
	failure error
	stuck   *StuckError
}

func (e *leftError) Error() string { return textOf(e.failure) + "; " + e.stuck.Error() }

// Unwrap gives the own one first: who looks for it does not come across the child's.
func (e *leftError) Unwrap() []error { return []error{e.stuck, e.failure} }

// A foreignError is a user's error within one of ours whose text is made at once.
type foreignError struct{ err error }

func (e foreignError) Error() string { return textOf(e.err) }
func (e foreignError) Unwrap() error { return e.err }

// textOf is the text of something that is the user's. Its methods may panic, and panic again when fmt prints that
// panic, which fmt does not survive.
func textOf(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("(no text: %T panics)", v)
		}
	}()
	return fmt.Sprint(v)
}

// matches is errors.Is for an error whose methods are the user's.
func matches(err, target error) (matches bool) {
	defer func() {
		if recover() != nil {
			matches = false
		}
	}()
	return errors.Is(err, target)
}
