// Package procwatch watches a process from outside: its memory and threads as the operating system counts them. It ends
// the process when it passes a ceiling, so that an application without limits does not take the machine with it.
package procwatch

import (
	"context"
	"sync"
	"time"
)

// Config describes a watch.
type Config struct {
	// Read takes a sample of the process.
	Read func() (Sample, error)
	// Ceiling is the resident memory in bytes above which End is called, once.
	Ceiling int64
	// End ends the process.
	End func()
	// Every is the time between two samples; 0 means 20 ms, in which a Go program that allocates as fast as it can
	// grows by some tens of megabytes.
	Every time.Duration
}

// Watcher keeps the peaks of a process. Safe for concurrent use.
type Watcher struct {
	cfg Config

	mu struct {
		sync.Mutex
		last, peak Sample
		ended      bool
		samples    int
	}
}

// New returns a watcher that has not yet looked.
func New(cfg Config) *Watcher {
	if cfg.Every <= 0 {
		cfg.Every = 20 * time.Millisecond
	}
	return &Watcher{cfg: cfg}
}

// Run samples until ctx is done or the ceiling was passed. A sample that cannot be taken is left out: the process may
// be about to end, which its owner learns by waiting for it.
func (w *Watcher) Run(ctx context.Context) {
	tick := time.NewTicker(w.cfg.Every)
	defer tick.Stop()
	for {
		if s, err := w.cfg.Read(); err == nil && w.note(s) {
			w.cfg.End()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// note takes a sample in and reports whether it is above the ceiling.
func (w *Watcher) note(s Sample) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.last = s
	w.mu.peak.RSS = max(w.mu.peak.RSS, s.RSS)
	w.mu.peak.Threads = max(w.mu.peak.Threads, s.Threads)
	w.mu.samples++
	w.mu.ended = w.mu.ended || s.RSS > w.cfg.Ceiling
	return w.mu.ended
}

// Begin forgets the peaks; the next ones count from the last sample on.
func (w *Watcher) Begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.peak = w.mu.last
}

// Last returns the newest sample.
func (w *Watcher) Last() Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.last
}

// Peak returns the highest values since Begin.
func (w *Watcher) Peak() Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.peak
}

// Ended reports whether the process was ended for its memory.
func (w *Watcher) Ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.ended
}

// Samples returns how often the watcher has looked with success. A peak of no sample proves nothing.
func (w *Watcher) Samples() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.samples
}
