package endpoint

import (
	"context"
	"sync/atomic"
	"time"
)

// activity counts the requests in flight, those that stream apart: a stop waits for the others to finish, and ends the
// streams, which would not. It also counts the connections that are busy: the last of a response is written when its
// request has ended already.
type activity struct {
	requests atomic.Int64
	streams  atomic.Int64
	busy     atomic.Int64
	draining atomic.Bool
	changed  chan struct{} // one was left while draining
}

func newActivity() *activity { return &activity{changed: make(chan struct{}, 1)} }

func (a *activity) enter() { a.requests.Add(1) }

func (a *activity) leave(streams bool) {
	if streams {
		a.streams.Add(-1)
	} else {
		a.requests.Add(-1)
	}
	a.tell()
}

// toStream says that a request has become a stream.
func (a *activity) toStream() {
	a.streams.Add(1)
	a.requests.Add(-1)
	a.tell()
}

// conn says whether a connection is busy from now on; was is its own mark.
func (a *activity) conn(was *atomic.Bool, busy bool) {
	if was.Swap(busy) == busy {
		return
	}
	if busy {
		a.busy.Add(1)
		return
	}
	a.busy.Add(-1)
	a.tell()
}

func (a *activity) all() int { return int(max(a.requests.Load(), 0) + max(a.streams.Load(), 0)) }

func (a *activity) tell() {
	if a.draining.Load() {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	}
}

// drain waits until all requests but the streams have ended, for so long at the most. shutdown has idle connections
// closed and no more requests begun; it is called on a goroutine of its own, which ends with it.
func (a *activity) drain(within time.Duration, shutdown func(ctx context.Context)) {
	a.draining.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	down := make(chan struct{})
	go func() {
		defer close(down)
		shutdown(ctx)
	}()
	a.await(within, func() bool { return a.requests.Load() <= 0 })
	cancel()
	<-down
}

// wait waits until all requests have ended and their responses are written, for so long at the most.
func (a *activity) wait(within time.Duration) {
	a.await(within, func() bool { return a.requests.Load() <= 0 && a.streams.Load() <= 0 && a.busy.Load() <= 0 })
	a.draining.Store(false)
}

func (a *activity) await(within time.Duration, over func() bool) {
	var late <-chan time.Time
	if within != NoTimeout {
		t := time.NewTimer(within)
		defer t.Stop()
		late = t.C
	}
	for !over() {
		select {
		case <-a.changed:
		case <-late:
			return
		}
	}
}
