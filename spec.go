package headcount

import (
	"context"
	"fmt"
	"time"
)

// A ChildSpec describes a child. It is a value: supervisors copy it and never change it, and a child restarts from its
// own spec.
//
// Run does the work until it is done or ctx is cancelled. A nil return is a normal exit; so is an error that is ctx's
// own cancellation. Any other error, a panic and runtime.Goexit are abnormal exits. A goroutine cannot be killed: a Run
// that ignores its context outlives its stop, is shown as stuck, and keeps its slot until it returns.
type ChildSpec struct {
	// Name identifies the child under its supervisor and is part of its path. Declared children need one. A dynamic
	// supervisor uses it for showing only; but no two supervisors there may have the same. Letters, digits and
	// _ - . : @ +, at most 128 bytes.
	Name string
	// Run is the work. Required.
	Run func(ctx context.Context) error
	// Restart says when the child is run again. The zero value is Permanent.
	Restart Restart
	// Shutdown is how long a stop waits for the child. Zero is the supervisor's default (5 s; for a supervisor:
	// without end). ShutdownNow does not wait, ShutdownInfinity waits without end.
	Shutdown time.Duration
	// Significant children decide on the automatic shutdown of their supervisor. Not for permanent ones.
	Significant bool
	// AwaitReady makes the start call wait until Run has called Ready. Without it a child counts as started once its
	// goroutine is.
	AwaitReady bool
	// ReadyWithin bounds that wait, in each run. Zero is no bound.
	ReadyWithin time.Duration
	// Intensity is the child's own budget of restarts under a dynamic supervisor. The zero value is the supervisor's.
	Intensity Intensity
	// Backoff spaces its restarts. The zero value is the supervisor's.
	Backoff Backoff
	// MaxLifetime ends the context of each run after this time. Zero is no bound.
	MaxLifetime time.Duration
	// MaxBytes bounds what the child may hold by Charge. Zero is no bound of its own.
	MaxBytes int64
	// Traceable gives the child's goroutines a label of their own, so that its stack can be found among many.
	Traceable bool
	// Class is the priority class of the start; see [Classes].
	Class Class
	// Values is where the child's context looks up values. It gives the child no cancellation.
	Values context.Context

	sup *node // set if the child is a supervisor
}

// A Specifier is what can be a child: it describes itself. A ChildSpec returns itself; supervisors return a spec that
// runs them.
type Specifier interface{ ChildSpec() ChildSpec }

// ChildSpec returns the spec itself.
func (s ChildSpec) ChildSpec() ChildSpec { return s }

const (
	// ShutdownNow as an allowance cancels the child and does not wait for it. A child that has not returned at that very
	// moment is stuck, a healthy one too: it is told so, named in the error of the stop, and told to be unstuck when it
	// returns. Give a child that ends soon a short allowance instead.
	ShutdownNow time.Duration = -1
	// ShutdownInfinity as an allowance waits for the child without end.
	ShutdownInfinity time.Duration = -2

	defaultShutdown = 5 * time.Second
)

// Restart says when a child that has ended is run again.
type Restart uint8

const (
	// Permanent children are always restarted, also after a normal exit.
	Permanent Restart = iota
	// Transient children are restarted after an abnormal exit only.
	Transient
	// Temporary children are never restarted.
	Temporary
)

func (r Restart) String() string { return word(int(r), "permanent", "transient", "temporary") }

// Strategy says which children are restarted when one has failed.
type Strategy uint8

const (
	// OneForOne restarts the child that failed.
	OneForOne Strategy = iota
	// OneForAll stops all others too, then starts all in order.
	OneForAll
	// RestForOne does so with those declared after the one that failed.
	RestForOne
)

func (s Strategy) String() string { return word(int(s), "one_for_one", "one_for_all", "rest_for_one") }

// AutoShutdown says when a supervisor stops because significant children have ended for good.
type AutoShutdown uint8

const (
	// Never stops automatically.
	Never AutoShutdown = iota
	// AnySignificant stops when one significant child has ended for good.
	AnySignificant
	// AllSignificant stops when the last significant child has ended for good.
	AllSignificant
)

func (a AutoShutdown) String() string {
	return word(int(a), "never", "any_significant", "all_significant")
}

// Kind tells workers from supervisors.
type Kind uint8

const (
	// Worker is a child that runs a function.
	Worker Kind = iota
	// SupervisorKind is a Supervisor, with declared children.
	SupervisorKind
	// DynamicKind is a DynamicSupervisor.
	DynamicKind
	// KeyedKind is a KeyedSupervisor.
	KeyedKind
)

func (k Kind) String() string {
	return word(int(k), "worker", "supervisor", "dynamic_supervisor", "keyed_supervisor")
}

func word(i int, words ...string) string {
	if i < len(words) {
		return words[i]
	}
	return fmt.Sprintf("invalid(%d)", i)
}

// Class is a priority class of starts. Class 0 is the least important one, and what a start is that does not say.
type Class uint8

// problems appends what is wrong with the spec as a child of the supervisor at parent.
func (s ChildSpec) problems(parent string, declared bool) (problems []error) {
	add := func(field string, value any, problem string) {
		problems = append(problems, &ConfigError{Path: checkedPath(parent, s.Name), Field: field, Value: value, Problem: problem})
	}
	if s.Name != "" || declared {
		if p := nameProblem(s.Name); p != "" {
			problems = append(problems, &ConfigError{Path: parent, Field: "ChildSpec.Name", Value: s.Name, Problem: p})
		}
	}
	if s.Run == nil {
		add("ChildSpec.Run", nil, "is missing")
	}
	if s.Restart > Temporary {
		add("ChildSpec.Restart", s.Restart, "is not a restart type")
	}
	if s.Shutdown < ShutdownInfinity {
		add("ChildSpec.Shutdown", s.Shutdown, "is negative")
	}
	if s.ReadyWithin < 0 {
		add("ChildSpec.ReadyWithin", s.ReadyWithin, "is negative")
	}
	if s.ReadyWithin > 0 && !s.AwaitReady {
		add("ChildSpec.ReadyWithin", s.ReadyWithin, "has no effect without AwaitReady")
	}
	if s.MaxLifetime < 0 {
		add("ChildSpec.MaxLifetime", s.MaxLifetime, "is negative")
	}
	if s.MaxBytes < 0 {
		add("ChildSpec.MaxBytes", s.MaxBytes, "is negative")
	}
	if s.Significant && s.Restart == Permanent {
		add("ChildSpec.Significant", true, "does not go with a permanent child: it never ends for good")
	}
	if field, p := s.Intensity.problem(); p != "" {
		add("ChildSpec.Intensity."+field, s.Intensity, p)
	}
	if field, p := s.Backoff.problem(); p != "" {
		add("ChildSpec.Backoff."+field, s.Backoff, p)
	}
	return problems
}
