package endpoint

import (
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// errorLog is where net/http writes. What clients do wrong must not fill a disk: one line a second is passed on, with the
// number of those that were not. All of it is counted by the gates.
func (c *config) errorLog() *log.Logger {
	return log.New(&quietLog{to: c.logger}, "", 0)
}

type quietLog struct {
	to *slog.Logger

	mu struct {
		sync.Mutex
		last    time.Time
		skipped int
	}
}

// maxLogLine bounds what a client can put into a line.
const maxLogLine = 1024

func (l *quietLog) Write(p []byte) (int, error) {
	now := time.Now()
	l.mu.Lock()
	quiet := !l.mu.last.IsZero() && now.Sub(l.mu.last) < time.Second
	skipped := l.mu.skipped
	if quiet {
		l.mu.skipped++
	} else {
		l.mu.last, l.mu.skipped = now, 0
	}
	l.mu.Unlock()
	if !quiet {
		l.to.Warn("endpoint: net/http says", "text", strings.TrimSpace(string(p[:min(len(p), maxLogLine)])), "not_shown", skipped)
	}
	return len(p), nil
}
