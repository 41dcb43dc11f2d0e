package attack

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// Tally counts an attack on the attacker's side, while it goes on. It is safe for concurrent use; the zero value is ready.
type Tally struct {
	planned, sent, accepted atomic.Int64
	closed                  atomic.Int64
	held, heldPeak          atomic.Int64
	heldAtEnd               atomic.Int64
	capped                  atomic.Bool

	mu struct {
		sync.Mutex
		refused, failed map[string]int
		kept            []string
	}
}

// Counts is a tally at one instant.
type Counts struct {
	// Planned is how many shots there were to be, Sent how many were begun in the time.
	Planned int `json:"planned"`
	Sent    int `json:"sent"`
	// Accepted is how many got what they wanted.
	Accepted int `json:"accepted"`
	// Refused counts the answers 429 and 503 by the reason given, and for an attack on connections those that were
	// reset, cut off, or answered and closed.
	Refused map[string]int `json:"refused"`
	// Failed counts whatever else came of a shot, by what happened.
	Failed map[string]int `json:"failed"`
	// Held is how many connections, or jobs without an end, the attacker holds; HeldPeak is the most it held at one instant.
	Held     int `json:"held"`
	HeldPeak int `json:"held_peak"`
	// HeldAtEnd is how many it still held when it let everything go.
	HeldAtEnd int `json:"held_at_end"`
	// Closed is how many connections the application closed while the attacker held them.
	Closed int `json:"closed_by_app"`
	// Capped says that the attack stopped early at the number of file descriptors.
	Capped bool `json:"capped,omitempty"`
}

// Counts returns the counts as they are now.
func (t *Tally) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Counts{
		Planned:  int(t.planned.Load()),
		Sent:     int(t.sent.Load()),
		Accepted: int(t.accepted.Load()),
		Refused:  maps.Clone(t.mu.refused),
		Failed:   maps.Clone(t.mu.failed),
		Held:     int(t.held.Load()),
		HeldPeak: int(t.heldPeak.Load()), HeldAtEnd: int(t.heldAtEnd.Load()),
		Closed: int(t.closed.Load()),
		Capped: t.capped.Load(),
	}
	if c.Refused == nil {
		c.Refused = map[string]int{}
	}
	if c.Failed == nil {
		c.Failed = map[string]int{}
	}
	return c
}

// RefusedTotal is the sum of the refusals.
func (c Counts) RefusedTotal() int {
	sum := 0
	for _, n := range c.Refused {
		sum += n
	}
	return sum
}

// note counts the outcome of one shot. A shot cut off by the end of the attack is nobody's failure and not counted.
func (t *Tally) note(ctx context.Context, err error) {
	switch {
	case err == nil:
		t.accepted.Add(1)
	case api.Refused(err):
		t.refuse(api.Reason(err))
	case ctx.Err() != nil:
	default:
		t.fail(api.Reason(err))
	}
}

func (t *Tally) refuse(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.refused == nil {
		t.mu.refused = make(map[string]int)
	}
	t.mu.refused[reason]++
}

func (t *Tally) fail(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.failed == nil {
		t.mu.failed = make(map[string]int)
	}
	t.mu.failed[reason]++
}

// keep counts a job that will not end, and remembers it.
func (t *Tally) keep(id string) {
	t.took()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.kept = append(t.mu.kept, id)
}

// Kept returns the ids of the jobs that will not end.
func (t *Tally) Kept() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.mu.kept...)
}

// took counts one more thing held and raises the peak.
func (t *Tally) took() {
	now := t.held.Add(1)
	for {
		peak := t.heldPeak.Load()
		if now <= peak || t.heldPeak.CompareAndSwap(peak, now) {
			return
		}
	}
}
