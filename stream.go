package headcount

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"time"
)

// StreamConfig says how a [Stream] works. The zero value is a good one.
type StreamConfig struct {
	// Concurrency is how many tasks of the stream run at once. Zero is GOMAXPROCS. The limits of the supervisor hold
	// beside it.
	Concurrency int
	// Unordered delivers results as the tasks end. Otherwise they come in the order of the input.
	Unordered bool
	// Buffer is how many results, beyond Concurrency, may wait to be delivered: behind a slow head, or a slow reader. No
	// input is taken while Concurrency and Buffer together are not yet delivered. Zero is Concurrency.
	Buffer int
	// Timeout is how long each task may take, from its start, restarts included. Zero is no bound.
	Timeout time.Duration
	// Allowance is how long the end of the stream waits for the tasks that it cancels, for all of them together, and how
	// long a task may go on after its Timeout, before they are told to be stuck. Zero is 5 s; [ShutdownNow] and
	// [ShutdownInfinity] are allowed.
	Allowance time.Duration
	// Options are those of each start. WithRestart([Transient]) runs a task again that failed.
	Options []StartOption
}

// A Result is what became of one element of the input of a [Stream].
type Result[In, Out any] struct {
	Index int // of the element, from 0; -1 if the result belongs to none and ends the stream
	In    In
	Out   Out // what fn returned
	Err   error
}

// Stream runs fn for each element of in, as children of s, and yields the results. Elements are taken, tasks started
// and results yielded on the goroutine that ranges over it, one element for each place that is free: while in blocks,
// or the loop's body, nothing else is done. It may be ranged over again if in can.
//
// Memory is bounded: at most Concurrency tasks run and at most Concurrency+Buffer elements are under way, also when in
// order behind a slow head.
//
// A result has an Err if fn returned one, panicked ([*PanicError]) or ended its goroutine ([ErrGoexit]), if its child was
// stopped ([ErrStopped]) or took longer than Timeout ([ErrTimeout]). None of them ends the stream. The slot of the task
// is free before its result is yielded, but for the last: there the context of the child ends and the result is
// yielded at once, while the task keeps its slot, and its place in Concurrency, until it has returned.
//
// At the limits of s, Stream waits for room. A child of s that reads a stream over s itself holds a slot meanwhile:
// with no other left it waits until ctx ends. Where the key is full ([ErrMaxPerKey], which never waits), Stream waits
// for one of its own tasks to end, and if it has none, the refusal is the element's Err. Any other error of a start is
// the element's Err too, and nothing is started after it: the supervisor has stopped ([ErrStopped], [ErrNotRunning]), or
// an option is wrong.
//
// When the loop is left, by break, return, a panic or [runtime.Goexit], or ctx ends, the running tasks are cancelled and
// Stream waits for them, one Allowance for all; what is left then is stuck. If ctx ends before everything has been
// yielded, what is outstanding is dropped, and a last result with Index -1 has ctx's error. So has one with a
// [*ConfigError], the only one, if an argument is wrong. A panic in in goes to the caller, after the tasks have ended.
func Stream[In, Out any](ctx context.Context, s Starter, in iter.Seq[In], fn func(ctx context.Context, in In) (Out, error), cfg StreamConfig) iter.Seq[Result[In, Out]] {
	return func(yield func(Result[In, Out]) bool) {
		if err := cfg.check(ctx, s, in == nil, fn == nil); err != nil {
			yield(Result[In, Out]{Index: -1, Err: err})
			return
		}
		r := newStream(ctx, s, fn, cfg, yield)
		defer r.close()
		stop := context.AfterFunc(ctx, r.cancel) // also while this goroutine is in the loop's body or in the input
		defer stop()
		if r.feed(in) && r.drain() || r.left {
			return
		}
		r.close()
		yield(Result[In, Out]{Index: -1, Err: ctx.Err()})
	}
}

// check finds what is wrong with the arguments of a Stream.
func (cfg StreamConfig) check(ctx context.Context, s Starter, noInput, noFn bool) error {
	if err := checkStarter("Stream", s, cfg.Options); err != nil {
		return err
	}
	path := "headcount"
	if p, ok := s.(interface{ startsAt() *dynamic }); ok {
		path = p.startsAt().Path()
	}
	wrong := func(field string, value any, problem string) error {
		return &ConfigError{Path: path, Field: "Stream." + field, Value: value, Problem: problem}
	}
	switch {
	case ctx == nil:
		return wrong("ctx", nil, "is nil")
	case noInput:
		return wrong("in", nil, "is nil")
	case noFn:
		return wrong("fn", nil, "is nil")
	case cfg.Concurrency < 0:
		return wrong("Concurrency", cfg.Concurrency, "is negative")
	case cfg.Buffer < 0:
		return wrong("Buffer", cfg.Buffer, "is negative")
	case cfg.Timeout < 0:
		return wrong("Timeout", cfg.Timeout, "is negative")
	case cfg.Allowance < ShutdownInfinity:
		return wrong("Allowance", cfg.Allowance, "is negative")
	}
	return nil
}

// A stream is one reading of a Stream. The fields before mu belong to the goroutine that reads. It takes an element,
// starts its task, and yields what is there; it sleeps only in the input, in a start and in wait. The ends of tasks and
// their timeouts come from other goroutines: they change what mu guards, then wake the reader, and never wait for it.
type stream[In, Out any] struct {
	ctx         context.Context
	starter     Starter
	fn          func(ctx context.Context, in In) (Out, error)
	cfg         StreamConfig // without zeros
	yield       func(Result[In, Out]) bool
	left        bool // the loop was left
	undelivered int  // elements that were started and not yielded
	closed      bool

	wake chan struct{} // something has changed under mu
	over chan struct{} // closed when nobody reads any more

	mu struct {
		sync.Mutex
		queue   []*element[In, Out] // what is to be yielded, in this order; not all settled if ordered
		running map[*element[In, Out]]struct{}
		overdue int // of those running, the ones told to be stuck
		endings int // tasks that have ended so far
	}
}

func newStream[In, Out any](ctx context.Context, s Starter, fn func(context.Context, In) (Out, error), cfg StreamConfig, yield func(Result[In, Out]) bool) *stream[In, Out] {
	if cfg.Concurrency == 0 {
		cfg.Concurrency = runtime.GOMAXPROCS(0)
	}
	if cfg.Buffer == 0 {
		cfg.Buffer = cfg.Concurrency
	}
	if cfg.Allowance == 0 {
		cfg.Allowance = defaultShutdown
	}
	cfg.Options = append(slices.Clone(cfg.Options), waitForRoom())
	if cfg.Timeout > 0 && !slices.ContainsFunc(cfg.Options, func(o StartOption) bool {
		return o.kind == optionLifetime && time.Duration(o.n) < cfg.Timeout
	}) {
		cfg.Options = append(cfg.Options, WithLifetime(cfg.Timeout)) // so that fn's context knows its deadline
	}
	r := &stream[In, Out]{ctx: ctx, starter: s, fn: fn, cfg: cfg, yield: yield, wake: make(chan struct{}, 1), over: make(chan struct{})}
	r.mu.running = make(map[*element[In, Out]]struct{})
	return r
}

// feed starts tasks until the input is at its end or no more can be started. It yields what is there meanwhile: after
// each start one result at the most while there is room, so that neither the tasks nor the reader run dry. It reports
// false if the reading is over.
func (r *stream[In, Out]) feed(in iter.Seq[In]) bool {
	if r.done() {
		return false
	}
	index := 0
	for value := range in {
		err := r.start(index, value)
		switch {
		case r.done():
			return false
		case err != nil && !errors.Is(err, ErrMaxPerKey):
			return true
		}
		index++
		r.deliver()
		for !r.room() {
			if r.done() {
				return false
			}
			if !r.deliver() {
				r.wait()
			}
		}
		if r.done() {
			return false
		}
	}
	// If ctx has ended, that may be why the input has.
	return !r.done()
}

// drain yields what is outstanding. It reports false if the reading is over before.
func (r *stream[In, Out]) drain() bool {
	for r.undelivered > 0 {
		if r.done() {
			return false
		}
		if !r.deliver() {
			r.wait()
		}
	}
	return true
}

// done reports whether the reading is over. It is asked before each result is yielded, so that none is the effect of
// ctx's end on its task.
func (r *stream[In, Out]) done() bool { return r.left || r.ctx.Err() != nil }

// start starts the task of one element, or settles the element with the error.
func (r *stream[In, Out]) start(index int, in In) error {
	e := &element[In, Out]{result: Result[In, Out]{Index: index, In: in}}
	run := e.task.runs(func(ctx context.Context) (Out, error) { return r.fn(ctx, in) })
	for {
		endings, running := r.progress()
		child, err := r.starter.Go(r.ctx, run, r.cfg.Options...)
		switch {
		case err == nil:
			r.enter(e, child)
			return nil
		case running > 0 && errors.Is(err, ErrMaxPerKey):
			if !r.awaitEnding(endings) {
				return err
			}
		default:
			r.refused(e, err)
			return err
		}
	}
}

// progress tells how many tasks have ended and how many run.
func (r *stream[In, Out]) progress() (endings, running int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.endings, len(r.mu.running)
}

// awaitEnding waits until a task has ended since there were so many endings. It reports false if the reading is over.
func (r *stream[In, Out]) awaitEnding(before int) bool {
	for !r.done() {
		if endings, _ := r.progress(); endings != before {
			return true
		}
		if !r.deliver() {
			r.wait()
		}
	}
	return false
}

// room reports whether another task may be started.
func (r *stream[In, Out]) room() bool {
	if r.undelivered-r.cfg.Concurrency >= r.cfg.Buffer { // no sum: both may be Unlimited
		return false
	}
	_, running := r.progress()
	return running < r.cfg.Concurrency
}

// deliver yields the next result if it is there and the reading is not over.
func (r *stream[In, Out]) deliver() bool {
	if r.done() {
		return false
	}
	r.mu.Lock()
	if len(r.mu.queue) == 0 || !r.mu.queue[0].settled {
		r.mu.Unlock()
		return false
	}
	e := r.mu.queue[0]
	r.mu.queue[0] = nil
	r.mu.queue = r.mu.queue[1:]
	r.mu.Unlock()
	r.undelivered--
	r.left = !r.yield(e.outcome(r.cfg.Timeout))
	return true
}

// wait sleeps until something has changed. Whoever calls it has found nothing to do since the last time.
func (r *stream[In, Out]) wait() {
	select {
	case <-r.wake:
	case <-r.ctx.Done():
	}
}
