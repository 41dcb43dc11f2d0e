// Package trial attacks a target while honest users are at work, watches it from outside, and says whether it held.
package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/headcount-go/headcount/internal/attack"
	"github.com/headcount-go/headcount/internal/attack/honest"
	"github.com/headcount-go/headcount/internal/attack/target"
)

// Plan is how long a trial takes.
type Plan struct {
	Attack time.Duration // of each attack
	Quiet  time.Duration // of the measurement without attack, once for each kind of target
}

// Quick is for a check after each change, Full for the tables of the documentation.
var (
	Quick = Plan{Attack: 3 * time.Second, Quiet: 2 * time.Second}
	Full  = Plan{Attack: 8 * time.Second, Quiet: 8 * time.Second}
)

// The honest users of a trial.
const (
	users     = 8
	perSecond = 100
	patience  = 2 * time.Second
)

// settle is how long they are at work before anything is measured.
const settle = 300 * time.Millisecond

// Result is what one attack did to one target.
type Result struct {
	Attack attack.Attack
	Target target.Kind

	Verdict Verdict
	Reasons []string // why it did not hold

	Honest  honest.Summary // during the attack
	Dropped []string       // streams lost until the end of the trial
	Quiet   time.Duration  // p99 without attack

	Conns         int           // most descriptors of the target above what it has at rest
	Inside        target.Inside // its peaks
	RSS           int64         // peak
	Recovered     bool
	Recovery      time.Duration // from the end of the attack to full service at the quiet level of resources
	Attacker      attack.Stats
	AttackedConns int // connections in the attack's budget
	// Others is the part of the machine that neither the target nor the attacker nor the honest users used.
	Others float64

	blind          bool // its page could not be read
	stillOutOfLine string
	slowOnly       bool // the p99 is the only reason
}

// Lab runs trials. It measures each kind of target without attack once, and keeps that.
type Lab struct {
	Plan  Plan
	quiet map[string]time.Duration
}

// NewLab returns a lab without measurements.
func NewLab(p Plan) *Lab { return &Lab{Plan: p, quiet: make(map[string]time.Duration)} }

// ErrTooBusy is returned by Try on a machine that cannot even serve the honest users alone.
var ErrTooBusy = errors.New("no trial can be held here now")

// tries bounds how often a trial is held that fails by its p99 alone.
const tries = 3

// Try attacks a target of a kind. An error means that the trial could not be held, not that the target failed.
//
// The p99 of some hundred requests is the third or so slowest of them, and on a machine that others use too a bad one
// proves nothing. A trial that fails by nothing else is held again.
func (l *Lab) Try(ctx context.Context, a attack.Attack, kind target.Kind) (Result, error) {
	for i := 1; ; i++ {
		r, err := l.try(ctx, a, kind)
		if err != nil || !r.slowOnly || i == tries {
			return r, err
		}
	}
}

func (l *Lab) try(ctx context.Context, a attack.Attack, kind target.Kind) (Result, error) {
	withTLS := a.Needs.TLS || a.Needs.HTTP2
	quiet, err := l.quietP99(ctx, kind, withTLS)
	if err != nil {
		return Result{}, err
	}
	r := Result{Attack: a, Target: kind, Quiet: quiet}
	s, err := begin(ctx, kind, withTLS, a.Needs.Proxy)
	if err != nil {
		return r, err
	}
	defer s.end()

	// Where /proc cannot be read, nobody else is taken to use the machine.
	usedBefore, errBefore := readUsage(s.process.Pid())
	from := time.Now()
	var attackers time.Duration
	r.Attacker, attackers, err = s.attack(ctx, a, l.Plan.Attack)
	to := time.Now()
	if err := cmp.Or(err, ctx.Err()); err != nil {
		return r, err
	}
	if used, err := readUsage(s.process.Pid()); err == nil && errBefore == nil {
		r.Others = othersShare(usedBefore, used, attackers)
	}
	var errPage error
	r.Inside, errPage = s.process.Inside(ctx, false)
	s.recover(ctx, &r, to)
	if errPage != nil { // too busy for its own page; its peaks are still there
		r.Inside, errPage = s.process.Inside(ctx, false)
	}
	r.blind = errPage != nil
	peak := s.process.Peak()
	r.RSS, r.Conns = peak.RSS, peak.Descriptors-s.rest.Descriptors
	// What was asked for during the attack may be answered after it.
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if s.crowd.Between(from, to).Pending == 0 {
			break
		}
	}
	r.Honest, r.Dropped = s.crowd.Between(from, to), s.crowd.Dropped()
	r.judge(s.process.Fallen())
	return r, nil
}

// quietP99 returns the p99 of the honest users alone: the lowest of up to three measurements, since a high one tells
// about the machine and would make the pass line a lenient one.
func (l *Lab) quietP99(ctx context.Context, kind target.Kind, withTLS bool) (time.Duration, error) {
	key := fmt.Sprint(kind.Name, withTLS)
	if p99, ok := l.quiet[key]; ok {
		return p99, nil
	}
	lowest, failure := patience, error(nil)
	for range tries {
		p99, err := l.measureQuiet(ctx, kind, withTLS)
		if err != nil {
			failure = err
			continue
		}
		if lowest = min(lowest, p99); lowest <= 2*passFloor {
			break
		}
	}
	if lowest == patience && failure != nil {
		return 0, failure
	}
	l.quiet[key] = lowest
	return lowest, nil
}

func (l *Lab) measureQuiet(ctx context.Context, kind target.Kind, withTLS bool) (time.Duration, error) {
	s, err := begin(ctx, kind, withTLS, false)
	if err != nil {
		return 0, err
	}
	defer s.end()
	from := time.Now()
	if err := sleep(ctx, l.Plan.Quiet); err != nil {
		return 0, err
	}
	sum := s.crowd.Between(from, from.Add(l.Plan.Quiet-patience/20)) // the last ones may not be answered yet
	if sum.Success() < passSuccess {
		return 0, fmt.Errorf("%w: %s answers only %.0f %% without any attack, %d pending %s", ErrTooBusy, kind.Name, 100*sum.Success(), sum.Pending, failures(sum))
	}
	return sum.P99, nil
}

// setting is a target with honest users who are at work.
type setting struct {
	process *target.Process
	crowd   *honest.Crowd
	rest    target.Sample // before anybody came
	quiet   target.Sample // with the honest users
	inside  target.Inside // the same, after a collection
}

func begin(ctx context.Context, kind target.Kind, withTLS, proxy bool) (*setting, error) {
	p, err := target.Start(kind, withTLS, proxy)
	if err != nil {
		return nil, err
	}
	s := &setting{process: p}
	var through netip.Addr
	if proxy && kind.SpeaksProxy {
		through = attack.ProxyAddress.Prev() // a neighbour, so that this proxy and the attacked one do not share a limit
	}
	if err := s.settle(ctx, through); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (s *setting) settle(ctx context.Context, through netip.Addr) error {
	if _, err := s.process.Inside(ctx, false); err != nil { // also opens the connection to its page
		return err
	}
	var err error
	if s.rest, err = target.ReadSample(s.process.Pid()); err != nil {
		return err
	}
	s.crowd, err = honest.Join(ctx, honest.Config{
		Addr: s.process.Addr, TLS: s.process.TLS, Proxy: through,
		Users: users, PerSecond: perSecond, Patience: patience,
		Token: func(user int) string { return target.Proven + fmt.Sprint(user) },
		Body:  target.Body,
	})
	if err != nil {
		return err
	}
	if err := sleep(ctx, settle); err != nil {
		return err
	}
	if s.quiet, err = target.ReadSample(s.process.Pid()); err != nil {
		return err
	}
	if s.inside, err = s.process.Inside(ctx, true); err != nil {
		return err
	}
	return s.process.Begin(ctx)
}

func (s *setting) end() {
	if s.crowd != nil {
		s.crowd.Leave()
	}
	s.process.Stop()
}

// attack attacks for d, or until the target has fallen.
func (s *setting) attack(ctx context.Context, a attack.Attack, d time.Duration) (attack.Stats, time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.process.Ended():
			cancel()
		case <-ctx.Done():
		}
	}()
	b := a.Usual
	b.For = d
	stats, used, err := runAttacker(ctx, a, s.process, b)
	cancel()
	<-watched
	return stats, used, err
}

// recover waits until service and resources are what they were, and no longer than the pass line allows.
func (s *setting) recover(ctx context.Context, r *Result, since time.Time) {
	for time.Since(since) < passRecovery {
		if s.process.Exited() || sleep(ctx, 50*time.Millisecond) != nil {
			return
		}
		if r.stillOutOfLine = s.outOfLine(ctx, since); r.stillOutOfLine == "" {
			r.Recovered, r.Recovery = true, time.Since(since)
			return
		}
	}
}

// outOfLine says what is not yet as it was without attack, "" if all is.
func (s *setting) outOfLine(ctx context.Context, since time.Time) string {
	// The last stretch that was wholly after the attack and can have been answered.
	const stretch, slack = 250 * time.Millisecond, 50 * time.Millisecond
	to := time.Now().Add(-slack)
	if to.Sub(since) < stretch {
		return "service"
	}
	if sum := s.crowd.Between(to.Add(-stretch), to); sum.Planned == 0 || sum.Right < sum.Planned {
		return "service"
	}
	inside, err := s.process.Inside(ctx, true)
	if err != nil {
		return "page"
	}
	now, err := target.ReadSample(s.process.Pid())
	switch {
	case err != nil:
		return "process"
	case !backTo(inside.Heap, s.inside.Heap) && !backTo(uint64(now.RSS), uint64(s.quiet.RSS)):
		return "memory"
	case inside.Goroutines > s.inside.Goroutines+passLeftOver:
		return "goroutines"
	case inside.Handlers > s.inside.Handlers+passLeftOver:
		return "handlers"
	case now.Descriptors > s.quiet.Descriptors+passLeftOver:
		return "descriptors"
	}
	return ""
}

func failures(s honest.Summary) string {
	var parts []string
	for kind, n := range s.Failures {
		parts = append(parts, fmt.Sprintf("%s x%d", kind, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
