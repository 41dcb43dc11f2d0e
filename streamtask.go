package headcount

import (
	"context"
	"fmt"
	"time"
)

// An element is one element of the input on its way to its result.
type element[In, Out any] struct {
	result Result[In, Out]
	task   Task[Out]

	// Guarded by the stream's mu.
	settled  bool // the result can be yielded
	timedOut bool // before its task ended
	overdue  bool
	timer    *time.Timer // its timeout; once that is over, its allowance
}

// outcome is the result of a settled element.
func (e *element[In, Out]) outcome(timeout time.Duration) Result[In, Out] {
	switch {
	case e.result.Err != nil: // refused
	case e.timedOut: // what the task writes is not to be read: it may still run
		e.result.Err = fmt.Errorf("%s: %w after %v", e.task.child.Path(), ErrTimeout, timeout)
	default:
		e.result.Out, e.result.Err = e.task.result()
	}
	return e.result
}

// enter takes a task that was started into the stream.
func (r *stream[In, Out]) enter(e *element[In, Out], child *Child) {
	e.task.child = child
	r.undelivered++
	r.mu.Lock()
	if !r.cfg.Unordered {
		r.mu.queue = append(r.mu.queue, e)
	}
	r.mu.running[e] = struct{}{}
	if r.cfg.Timeout > 0 {
		e.timer = time.AfterFunc(r.cfg.Timeout, func() { r.timeOut(e) })
	}
	r.mu.Unlock()
	// The end of its first context comes shortly before the end of the child: only in between does a goroutine wait for
	// it. The child's own goroutine cannot tell, since nothing of it runs after its end.
	context.AfterFunc(&child.first, func() {
		select {
		case <-child.Done():
			r.ended(e)
		case <-r.over:
		}
	})
}

// refused takes an element into the stream whose task could not be started.
func (r *stream[In, Out]) refused(e *element[In, Out], err error) {
	e.result.Err = err
	e.settled = true
	r.undelivered++
	r.mu.Lock()
	r.mu.queue = append(r.mu.queue, e)
	r.mu.Unlock()
}

// ended notes that the task of e has ended.
func (r *stream[In, Out]) ended(e *element[In, Out]) {
	r.mu.Lock()
	delete(r.mu.running, e)
	r.mu.endings++
	if e.overdue {
		r.mu.overdue--
	}
	if e.timer != nil {
		e.timer.Stop()
	}
	r.settleLocked(e)
	r.mu.Unlock()
	notify(r.wake)
}

func (r *stream[In, Out]) settleLocked(e *element[In, Out]) {
	if e.settled {
		return
	}
	e.settled = true
	if r.cfg.Unordered {
		r.mu.queue = append(r.mu.queue, e)
	}
}

// timeOut ends the context of a task that has taken too long, and settles its element.
func (r *stream[In, Out]) timeOut(e *element[In, Out]) {
	r.mu.Lock()
	if e.settled {
		r.mu.Unlock()
		return
	}
	e.timedOut = true
	r.settleLocked(e)
	e.timer = time.AfterFunc(lasting(r.cfg.Allowance), func() { r.tellStuck(e) })
	r.mu.Unlock()
	e.task.child.expire()
	notify(r.wake)
}

// tellStuck tells of a task that has outlived its allowance. The end of the stream does not wait for it (again).
func (r *stream[In, Out]) tellStuck(e *element[In, Out]) {
	r.mu.Lock()
	_, running := r.mu.running[e]
	fresh := running && !e.overdue
	if fresh {
		e.overdue = true
		r.mu.overdue++
		if e.timer != nil {
			e.timer.Stop()
		}
	}
	r.mu.Unlock()
	if fresh {
		e.task.child.markStuck(lasting(r.cfg.Allowance))
		notify(r.wake)
	}
}

// cancel ends the contexts of all running tasks. When ctx ends while one is being started, it is the reader that finds
// out, before it starts another, and cancels again.
func (r *stream[In, Out]) cancel() {
	r.mu.Lock()
	running := r.runningLocked()
	r.mu.Unlock()
	for _, e := range running {
		e.task.child.ask()
	}
}

func (r *stream[In, Out]) runningLocked() []*element[In, Out] {
	running := make([]*element[In, Out], 0, len(r.mu.running))
	for e := range r.mu.running {
		running = append(running, e)
	}
	return running
}

// close cancels what runs, waits one allowance for it, and tells of what is left.
func (r *stream[In, Out]) close() {
	if r.closed {
		return
	}
	r.closed = true
	defer close(r.over)
	r.cancel()
	timer := time.NewTimer(lasting(r.cfg.Allowance))
	defer timer.Stop()
	for {
		r.mu.Lock()
		awaited := len(r.mu.running) - r.mu.overdue
		r.mu.Unlock()
		if awaited == 0 {
			return
		}
		select {
		case <-r.wake:
		case <-timer.C:
			r.mu.Lock()
			left := r.runningLocked()
			r.mu.Unlock()
			for _, e := range left {
				r.tellStuck(e)
			}
			return
		}
	}
}
