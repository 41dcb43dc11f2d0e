package headcount

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// An Event tells of something that happened to a child, a supervisor or a
// limit. The set of events is closed: the types of this file, as values and
// never as pointers, for a type switch to tell apart. More may be added, so a
// switch should have a default. Each has the Path of the node that it is
// about and the Time at which it happened, and prints as one line for people.
//
// Events are for looking, not for control: they are delivered through a
// bounded buffer (see [Subscription]) and may be dropped there.
type Event interface {
	// EventPath is the path of the node that the event is about.
	EventPath() string
	// EventTime is when it happened.
	EventTime() time.Time
	// String is the event in one line, safe to print.
	String() string
	event()
}

// ChildFailed: a child ended abnormally. Err is its error, a [*PanicError] or
// [ErrGoexit] included. Restart says whether it is to be run again: its restart
// type asks for it and its budget allows it. Where it restarts with its group,
// the budget is asked afterwards.
type ChildFailed struct {
	Path    string
	Time    time.Time
	ID      uint64
	Err     error
	Restart bool
}

// ChildRestarted: a child is run again, once Delay has passed. Restarts is the
// number of its restarts, this one included. Err is what ended the run before,
// nil if that ended normally.
type ChildRestarted struct {
	Path     string
	Time     time.Time
	ID       uint64
	Restarts int
	Delay    time.Duration
	Err      error
}

// ChildGivenUp: a child would have needed more than Restarts restarts Within
// its budget. It is not run again and its slot is free. Err is its last error.
type ChildGivenUp struct {
	Path     string
	Time     time.Time
	ID       uint64
	Restarts int
	Within   time.Duration
	Err      error
}

// ChildStuck: a child has not returned After its shutdown allowance. Its
// supervisor goes on without it; it keeps its slot until it returns.
type ChildStuck struct {
	Path  string
	Time  time.Time
	ID    uint64
	After time.Duration
}

// ChildUnstuck: a child that was stuck has returned, having been Stuck for so
// long, and its slot is free.
type ChildUnstuck struct {
	Path  string
	Time  time.Time
	ID    uint64
	Stuck time.Duration
}

// StartFailed: a child ended before it was ready, or was not ready in time.
type StartFailed struct {
	Path string
	Time time.Time
	Err  error
}

// GroupRestarted: the supervisor at Path restarts the group of children that
// its Strategy says, because the child at the path Child ended with Err: it
// stops them in reverse order, then starts them in order.
type GroupRestarted struct {
	Path     string
	Time     time.Time
	Strategy string
	Child    string
	Err      error
}

// GroupHalted: the restart of a group waits for the child at the path Child,
// which has not stopped. It goes on when that child has returned, and costs no
// budget meanwhile.
type GroupHalted struct {
	Path  string
	Time  time.Time
	Child string
}

// SupervisorStarted: the supervisor at Path has started, with all its
// declared children.
type SupervisorStarted struct {
	Path string
	Time time.Time
}

// SupervisorStopped: the supervisor at Path was stopped. Err is nil when
// nothing of it is left, else it names what is.
type SupervisorStopped struct {
	Path string
	Time time.Time
	Err  error
}

// SupervisorGaveUp: the supervisor at Path is past its budget of restarts and
// fails upwards. Err names the child, the count and the period.
type SupervisorGaveUp struct {
	Path string
	Time time.Time
	Err  error
}

// LimitChanged: a limit of the supervisor at Path was changed. Limit is its
// name, such as "max_children". From and To are what the person set before and
// now; where a machine's cap came, changed or was lifted (Source "cap", By its
// name), they are what was in force before and now. InForce is what holds now.
type LimitChanged struct {
	Path            string
	Time            time.Time
	Limit           string
	From, To        int
	InForce         int
	Source, By, Why string // as in [Change]
}

// LimitReached: the first start in a spell was refused at the supervisor at
// Path, for Reason, with Limit in force. Each further refusal of the spell is
// counted and makes no event.
type LimitReached struct {
	Path   string
	Time   time.Time
	Reason string // max_children, or the name of a [Gate]
	Limit  int
	// Observed: a gate that only observes would have refused it.
	Observed bool
}

// LimitCleared: a spell of refusals is over, a second having passed without
// one. It had Refused refusals and lasted For, from the first to the last.
type LimitCleared struct {
	Path    string
	Time    time.Time
	Reason  string
	Refused uint64
	For     time.Duration
	// Observed: nothing was refused, see [LimitReached].
	Observed bool
}

// LimitsRefused: what a source, such as a file, says about the limits of the tree at Path has something wrong in it. None
// of it was set, the old limits stay. Err says what is wrong.
type LimitsRefused struct {
	Path   string
	Time   time.Time
	Source string
	Err    error
}

func (e ChildFailed) EventPath() string       { return e.Path }
func (e ChildRestarted) EventPath() string    { return e.Path }
func (e ChildGivenUp) EventPath() string      { return e.Path }
func (e ChildStuck) EventPath() string        { return e.Path }
func (e ChildUnstuck) EventPath() string      { return e.Path }
func (e StartFailed) EventPath() string       { return e.Path }
func (e GroupRestarted) EventPath() string    { return e.Path }
func (e GroupHalted) EventPath() string       { return e.Path }
func (e SupervisorStarted) EventPath() string { return e.Path }
func (e SupervisorStopped) EventPath() string { return e.Path }
func (e SupervisorGaveUp) EventPath() string  { return e.Path }
func (e LimitChanged) EventPath() string      { return e.Path }
func (e LimitReached) EventPath() string      { return e.Path }
func (e LimitCleared) EventPath() string      { return e.Path }
func (e LimitsRefused) EventPath() string     { return e.Path }

func (e ChildFailed) EventTime() time.Time       { return e.Time }
func (e ChildRestarted) EventTime() time.Time    { return e.Time }
func (e ChildGivenUp) EventTime() time.Time      { return e.Time }
func (e ChildStuck) EventTime() time.Time        { return e.Time }
func (e ChildUnstuck) EventTime() time.Time      { return e.Time }
func (e StartFailed) EventTime() time.Time       { return e.Time }
func (e GroupRestarted) EventTime() time.Time    { return e.Time }
func (e GroupHalted) EventTime() time.Time       { return e.Time }
func (e SupervisorStarted) EventTime() time.Time { return e.Time }
func (e SupervisorStopped) EventTime() time.Time { return e.Time }
func (e SupervisorGaveUp) EventTime() time.Time  { return e.Time }
func (e LimitChanged) EventTime() time.Time      { return e.Time }
func (e LimitReached) EventTime() time.Time      { return e.Time }
func (e LimitCleared) EventTime() time.Time      { return e.Time }
func (e LimitsRefused) EventTime() time.Time     { return e.Time }

func (ChildFailed) event()       {}
func (ChildRestarted) event()    {}
func (ChildGivenUp) event()      {}
func (ChildStuck) event()        {}
func (ChildUnstuck) event()      {}
func (StartFailed) event()       {}
func (GroupRestarted) event()    {}
func (GroupHalted) event()       {}
func (SupervisorStarted) event() {}
func (SupervisorStopped) event() {}
func (SupervisorGaveUp) event()  {}
func (LimitChanged) event()      {}
func (LimitReached) event()      {}
func (LimitCleared) event()      {}
func (LimitsRefused) event()     {}

// What comes from outside the library is escaped and cut by oneLine: paths
// and reasons are our own, errors and the words of people are not.

func (e ChildFailed) String() string {
	then := "it stays down"
	if e.Restart {
		then = "to be restarted"
	}
	return fmt.Sprintf("%s: child failed, %s: %s", e.Path, then, errorLine(e.Err))
}

func (e ChildRestarted) String() string {
	s := fmt.Sprintf("%s: child restarted, restart %d", e.Path, e.Restarts)
	if e.Delay > 0 {
		s += fmt.Sprintf(" after a wait of %v", e.Delay)
	}
	if e.Err != nil {
		s += ": " + errorLine(e.Err)
	}
	return s
}

func (e ChildGivenUp) String() string {
	return fmt.Sprintf("%s: child given up, its budget is %d restarts within %v: %s", e.Path, e.Restarts, e.Within, errorLine(e.Err))
}

func (e ChildStuck) String() string {
	return fmt.Sprintf("%s: child stuck, not returned within its allowance of %v", e.Path, e.After)
}

func (e ChildUnstuck) String() string {
	return fmt.Sprintf("%s: stuck child returned after %v", e.Path, e.Stuck)
}

func (e StartFailed) String() string {
	return fmt.Sprintf("%s: start failed: %s", e.Path, errorLine(e.Err))
}

func (e GroupRestarted) String() string {
	return fmt.Sprintf("%s: group restarts (%s) because of %s: %s", e.Path, e.Strategy, e.Child, errorLine(e.Err))
}

func (e GroupHalted) String() string {
	return fmt.Sprintf("%s: restart of the group waits for %s, which has not stopped", e.Path, e.Child)
}

func (e SupervisorStarted) String() string {
	return e.Path + ": supervisor started"
}

func (e SupervisorStopped) String() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: supervisor stopped: %s", e.Path, errorLine(e.Err))
	}
	return e.Path + ": supervisor stopped"
}

func (e SupervisorGaveUp) String() string {
	return fmt.Sprintf("%s: supervisor gave up: %s", e.Path, errorLine(e.Err))
}

func (e LimitChanged) String() string {
	s := fmt.Sprintf("%s: %s changed from %s to %s, %s in force",
		e.Path, e.Limit, limitText(e.From), limitText(e.To), limitText(e.InForce))
	if e.Source != "" || e.By != "" {
		s += " (" + oneLine(strings.TrimSpace(e.Source+" "+e.By), maxWord) + ")"
	}
	if e.Why != "" {
		s += ": " + oneLine(e.Why, maxLine)
	}
	return s
}

func (e LimitsRefused) String() string {
	return fmt.Sprintf("%s: the limits of %s are refused, the old ones stay: %s", e.Path, e.Source, errorLine(e.Err))
}

func (e LimitReached) String() string {
	if e.Observed {
		return fmt.Sprintf("%s: starts would be refused, %s at %s, which only observes", e.Path, e.Reason, limitText(e.Limit))
	}
	return fmt.Sprintf("%s: starts are refused, %s at %s", e.Path, e.Reason, limitText(e.Limit))
}

func (e LimitCleared) String() string {
	if e.Observed {
		return fmt.Sprintf("%s: no starts would be refused any more, %s would have refused %d in %v", e.Path, e.Reason, e.Refused, e.For)
	}
	return fmt.Sprintf("%s: starts are admitted again, %s refused %d in %v", e.Path, e.Reason, e.Refused, e.For)
}

// Bounds of text that comes from outside the library, in bytes.
const (
	maxWord = 128
	maxLine = 512
)

// limitText is a limit as people write it.
func limitText(n int) string {
	if n == math.MaxInt {
		return "unlimited"
	}
	return strconv.Itoa(n)
}

// errorLine is the text of err in one line.
func errorLine(err error) string { return oneLine(textOf(err), maxLine) }

// oneLine returns s with all that does not print as part of a line escaped
// and the rest cut away after limit bytes.
func oneLine(s string, limit int) string {
	s = cut(s, limit)
	if strings.IndexFunc(s, unprintable) < 0 && utf8.ValidString(s) {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func unprintable(r rune) bool { return !strconv.IsPrint(r) }

// cut returns s, or its first limit bytes, ended between runes and followed
// by an ellipsis.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit
	for end > 0 && end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
