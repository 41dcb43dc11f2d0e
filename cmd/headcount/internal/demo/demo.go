// Package demo runs the example application in processes of its own, attacks it with and without its limits, and says
// whether the limits held.
//
// Nothing here trusts the defence. Memory and threads are the operating system's numbers; websockets are counted by the
// attacker who holds them; children are counted inside the functions that run, not by Headcount.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

// Config is what the command line can change.
type Config struct {
	// Quick makes a run of half a minute instead of two.
	Quick bool
	// Stay leaves the protected application running.
	Stay bool
	// CeilingMiB is the memory above which an application is ended; 0 means 256.
	CeilingMiB int
	// Command starts the application: a program and the arguments before the application's own. The started process
	// must call Lifeline.
	Command []string
	// Progress is where the run is told while it goes on; Width is its width if it is a terminal, else 0.
	Progress io.Writer
	Width    int

	// shrink lets a test make the plan smaller.
	shrink func(*plan)
}

const (
	protected   = "protected"
	unprotected = "unprotected"

	defaultCeilingMiB = 256
)

// run is one run of the demo.
type run struct {
	cfg      Config
	plan     plan
	progress *progress
	ceiling  int64
	dir      string
	report   *report.Report
}

// errTooLong ends a run that hangs in spite of every bound inside it.
var errTooLong = errors.New("the run took twice its time and was ended")

// Run does the whole demo. The error says that it could not be done or was interrupted; whether the limits held stands
// in the report.
func Run(ctx context.Context, cfg Config) (*report.Report, error) {
	r := &run{cfg: cfg, plan: fullPlan(), progress: newProgress(cfg.Progress, cfg.Width)}
	defer r.progress.close()
	if cfg.Quick {
		r.plan = quickPlan()
	}
	if cfg.shrink != nil {
		cfg.shrink(&r.plan)
	}
	if cfg.CeilingMiB < 0 {
		return nil, fmt.Errorf("a memory ceiling of %d MiB: it must be above zero", cfg.CeilingMiB)
	}
	descriptors := descriptorLimit()
	if err := r.plan.fit(descriptors); err != nil {
		return nil, err
	}
	ceilingMiB := cfg.CeilingMiB
	if ceilingMiB == 0 {
		ceilingMiB = defaultCeilingMiB
	}
	r.ceiling = int64(ceilingMiB) << 20

	dir, err := os.MkdirTemp("", "headcount-demo-")
	if err != nil {
		return nil, err
	}
	r.dir = dir
	keep := false
	defer func() {
		if !keep {
			os.RemoveAll(dir)
		}
	}()

	ctx, cancel := context.WithTimeoutCause(ctx, 2*r.plan.budget, errTooLong)
	defer cancel()
	began := time.Now()
	r.report = &report.Report{
		Quick: cfg.Quick, CPUs: runtime.GOMAXPROCS(0), System: runtime.GOOS + "/" + runtime.GOARCH,
		Descriptors: descriptors, CeilingMiB: ceilingMiB, Limits: r.plan.limits,
	}
	r.report.Attacks = []report.Pair{{Name: "calm"}}
	for _, a := range r.plan.attacks() {
		r.report.Attacks = append(r.report.Attacks, report.Pair{Name: a.Name, About: a.About})
	}

	facts, err := r.attackProtected(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.attackUnprotected(ctx, began.Add(r.plan.budget)); err != nil {
		return nil, err
	}
	r.report.Checks = report.Judge(facts)
	r.report.OK = report.Passed(r.report.Checks)
	r.notes()
	if r.report.Left != nil {
		keep = true
	} else if !r.report.OK {
		keep = true
		r.report.Notes = append(r.report.Notes, "The output of the applications is kept in "+dir+".")
	}
	r.report.Seconds = time.Since(began).Seconds()
	return r.report, nil
}

// attackProtected makes every attack on one and the same application with limits.
func (r *run) attackProtected(ctx context.Context) (report.Facts, error) {
	facts := report.Facts{Limits: r.plan.limits, HonestUsers: r.plan.honest.Users}
	s, err := r.open(ctx, protected)
	if err != nil {
		return facts, err
	}
	defer s.close()
	if s.app.page != "" {
		r.progress.line("%s: see it while it is attacked: %s", s.name, s.app.page)
	}
	if r.report.Attacks[0].Protected, err = r.calm(ctx, s); err != nil {
		return facts, err
	}
	for i, a := range r.plan.attacks() {
		if s.app.hasExited() {
			break // the attacks left out fail their check
		}
		r.progress.line("%s: %s: %s", s.name, a.Name, a.About)
		side, _, err := s.attack(ctx, a, a.timing.attack)
		if err != nil {
			return facts, err
		}
		r.report.Attacks[i+1].Protected = side
		r.told(s, side)
	}
	s.leave(r.plan.honest.Patience)
	if in, err := s.sampler.sample(ctx); err == nil {
		facts.Inside = &in
	}
	facts.Attacks = r.report.Attacks[1:]
	if s.app.hasExited() {
		return facts, nil
	}
	if r.cfg.Stay {
		return facts, r.leaveRunning(s)
	}
	r.progress.line("%s: told to stop within %s, with children in it that refuse to", s.name, r.plan.stopWithin)
	stop := s.app.stop(r.plan.stopWithin, s.refusing)
	facts.Stop, r.report.Stop = &stop, &stop
	return facts, nil
}

// attackUnprotected makes every attack on the same application without limits. One that was ended, or that has not got
// rid of an attack in time, is replaced by a new one for the next. The time until end is shared out, so that a slow
// machine shortens these attacks instead of stretching the run.
func (r *run) attackUnprotected(ctx context.Context, end time.Time) error {
	var s *stage
	defer func() {
		if s != nil {
			s.close()
		}
	}()
	attacks := r.plan.attacks()
	for i, a := range attacks {
		if s == nil {
			var err error
			if s, err = r.open(ctx, unprotected); err != nil {
				return err
			}
			if i == 0 {
				if r.report.Attacks[0].Unprotected, err = r.calm(ctx, s); err != nil {
					return err
				}
			}
		}
		r.progress.line("%s: %s", s.name, a.Name)
		d := share(time.Until(end), attacks[i:])
		side, recovered, err := s.attack(ctx, a, d)
		if err != nil {
			return err
		}
		r.report.Attacks[i+1].Unprotected = side
		r.told(s, side)
		if !recovered {
			// An application that has stopped answering must not use up the time of the whole run.
			s.leave(r.plan.long.recover)
			s.close()
			s = nil
		}
	}
	if s != nil {
		s.leave(r.plan.long.recover)
	}
	return nil
}

// share is the time for the first of these attacks: its own, or less when little is left for all.
func share(left time.Duration, attacks []assault) time.Duration {
	const (
		start = 500 * time.Millisecond // of a new application
		least = 500 * time.Millisecond
	)
	var wanted time.Duration
	for _, a := range attacks {
		wanted += a.timing.attack
		left -= 2*a.timing.recover + start
	}
	d := attacks[0].timing.attack
	if left < wanted {
		d = time.Duration(float64(d) * float64(left) / float64(wanted))
	}
	return max(least, d)
}

func (r *run) open(ctx context.Context, name string) (*stage, error) {
	r.progress.line("%s: the application starts in a process of its own", name)
	return open(ctx, name, r.cfg.Command, &r.plan, name == unprotected, r.ceiling, r.dir, r.progress)
}

func (r *run) calm(ctx context.Context, s *stage) (*report.Side, error) {
	r.progress.line("%s: %d honest users at work, process %d on %s", s.name, r.plan.honest.Users, s.app.pid(), s.app.addr)
	side, err := s.calm(ctx, r.plan.calm)
	if err == nil && s.app.hasExited() {
		err = fmt.Errorf("%s application: %s before the first attack\n%s", s.name, side.Ended, s.app.tail(2048))
	}
	return side, err
}

// told sums up an attack for the reader of the progress.
func (r *run) told(s *stage, side *report.Side) {
	if side.Ended != "" {
		r.progress.line("%s: %s after %.1f s %s", s.name, side.Ended, side.Seconds, side.LastWords)
	}
}

func (r *run) leaveRunning(s *stage) error {
	if err := s.app.release(); err != nil {
		return err
	}
	s.released = true
	r.report.Left = &report.Left{
		URL: "http://" + s.app.addr, Page: s.app.page, PID: s.app.pid(), Log: s.app.logPath(), Data: r.dir,
		Token: s.app.token("visitor", true),
	}
	return nil
}

// notes completes what a reader must know to read the numbers.
func (r *run) notes() {
	const late = 50 * time.Millisecond
	notes := r.plan.notes
	about := func(attack, app string, s *report.Side) {
		if s == nil {
			return
		}
		if s.Unanswered > 0 && s.Ended == "" {
			notes = append(notes, fmt.Sprintf("%s, %s: when asked what it holds it did not answer %d times; its peaks may have been higher.", attack, app, s.Unanswered))
		}
		if d := time.Duration(s.Honest.LateP99); d > late {
			notes = append(notes, fmt.Sprintf("%s, %s: the demo shares the machine and began operations late, by up to %s (p99); the latencies contain that.", attack, app, d.Round(time.Millisecond)))
		}
		if s.Attack.Capped {
			notes = append(notes, fmt.Sprintf("%s, %s: the attacker stopped at %d connections for want of file descriptors.", attack, app, s.Attack.HeldPeak))
		}
	}
	for _, a := range r.report.Attacks {
		about(a.Name, protected, a.Protected)
		about(a.Name, unprotected, a.Unprotected)
	}
	if !loopback.Many() {
		notes = append(notes, "This system has one loopback address only: the attacks on connections, and the limits by client, are left out.")
	}
	if r.report.Left != nil {
		notes = append(notes, "The stop with children that refuse to was left out: the application stays.")
	}
	r.report.Notes = notes
}
