package honest

import (
	"maps"
	"sync"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// Kind is one thing that honest users do.
type Kind string

const (
	Echo Kind = "echo"          // a text over the websocket that the user keeps open, and its echo
	Open Kind = "new websocket" // a websocket is opened, echoes once, and is closed
	Job  Kind = "job"           // a job is handed in and asked about until it is done
	Mail Kind = "message"       // a message to the user's own queue, until a long poll brings it
)

// Kinds are all kinds, in the order of reports.
var Kinds = []Kind{Echo, Open, Job, Mail}

// Phase collects what honest users met during one stretch of the run. An operation belongs to the phase in which it was
// meant to begin, however late it really began or ended. Safe for concurrent use.
type Phase struct {
	Name string

	mu struct {
		sync.Mutex
		kinds   map[Kind]*outcome
		late    []time.Duration
		dropped int
		waiting int // abandoned
	}
}

type outcome struct {
	planned   int
	latencies []time.Duration // of those that succeeded
	failures  map[string]int
}

// Stats is a phase at one instant.
type Stats struct {
	Kinds map[Kind]KindStats
	// Dropped is the number of websockets that were kept open and that the application closed or lost.
	Dropped int
	// Late is by how much each operation began after its intended time: the fault of the load generator, or of the
	// machine it shares, and part of every latency.
	Late []time.Duration
	// Abandoned is the number of operations that were still under way when the users were sent home. They are neither
	// done nor failed, and in no other number.
	Abandoned int
}

// KindStats is what became of the operations of one kind. Those that are neither done nor failed are under way.
type KindStats struct {
	Planned   int
	Latencies []time.Duration
	Failures  map[string]int
}

// Failed is the number of failures.
func (k KindStats) Failed() int {
	sum := 0
	for _, n := range k.Failures {
		sum += n
	}
	return sum
}

func newPhase(name string) *Phase {
	p := &Phase{Name: name}
	p.mu.kinds = make(map[Kind]*outcome)
	for _, k := range Kinds {
		p.mu.kinds[k] = &outcome{failures: make(map[string]int)}
	}
	return p
}

// Stats returns copies.
func (p *Phase) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Kinds:   make(map[Kind]KindStats),
		Dropped: p.mu.dropped, Abandoned: p.mu.waiting,
		Late: append([]time.Duration(nil), p.mu.late...),
	}
	for k, o := range p.mu.kinds {
		s.Kinds[k] = KindStats{
			Planned:   o.planned,
			Latencies: append([]time.Duration(nil), o.latencies...),
			Failures:  maps.Clone(o.failures),
		}
	}
	return s
}

// Brief returns the numbers of a progress line without copying every latency.
func (p *Phase) Brief() (done, failed, dropped int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.mu.kinds {
		done += len(o.latencies)
		for _, n := range o.failures {
			failed += n
		}
	}
	return done, failed, p.mu.dropped
}

// An operation is one thing an honest user sets out to do. It ends exactly once, with end or abandon.
type operation struct {
	phase    *Phase
	kind     Kind
	intended time.Time
}

func (p *Phase) plan(kind Kind, intended time.Time) operation {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.kinds[kind].planned++
	return operation{phase: p, kind: kind, intended: intended}
}

// begins notes by how much the operation was late.
func (o operation) begins() {
	o.phase.mu.Lock()
	defer o.phase.mu.Unlock()
	o.phase.mu.late = append(o.phase.mu.late, max(0, time.Since(o.intended)))
}

// end counts a success, with its latency from the intended time on, or a failure.
func (o operation) end(err error) {
	took := time.Since(o.intended)
	o.phase.mu.Lock()
	defer o.phase.mu.Unlock()
	if err == nil {
		out := o.phase.mu.kinds[o.kind]
		out.latencies = append(out.latencies, took)
		return
	}
	o.phase.mu.kinds[o.kind].failures[reason(err)]++
}

// abandon takes back an operation that the user gave up for a reason of its own: the run is over.
func (o operation) abandon() {
	o.phase.mu.Lock()
	defer o.phase.mu.Unlock()
	o.phase.mu.kinds[o.kind].planned--
	o.phase.mu.waiting++
}

func (p *Phase) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.dropped++
}

// failure is an error that is its own reason, one of few.
type failure string

func (f failure) Error() string { return string(f) }

const (
	notConnected   failure = "not_connected" // the kept websocket was gone
	connectionLost failure = "connection_closed"
	wrongAnswer    failure = "wrong_answer"
	tooLate        failure = "timeout"
	backlog        failure = "backlog" // too many of this user's operations were unanswered to begin another
	jobFailed      failure = "job_failed"
)

func reason(err error) string {
	if f, ok := err.(failure); ok {
		return string(f)
	}
	return api.Reason(err)
}
