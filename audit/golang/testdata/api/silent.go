package main

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/headcount-go/headcount"
)

type calm struct {
	*server
	once    sync.Once
	started bool
	running atomic.Bool
	refresh sync.Mutex
	phase   atomic.Int32
	active  atomic.Int64
	cache   *cache
	jobs    *headcount.DynamicSupervisor
}

type cache struct{ stop chan struct{} }

func (c *cache) sweep() { <-c.stop }

func quiet(mux *http.ServeMux, s *server) {
	c := &calm{server: s, jobs: headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(8))}
	// Started by the program, not by a request.
	go c.heartbeat()
	mux.HandleFunc("/joined", c.joined)
	mux.HandleFunc("/result", c.result)
	mux.HandleFunc("/lazy", c.lazy)
	mux.HandleFunc("/flag", c.flag)
	mux.HandleFunc("/swap", c.swap)
	mux.HandleFunc("/bind", c.bind)
	mux.HandleFunc("/most", c.most)
	mux.HandleFunc("/refresh", c.refreshed)
	mux.HandleFunc("/child", c.child)
	mux.HandleFunc("/same", c.sameGoroutine)
}

func (c *calm) heartbeat() {}

func (c *calm) joined(w http.ResponseWriter, r *http.Request) {
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { defer wg.Done(); c.mail.send("a") }()
	go func() { defer wg.Done(); c.mail.send("b") }()
	wg.Wait()
}

func (c *calm) result(w http.ResponseWriter, r *http.Request) {
	done := make(chan error, 1)
	go func() { done <- nil }()
	if err := <-done; err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (c *calm) lazy(w http.ResponseWriter, r *http.Request) {
	c.once.Do(func() { go c.heartbeat() })
}

func (c *calm) flag(w http.ResponseWriter, r *http.Request) {
	if !c.started {
		c.started = true
		go c.heartbeat()
	}
	if c.cache == nil {
		c.cache = &cache{stop: make(chan struct{})}
		go c.cache.sweep()
	}
}

const (
	idle int32 = iota
	busy
	again
)

func (c *calm) state() int32     { return c.phase.Load() }
func (c *calm) setState(n int32) { c.phase.Store(n) }

// A state that only one can leave.
func (c *calm) bind(w http.ResponseWriter, r *http.Request) {
	switch state := c.state(); {
	case state == idle:
		c.setState(busy)
	case state == again && r.Method == http.MethodPost:
		c.setState(busy)
	default:
		return
	}
	go c.heartbeat()
}

func (c *calm) swap(w http.ResponseWriter, r *http.Request) {
	if c.running.CompareAndSwap(false, true) {
		go func() {
			defer c.running.Store(false)
			c.heartbeat()
		}()
	}
}

func (c *calm) most(w http.ResponseWriter, r *http.Request) {
	if c.active.Add(1) > 100 {
		c.active.Add(-1)
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	go func() {
		defer c.active.Add(-1)
		c.heartbeat()
	}()
}

// One at a time: who does not get the lock leaves it to the other.
func (c *calm) refreshed(w http.ResponseWriter, r *http.Request) {
	if c.refresh.TryLock() {
		go func() {
			defer c.refresh.Unlock()
			c.heartbeat()
		}()
	}
}

func (c *calm) child(w http.ResponseWriter, r *http.Request) {
	c.jobs.Do(r.Context(), func(ctx context.Context) error {
		c.pair()
		return nil
	})
}

// The start is under the limit of what calls it.
func (c *calm) pair() {
	go c.heartbeat()
}

func (c *calm) sameGoroutine(w http.ResponseWriter, r *http.Request) {
	func() { c.mail.send("no goroutine") }()
}
