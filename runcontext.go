package headcount

import (
	"context"
	"maps"
	"sync/atomic"
	"time"
)

// A runContext is the context of one run of a child. The first one is part of the child itself, so that a child costs
// one allocation; a restart makes a new one.
//
// It implements AfterFunc, which package context uses to cancel contexts derived from it: they need no goroutine that
// watches it. Done is made when first asked for.
type runContext struct {
	child *Child
	state atomic.Uint32

	// In the first one, of the child:
	how      exitKind // how it ended; see Child.result
	measured bool     // its start was read from the machine's clock

	// Guarded by child.mu.
	over bool     // Run has returned
	more *runMore // made when first needed; once made it stays
}

// runMore is what not all runs need. The child's lock guards it.
type runMore struct {
	done     chan struct{}
	deadline *time.Time           // the end of its MaxLifetime
	funcs    map[*func()]struct{} // by AfterFunc

	// Of the child, in its first run's.
	ended chan struct{}
	err   error // what it ended with
}

func (r *runContext) moreLocked() *runMore {
	if r.more == nil {
		r.more = new(runMore)
	}
	return r.more
}

func (r *runContext) addFuncLocked(f *func()) {
	more := r.moreLocked()
	if more.funcs == nil {
		more.funcs = make(map[*func()]struct{})
	}
	more.funcs[f] = struct{}{}
}

// The states of a runContext. It leaves runLive once.
const (
	runLive        = iota
	runCancelled   // by its supervisor, by Stop, or because Run has returned
	runExpired     // its MaxLifetime is over
	runCallerEnded // Do: the caller's context has ended
)

// childKey is what Value answers with the runContext itself.
type childKey struct{}

// Deadline is the end of the run's MaxLifetime, and for Do not later than the deadline of the caller's context.
func (r *runContext) Deadline() (deadline time.Time, ok bool) {
	r.child.mu.Lock()
	if r.more != nil && r.more.deadline != nil {
		deadline, ok = *r.more.deadline, true
	}
	r.child.mu.Unlock()
	if caller := r.callerNow(); caller != nil {
		if d, has := caller.Deadline(); has && (!ok || d.Before(deadline)) {
			return d, true
		}
	}
	return deadline, ok
}

func (r *runContext) Done() <-chan struct{} {
	c := r.child
	c.mu.Lock()
	more := r.moreLocked()
	done, made := more.done, false
	if done == nil {
		c.hear()
		done, made = make(chan struct{}), true
		more.done = done
		if r.state.Load() != runLive {
			close(done)
		}
	}
	c.mu.Unlock()
	if made {
		r.followCaller()
	}
	return done
}

// followCaller passes the end of the caller's context on to a Do, now that somebody listens.
func (r *runContext) followCaller() {
	caller := r.callerNow()
	if caller == nil || caller.Done() == nil {
		return
	}
	c := r.child
	stop := context.AfterFunc(caller, func() { r.cancel(runCallerEnded) })
	c.mu.Lock()
	over := r.over
	c.extra.Load().callerStop = stop
	c.mu.Unlock()
	if over {
		stop()
	}
}

func (r *runContext) Err() error {
	state := r.state.Load()
	if state == runLive {
		caller := r.callerNow()
		switch {
		case r == &r.child.first && r.child.flags.Load()&flagOver != 0:
			return context.Canceled // the run is over, and nobody had listened
		case caller == nil || caller.Err() == nil:
			return nil
		}
		r.cancel(runCallerEnded) // an error here must not come before Done is closed
		state = r.state.Load()
	}
	switch state {
	case runExpired:
		return context.DeadlineExceeded
	case runCallerEnded:
		return r.callerNow().Err()
	}
	return context.Canceled
}

// callerNow is the caller's context if the child is a Do.
func (r *runContext) callerNow() context.Context {
	if x := r.child.extra.Load(); x != nil {
		return x.caller
	}
	return nil
}

func (r *runContext) Value(key any) any {
	if key == (childKey{}) {
		return r
	}
	x := r.child.extra.Load()
	// Profile labels derived from this context, by pprof.Do say, are to include the child's own. Its label context
	// answers to nothing else.
	if labels := r.child.labels().Value(key); labels != nil {
		return labels
	}
	if x != nil && x.values != nil {
		return x.values.Value(key)
	}
	return nil
}

// AfterFunc arranges for f to be called when the run's context ends, on the goroutine that ends it: package context
// calls it with functions that do not block. The function it returns undoes that, and reports false if f has been
// called already.
func (r *runContext) AfterFunc(f func()) (stop func() bool) {
	r.Done() // so that the caller's context of a Do is listened to
	c := r.child
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.state.Load() != runLive {
		go f()
		return func() bool { return false }
	}
	r.addFuncLocked(&f)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := r.more.funcs[&f]
		delete(r.more.funcs, &f)
		return waiting && r.state.Load() == runLive
	}
}

// cancel ends the context. Only the first call has an effect.
func (r *runContext) cancel(state uint32) {
	r.child.mu.Lock()
	if r.state.Load() != runLive {
		r.child.mu.Unlock()
		return
	}
	r.state.Store(state)
	var funcs map[*func()]struct{}
	if r.more != nil {
		if r.more.done != nil {
			close(r.more.done)
		}
		funcs = maps.Clone(r.more.funcs)
	}
	r.child.mu.Unlock()
	for f := range funcs {
		(*f)()
	}
}

// runOf finds the run that ctx belongs to, or nil.
func runOf(ctx context.Context) *runContext {
	if r, ok := ctx.(*runContext); ok || ctx == nil {
		return r
	}
	r, _ := ctx.Value(childKey{}).(*runContext)
	return r
}

// childOf finds the child that ctx belongs to, or nil.
func childOf(ctx context.Context) *Child {
	if r := runOf(ctx); r != nil {
		return r.child
	}
	return nil
}

// Self describes the child that ctx belongs to. It reports false if ctx belongs to none.
func Self(ctx context.Context) (ChildInfo, bool) {
	c := childOf(ctx)
	if c == nil {
		return ChildInfo{}, false
	}
	return c.Info(), true
}
