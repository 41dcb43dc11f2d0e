package honest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// outcome is what became of one request.
type outcome struct {
	intended time.Time
	lag      time.Duration // from the intended time until the request was really begun
	latency  time.Duration // from the intended time
	done     bool
	failure  string // "" for the right answer in time
}

// journal keeps the outcomes in the order of their intended times.
type journal struct {
	mu  sync.Mutex
	all []*outcome
}

// plan enters a request; the returned functions say that it begins, and how it ended.
func (j *journal) plan(intended time.Time) (begun func(), done func(error)) {
	o := &outcome{intended: intended}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all = append(j.all, o)
	begun = func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		o.lag = time.Since(intended)
	}
	return begun, func(err error) {
		j.mu.Lock()
		defer j.mu.Unlock()
		o.done, o.latency, o.failure = true, time.Since(intended), kindOf(err)
	}
}

// statusError is an answer with another status than 200.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// kindOf reduces an error to one of few texts, so that a thousand failures can be counted.
func kindOf(err error) string {
	var netErr net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, errBacklog), errors.Is(err, errWrong):
		return err.Error()
	}
	var status statusError
	if errors.As(err, &status) {
		return status.Error()
	}
	return "connection lost"
}

// Summary is how the requests of a stretch of time went.
type Summary struct {
	Planned, Right, Pending int
	P50, P99                time.Duration // from the intended times; what failed counts as no faster than the patience
	// Lag is the p99 of how late the requests were begun: what the machine, and not the service, is to blame for.
	Lag      time.Duration
	Failures map[string]int // by kind
}

// Success is the share of right answers, 1 where nothing was planned.
func (s Summary) Success() float64 {
	if s.Planned == 0 {
		return 1
	}
	return float64(s.Right) / float64(s.Planned)
}

// Between sums up the requests with an intended time from from until before to.
func (c *Crowd) Between(from, to time.Time) Summary {
	s := Summary{Failures: make(map[string]int)}
	var latencies, lags []time.Duration
	c.journal.mu.Lock()
	for _, o := range c.journal.all {
		if o.intended.Before(from) || !o.intended.Before(to) {
			continue
		}
		s.Planned++
		lags = append(lags, o.lag)
		switch {
		case !o.done:
			s.Pending++
			latencies = append(latencies, max(time.Since(o.intended), c.cfg.Patience))
		case o.failure != "":
			s.Failures[o.failure]++
			latencies = append(latencies, max(o.latency, c.cfg.Patience))
		default:
			s.Right++
			latencies = append(latencies, o.latency)
		}
	}
	c.journal.mu.Unlock()
	slices.Sort(latencies)
	slices.Sort(lags)
	s.Lag = percentile(lags, 99)
	s.P50, s.P99 = percentile(latencies, 50), percentile(latencies, 99)
	return s
}

// percentile returns the smallest value that p of a hundred values do not exceed, by nearest rank.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
