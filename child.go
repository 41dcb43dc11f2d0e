package headcount

import (
	"context"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Child is a handle on one child. Its methods may be called from many goroutines, also when the child has ended.
//
// A child goes through these states:
//
//	starting -> running -> (restarting -> running)* -> ended
//
// with stopping, and stuck after it, on the way to the end when a stop was asked for. It holds its slots from its
// admission until it has ended, also while it is restarting and while it is stuck. Its tail is fixed: it leaves the
// registry and its key, frees its slots, publishes its result, counts down the stop that waits for it.
type Child struct {
	first   runContext // the context of the first run
	home    home
	run     func(ctx context.Context) error
	id      uint64
	started time.Duration // since the supervisor's epoch; does not change once others see the child
	slot    *registryBlock
	flags   atomic.Uint32
	atKey   uint32                // its place among the children of its key
	extra   atomic.Pointer[extra] // made under mu; once made it stays

	// mu guards the parts of the contexts and of the extra that say so. No user code runs under it. The order of locks is in
	// docs/architecture.md.
	mu sync.Mutex
}

// A home is where a child belongs: the part of its supervisor that decides what becomes of it.
type home interface {
	supervisor() *node
	// afterRun is called when a run has ended, and reports whether there is to be another one. It may wait.
	afterRun(c *Child, x exit) (again bool)
	// leave takes the child out of the registry; free takes it out of its key and gives back its slots, in one step.
	leave(c *Child)
	free(c *Child)
	// countDown is the last thing that a child does.
	countDown(c *Child)
	path(c *Child) string
	keyName() string
}

// extra is what only some children need.
type extra struct {
	spec       *ChildSpec      // never changed
	current    *runContext     // the context of the present run, if it is not the first
	values     context.Context // where the child's context looks up values
	caller     context.Context // Do: the caller's context
	callerStop func() bool
	began      time.Duration // the present run, since the supervisor's epoch
	ready      chan struct{}
	labels     context.Context // Traceable: made when first needed

	helpers    int           // goroutines started by Go
	helpersEnd chan struct{} // made by who waits for them
	helperExit exit          // of the first helper that failed
	bytes      int64

	restarts    int
	consecutive int // restarts without a stable run in between
	window      restartWindow
	lastErr     error
	stuckSince  time.Duration
}

// The flags of a child.
const (
	flagStopping   = 1 << iota // a stop was asked for: it will not run again
	flagStuck                  // it has outlived its allowance
	flagLeaving                // it has returned for good
	flagEnded                  // its result can be seen
	flagAwaited                // Done has made its channel
	flagHeard                  // there is an extra, or somebody listens to its context
	flagOver                   // its first run has returned
	flagReady                  // it has called Ready, or need not
	flagStarting               // a start call waits for it: until it is ready its end is that call's error
	flagRestarting             // between two runs
	flagDo                     // it runs on its caller's goroutine
)

// live is the child's goroutine, from its first run until it has ended.
func (c *Child) live() {
	c.label()
	returned := false
	defer func() {
		if returned {
			return
		}
		// Only runtime.Goexit comes here: this goroutine is on its way out, another run needs a new one.
		if c.afterRun(exit{exitGoexit, ErrGoexit}) {
			go c.live()
			return
		}
		c.finish()
	}()
	for again := true; again; {
		again = c.afterRun(c.invoke())
	}
	returned = true
	c.finish()
}

// invoke runs the child once.
func (c *Child) invoke() (x exit) {
	defer func() {
		if v := recover(); v != nil {
			x = exit{exitPanic, &PanicError{Value: v, Stack: debug.Stack()}}
		}
	}()
	run := c.beginRun()
	if around := c.around(); around != nil {
		return c.judge(run, c.runAround(around, run))
	}
	return c.judge(run, c.run(run))
}

// runAround is apart because of its large frame: with it, each goroutine would need a larger stack.
//
//go:noinline
func (c *Child) runAround(around AroundFunc, run *runContext) error {
	return around(run, c.Info(), c.run)
}

// around is what wraps the child's runs: not the run of a root, which is nobody's child.
func (c *Child) around() AroundFunc {
	n := c.home.supervisor()
	if n.around == nil {
		return nil
	}
	if x := c.extra.Load(); x != nil && x.spec.sup == n {
		return nil
	}
	return n.around
}

// beginRun gives the context of the run that begins now.
func (c *Child) beginRun() *runContext {
	x := c.extra.Load()
	if x == nil {
		return &c.first
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	run := c.currentLocked()
	if x.spec.MaxLifetime > 0 {
		deadline := time.Now().Add(x.spec.MaxLifetime)
		run.moreLocked().deadline = &deadline
		timer := time.AfterFunc(x.spec.MaxLifetime, func() { run.cancel(runExpired) })
		c.onOverLocked(run, func() { timer.Stop() })
	}
	x.began = c.started
	if run != &c.first {
		x.began = c.home.supervisor().now()
	}
	if x.spec.AwaitReady && x.spec.ReadyWithin > 0 && c.flags.Load()&flagStarting == 0 {
		timer := time.AfterFunc(x.spec.ReadyWithin, func() { c.failReady(run) })
		c.onOverLocked(run, func() { timer.Stop() })
	}
	return run
}

// onOverLocked calls f when the run's context has ended, at the latest when Run has returned.
func (c *Child) onOverLocked(run *runContext, f func()) {
	run.addFuncLocked(&f)
}

func (c *Child) currentLocked() *runContext {
	if x := c.extra.Load(); x != nil && x.current != nil {
		return x.current
	}
	return &c.first
}

// afterRun ends the run and asks the supervisor whether there is to be another one.
func (c *Child) afterRun(x exit) (again bool) {
	x = c.settle(x)
	c.decideHow(x)
	return c.home.afterRun(c, x)
}

// settle ends the run's context, so that nothing derived from it goes on, and waits for the helpers that Run left
// behind. A helper that failed first is what the child failed of.
func (c *Child) settle(x exit) exit {
	// A first run that nobody has listened to, of a child with nothing special about it. Who listens from now on finds
	// the flag.
	if c.flags.Or(flagOver)&flagHeard == 0 {
		return x
	}
	c.mu.Lock()
	run := c.currentLocked()
	run.over = true
	heard := run.more != nil
	e := c.extra.Load()
	if e == nil {
		c.mu.Unlock()
		if heard {
			run.cancel(runCancelled)
		}
		return x
	}
	first := x.abnormal() && !e.helperExit.abnormal() // what its helpers fail of follows from it
	var helpersEnd chan struct{}
	if e.helpers > 0 {
		helpersEnd = make(chan struct{})
		e.helpersEnd = helpersEnd
	}
	callerStop := e.callerStop
	c.mu.Unlock()

	run.cancel(runCancelled)
	if callerStop != nil {
		callerStop()
	}
	if helpersEnd != nil {
		<-helpersEnd
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if failed := e.helperExit; failed.abnormal() && !first {
		return failed
	}
	if x == (exit{}) && e.spec.AwaitReady && c.flags.Load()&(flagReady|flagStopping) == 0 {
		return exit{exitError, ErrReturnedEarly}
	}
	return x
}

// nextRun prepares another run after the delay. It reports false if a stop was asked for meanwhile.
func (c *Child) nextRun(delay time.Duration) bool {
	run := &runContext{child: c}
	c.mu.Lock()
	x := c.extra.Load()
	x.current = run
	x.restarts++
	x.consecutive++
	x.helperExit = exit{}
	x.helpersEnd = nil
	if x.spec.AwaitReady {
		c.flags.And(^uint32(flagReady))
	}
	if c.flags.Load()&flagStopping != 0 {
		c.mu.Unlock()
		return false
	}
	c.flags.Or(flagRestarting)
	c.mu.Unlock()
	if sup := x.spec.sup; sup != nil {
		sup.comesBack()
	}
	n := c.home.supervisor()
	n.restarting.Add(1)
	defer n.restarting.Add(-1)
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-run.Done():
		}
	}
	c.flags.And(^uint32(flagRestarting))
	if c.flags.Load()&flagStopping != 0 {
		c.decideHow(exit{exitStopped, nil}) // what it is told of is the stop; the failure was an event
		if sup := x.spec.sup; sup != nil {
			sup.staysDown()
		}
		return false
	}
	return true
}

// finish is the tail of a child.
func (c *Child) finish() {
	stuck := c.flags.Or(flagLeaving)&flagStuck != 0
	c.home.leave(c)
	gap(beforeRelease)
	c.home.free(c)
	if stuck {
		c.unstick()
	}
	gap(beforePublish)
	if c.flags.Or(flagEnded)&flagAwaited != 0 {
		close(c.first.more.ended)
	}
	c.home.countDown(c)
}

// Done returns a channel that is closed when the child has ended. Its slots are free by then.
func (c *Child) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	more := c.first.moreLocked()
	if more.ended == nil {
		more.ended = make(chan struct{})
		// Who of this and finish sets its flag second finds the other's and closes the channel.
		if c.flags.Or(flagAwaited)&flagEnded != 0 {
			close(more.ended)
		}
	}
	return more.ended
}

// Wait blocks until the child has ended, and returns how: nil for a normal exit and for a stop, else the error, a
// [PanicError], or [ErrGoexit]. Its slots are free by then. If ctx ends first, Wait returns its error.
func (c *Child) Wait(ctx context.Context) error {
	if ctx == nil {
		return &ConfigError{Path: c.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	}
	if !c.hasEnded() {
		select {
		case <-c.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return c.result()
}

// decideHow notes how the child has ended, unless it runs again. Only its own goroutine does.
func (c *Child) decideHow(x exit) {
	c.first.how = x.kind
	if x.err == nil && c.extra.Load() == nil {
		return // nor was there an error before
	}
	c.mu.Lock()
	if x.err != nil || c.first.more != nil {
		c.first.moreLocked().err = x.err
	}
	c.mu.Unlock()
}

// result is what the child has ended with.
func (c *Child) result() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resultLocked()
}

func (c *Child) resultLocked() error {
	if c.first.more == nil {
		return nil
	}
	return c.first.more.err
}

func (c *Child) hasEnded() bool { return c.flags.Load()&flagEnded != 0 }

// ID gives the number of the child. It is never used again under the same supervisor.
func (c *Child) ID() uint64 { return c.id }

// Path gives the place of the child in the tree: myapp/jobs/17, or myapp/users/alice/17.
func (c *Child) Path() string { return c.home.path(c) }

func newChild(h home, run func(ctx context.Context) error) *Child {
	c := &Child{home: h, run: run}
	c.first.child = c
	return c
}

// idName is the name of a child that has none of its own.
func (c *Child) idName() string { return strconv.FormatUint(c.id, 10) }

// plainSpec is the spec of all children that have nothing special about them.
var plainSpec = ChildSpec{Restart: Temporary}

func (c *Child) extraLocked() *extra {
	x := c.extra.Load()
	if x == nil {
		x = &extra{spec: &plainSpec}
		c.giveExtra(x)
	}
	return x
}

// giveExtra makes x the child's extra: before it runs, or under mu.
func (c *Child) giveExtra(x *extra) {
	c.extra.Store(x)
	c.hear()
}

// hear notes that the end of the present run concerns somebody. If it is the first one and over already, its context
// ends now. The caller holds mu, unless the child does not run yet.
func (c *Child) hear() {
	if c.flags.Or(flagHeard)&(flagOver|flagHeard) == flagOver {
		c.first.over = true
		c.first.state.Store(runCancelled)
	}
}
