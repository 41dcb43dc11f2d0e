package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
	"github.com/headcount-go/headcount/cmd/headcount/internal/procwatch"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

// stage is one running application with its honest users and those who watch it.
type stage struct {
	name     string // protected or unprotected, for progress
	plan     *plan
	progress *progress
	ceiling  int64

	app     *process
	crowd   *honest.Crowd
	watcher *procwatch.Watcher
	sampler *sampler

	watching sync.WaitGroup
	watchers context.CancelFunc

	stretches []*stretch
	released  bool     // the application may outlive the demo
	refusing  []string // ids of jobs that will not stop
}

// open starts the application and lets the honest users in. The stage must be closed.
func open(ctx context.Context, name string, command []string, p *plan, unlimited bool, ceiling int64, dir string, pr *progress) (*stage, error) {
	app, err := launch(ctx, command, p, unlimited, dir)
	if err != nil {
		return nil, fmt.Errorf("%s application: %w", name, err)
	}
	s := &stage{name: name, plan: p, progress: pr, ceiling: ceiling, app: app, sampler: newSampler(app.addr)}
	s.watcher = procwatch.New(procwatch.Config{Read: s.read, Ceiling: ceiling, End: app.kill})

	watch, cancel := context.WithCancel(ctx)
	s.watchers = cancel
	s.watching.Go(func() { s.watcher.Run(watch) })
	s.watching.Go(func() { s.sampler.run(watch) })

	users := p.honest
	users.From = loopback.Addresses(loopback.Honest).Apart()
	s.crowd, err = honest.Join(ctx, app.addr, users, func(user string) string { return app.token(user, true) })
	if err != nil {
		s.close()
		return nil, fmt.Errorf("%s application: %w", name, err)
	}
	return s, nil
}

// read takes a sample of the application's memory: from the operating system, or where that is not to be had, from what
// the application says.
func (s *stage) read() (procwatch.Sample, error) {
	sample, err := procwatch.Read(s.app.pid())
	if !errors.Is(err, procwatch.ErrUnsupported) {
		return sample, err
	}
	in, fresh := s.sampler.last(time.Second)
	if !fresh {
		return procwatch.Sample{}, err
	}
	return procwatch.Sample{RSS: max(in.RSSBytes, in.HeapBytes)}, nil
}

// calm lets the honest users work undisturbed for d.
func (s *stage) calm(ctx context.Context, d time.Duration) (*report.Side, error) {
	st := s.begin("calm", nil)
	s.during(ctx, st, d, func(ctx context.Context) { <-ctx.Done() })
	return st.side, context.Cause(ctx)
}

// attack makes one attack for d and then waits until the application has recovered, or the plan's time for that is
// over; both belong to the attack. recovered is false if it has not in that time, or if it has ended.
func (s *stage) attack(ctx context.Context, a assault, d time.Duration) (side *report.Side, recovered bool, err error) {
	st := s.begin(a.Name, new(attack.Tally))
	if s.name == protected {
		st.side.HeldLimit = a.heldLimit
	}
	target := attack.Target{Addr: s.app.addr, From: a.from, Token: func(user string) string { return s.app.token(user, false) }}
	fire := time.Duration(float64(d) * float64(a.timing.fire) / float64(a.timing.attack))
	s.during(ctx, st, d, func(ctx context.Context) { a.Run(ctx, target, fire, st.tally) })
	if a.staysBehind {
		s.refusing = append(s.refusing, st.tally.Kept()...)
	} else {
		s.during(ctx, st, a.timing.recover, s.awaitRecovery)
		recovered = s.recovered()
	}
	return st.side, recovered && !s.app.hasExited(), context.Cause(ctx)
}

// stretch is a part of the run: the calm, or one attack with what came after it.
type stretch struct {
	side  *report.Side
	phase *honest.Phase
	tally *attack.Tally // nil in the calm
	began time.Time
}

func (s *stage) begin(name string, tally *attack.Tally) *stretch {
	st := &stretch{side: new(report.Side), phase: s.crowd.Begin(name), tally: tally, began: time.Now()}
	s.watcher.Begin()
	s.sampler.begin()
	s.stretches = append(s.stretches, st)
	return st
}

// during calls run with a context that ends after d, or when the application has ended, shows progress, and takes the
// measurements when run has returned.
func (s *stage) during(ctx context.Context, st *stretch, d time.Duration, run func(context.Context)) {
	if s.app.hasExited() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	tick := time.NewTicker(terminalEvery)
	defer tick.Stop()
	exited := s.app.exited
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-exited:
			cancel()
			exited = nil
		case <-tick.C:
			s.show(st)
		}
	}
	s.measure(st)
}

// measure writes down what is known of a stretch so far.
func (s *stage) measure(st *stretch) {
	side := st.side
	s.sampler.measure(side)
	memory := s.watcher.Peak()
	side.PeakMemory, side.PeakThreads = memory.RSS, memory.Threads
	side.Seconds = time.Since(st.began).Seconds()
	if st.tally != nil {
		side.Attack = st.tally.Counts()
	}
	switch {
	case s.watcher.Ended():
		side.Ended = fmt.Sprintf("ended above %d MiB", s.ceiling>>20)
		side.EndedByCeiling = true
	case s.app.hasExited():
		side.Ended = fmt.Sprintf("crashed, status %d", s.app.exit)
		side.LastWords = s.app.lastWords()
	}
}

// awaitRecovery returns when what the attacker left behind is gone, or ctx is done.
func (s *stage) awaitRecovery(ctx context.Context) {
	tick := time.NewTicker(sampleEvery / 2)
	defer tick.Stop()
	for !s.recovered() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// recovered says whether the application holds little more than the honest users need.
func (s *stage) recovered() bool {
	in, fresh := s.sampler.last(2 * sampleEvery)
	return fresh && in.WS <= s.plan.honest.Users+4 && in.Jobs <= 2
}

func (s *stage) show(st *stretch) {
	in, _ := s.sampler.last(time.Hour)
	done, failed, dropped := st.phase.Brief()
	attacker := ""
	if st.tally != nil {
		c := st.tally.Counts()
		attacker = fmt.Sprintf("tried %d, refused %d, holds %d | ", c.Sent, c.RefusedTotal(), c.Held)
	}
	s.progress.live("%s%d children, %d goroutines, %d MiB | honest: %d ok, %d failed, %d dropped",
		attacker, in.Children(), in.Goroutines, s.watcher.Last().RSS>>20, done, failed, dropped)
}

// leave sends the honest users home and completes the measurements of every stretch. patience bounds the wait for their
// last answers.
func (s *stage) leave(patience time.Duration) {
	if s.crowd == nil {
		return
	}
	if s.app.hasExited() {
		s.crowd.AwaitLoss(time.Second)
		patience = min(patience, 200*time.Millisecond)
	}
	s.crowd.Leave(patience)
	s.crowd = nil
	for _, st := range s.stretches {
		st.side.Honest = report.Summarize(st.phase.Stats())
	}
}

// close ends everything that is left of the stage, the application too unless it was released.
func (s *stage) close() {
	s.leave(0)
	s.watchers()
	s.watching.Wait()
	if !s.released {
		s.app.kill()
	}
}
