package trial

import (
	"fmt"
	"time"

	"github.com/headcount-go/headcount/internal/attack/target"
)

// Verdict is how a target stood an attack.
type Verdict string

// The verdicts.
const (
	Held    Verdict = "held"    // the pass line was kept
	Failed  Verdict = "failed"  // it was not; the reasons say where
	Fell    Verdict = "fell"    // the process ended or had to be ended
	Unclear Verdict = "unclear" // only the p99 was too high, on a machine that others used as well
)

// The pass line.
const (
	passSuccess  = 0.95                 // of the honest requests
	passSlower   = 3                    // times the quiet p99
	passFloor    = 5 * time.Millisecond // a quiet p99 below this counts as this, against noise
	passRecovery = 5 * time.Second
	passOthers   = 0.25 // of the machine; above it a p99 does not count against the target
	passLeftOver = 32   // goroutines, requests, descriptors above the quiet level
)

// backTo is the tolerance of memory: a quarter and 16 MiB above the quiet level.
func backTo(now, quiet uint64) bool { return now <= quiet+quiet/4+16<<20 }

// passLine is the pass line in words.
var passLine = fmt.Sprintf(`At no instant more than %d connections (seen as descriptors of the process, every 10 ms, with %d to
spare for those being refused), %d requests in handlers, %d of them from one address, and %d MiB; %.0f %% of the honest requests answered
rightly within %s; their p99 at most %d times the quiet one, which counts as at least %s; no websocket and no event stream of an
honest user lost; after the attack, within %s, full service, memory within a quarter and 16 MiB of the quiet level, and
goroutines, requests and descriptors within %d of it. A trial that fails by its p99 alone is held up to %d times, and is
unclear if others used more than %.0f %% of the machine in the last one.`,
	target.Wanted.Conns, target.Wanted.Spare, target.Wanted.Handlers, target.Wanted.PerAddress, target.Wanted.Memory>>20,
	100*passSuccess, patience, passSlower, passFloor, passRecovery, passLeftOver, tries, 100*passOthers)

// judge gives the verdict. fallen says why the process has ended, "" if it has not.
func (r *Result) judge(fallen string) {
	if fallen != "" {
		r.Verdict, r.Reasons = Fell, []string{fallen}
		return
	}
	fail := func(format string, args ...any) { r.Reasons = append(r.Reasons, fmt.Sprintf(format, args...)) }
	if r.Conns > target.Wanted.Conns+target.Wanted.Spare {
		fail("%d connections", r.Conns)
	}
	if r.blind {
		fail("its page does not answer")
	}
	if r.Inside.PeakHandlers > target.Wanted.Handlers {
		fail("%d requests in handlers", r.Inside.PeakHandlers)
	}
	if r.Inside.PeakPerAddress > target.Wanted.PerAddress {
		fail("%d of one address", r.Inside.PeakPerAddress)
	}
	if r.RSS > target.Wanted.Memory {
		fail("%d MiB", r.RSS>>20)
	}
	if r.Honest.Success() < passSuccess {
		fail("honest users: %s", failures(r.Honest))
	}
	if n := len(r.Dropped); n > 0 {
		fail("%d streams lost (%s)", n, r.Dropped[0])
	}
	if !r.Recovered {
		fail("%s not back after %s", r.stillOutOfLine, passRecovery)
	}
	if r.Honest.P99 > r.allowedP99() {
		r.slowOnly = len(r.Reasons) == 0
		fail("p99 %s above %s", show(r.Honest.P99), show(r.allowedP99()))
		if r.Others > passOthers {
			fail("others used %.0f %% of the machine", 100*r.Others)
		}
	}
	switch {
	case len(r.Reasons) == 0:
		r.Verdict = Held
	case r.slowOnly && r.Others > passOthers:
		r.Verdict = Unclear
	default:
		r.Verdict = Failed
	}
}

// SlowOnly reports whether nothing but the p99 was out of line.
func (r *Result) SlowOnly() bool { return r.slowOnly }

func (r *Result) allowedP99() time.Duration { return passSlower * max(r.Quiet, passFloor) }
