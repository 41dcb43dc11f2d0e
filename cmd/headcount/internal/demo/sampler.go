package demo

import (
	"context"
	"sync"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

// sampler asks the application several times a second what it counts inside, over one connection that it keeps.
type sampler struct {
	client *api.Client

	mu struct {
		sync.Mutex
		last       api.Inside
		at         time.Time // of last
		children   int       // peaks since begin
		goroutines int
		unanswered int
		before     api.Inside // when this stretch began, for what is only counted up
	}
}

const (
	sampleEvery  = 100 * time.Millisecond
	sampleWithin = 2 * time.Second
)

func newSampler(addr string) *sampler { return &sampler{client: api.New(addr, 1)} }

// run samples until ctx is done.
func (s *sampler) run(ctx context.Context) {
	defer s.client.Close()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		s.sample(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sample asks once.
func (s *sampler) sample(ctx context.Context) (api.Inside, error) {
	ask, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	in, err := s.client.Inside(ask)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			s.mu.unanswered++
		}
		return in, err
	}
	s.mu.last, s.mu.at = in, time.Now()
	s.mu.children = max(s.mu.children, in.Children())
	s.mu.goroutines = max(s.mu.goroutines, in.Goroutines)
	return in, nil
}

// begin forgets the peaks.
func (s *sampler) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.children, s.mu.goroutines = s.mu.last.Children(), s.mu.last.Goroutines
	s.mu.unanswered = 0
	s.mu.before = s.mu.last
}

// last returns the newest answer, and false if it is older than d.
func (s *sampler) last(d time.Duration) (api.Inside, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.last, time.Since(s.mu.at) <= d
}

// measure writes down what is known since begin.
func (s *sampler) measure(side *report.Side) {
	s.mu.Lock()
	defer s.mu.Unlock()
	side.PeakChildren, side.PeakGoroutines, side.Unanswered = s.mu.children, s.mu.goroutines, s.mu.unanswered
	side.Refused = s.mu.last.RefusedSince(s.mu.before)
	side.Restarts = s.mu.last.Restarts - s.mu.before.Restarts
}
