// Package report is what a review of supervisors and goroutines has to say: the findings, the supervisors it has seen,
// and the forms in which both are written.
package report

import (
	"fmt"
	"strings"
)

// A Finding is one place where a limit is missing.
type Finding struct {
	Rule string // the rule's id, such as HC101
	Position
	// Symbol is what the place belongs to: a Go function (pkg.Type.Method), an Elixir or Erlang module with its function
	// (MyApp.RoomChannel.join/3). It does not change when lines move.
	Symbol string
	// Message says what is missing here, in one line.
	Message string
	// Remedy says what to write at this place, as code where it can.
	Remedy string
	Confidence
	Criticality
	// Reach leads from an outsider to the place, the outermost first. It is empty where none was found.
	Reach []Step
	// Code is the line of the source.
	Code string
}

// Severity follows from how critical the place is and how sure the rule is of it.
func (f Finding) Severity() Severity { return severity(f.Criticality, f.Confidence) }

// Position is a place in a source file. Lines and columns count from 1; columns count bytes. Zero is not known.
type Position struct {
	File    string // as it is shown: relative to the directory of the review, with slashes
	Line    int
	Column  int
	EndLine int
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, max(p.Column, 1))
}

// A Step is one station on the way from an outsider to a place: a route, a socket, a function.
type Step struct {
	Name string
	Position
}

// Way is the way from an outsider in one line: router -> UserSocket -> RoomChannel.join -> start_child. It is empty where
// none is known.
func Way(steps []Step) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Name
	}
	return strings.Join(names, " -> ")
}

// Confidence is how sure a rule is that its finding is true.
type Confidence int

const (
	Low    Confidence = iota + 1 // worth a look; shown only when asked for
	Medium                       // more often true than not
	High                         // at most one in ten is false
)

// Criticality says who decides how many there will be.
type Criticality int

const (
	NotKnown  Criticality = iota
	Internal              // fixed work of the program itself
	Unbounded             // tasks without bound, though no outsider was seen to start them
	UserOwned             // what a user owns and can make grow: sessions, rooms, queues
	External              // requests, connections and messages from outside
)

// Severity orders what is to be done first.
type Severity int

const (
	Note Severity = iota + 1
	Warning
	Error
)

func severity(c Criticality, sure Confidence) Severity {
	switch {
	case sure == Low || c == Internal:
		return Note
	case c >= UserOwned && sure == High:
		return Error
	default:
		return Warning
	}
}

// A Supervisor is one place where a program starts children, with the limit it has there.
type Supervisor struct {
	Position
	Language string // "elixir", "erlang" or "go"
	Kind     string // DynamicSupervisor, Task.Supervisor, simple_one_for_one, headcount.NewKeyedSupervisor, errgroup.Group ...
	Name     string // the name it is registered or made under, as written; "" where it has none
	Symbol   string
	Strategy string // "" where it is not known or does not apply
	Restarts string // the budget of restarts, such as "3 in 5s"
	Limit
	Criticality
	Reach []Step
}

// Limit is how many children a place may hold, as far as the source tells.
type Limit struct {
	State LimitState
	Value int64 // of a limit that is Set
	// Text is the limit as it is written, and for one that is multiplied (by partitions, by acceptors) how.
	Text string
}

// LimitState says what is known of a limit.
type LimitState int

const (
	LimitNotKnown LimitState = iota // it comes from somewhere that the review cannot read
	Set                             // a number
	Expression                      // it is given, by an expression without a known value
	Unlimited                       // there is none
	NotApplicable                   // its children are declared
)

// Result is what the review of one code base found.
type Result struct {
	Findings    []Finding
	Supervisors []Supervisor
	// Unread names what could not be read; everything else was.
	Unread []Unread
}

// Unread is a file, or a part of one, that the review cannot speak about.
type Unread struct {
	Position
	Reason string
}

// A Rule is one kind of finding.
type Rule struct {
	ID      string // HC1xx for Go, HC2xx for Elixir and Erlang, HC3xx for a running program
	Name    string // such as go-in-loop
	Summary string // one line
	Confidence
	// Page is the rule's page in Markdown: what it finds, why that matters, when it is silent, a bad example and a good one.
	Page string
}
