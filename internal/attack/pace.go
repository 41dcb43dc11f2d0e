package attack

import (
	"context"
	"sync"
	"time"
)

// pace keeps the writers of an attack together below a number of bytes a second: each takes the next stretch of time that is
// as long as its bytes are worth, and waits until that stretch begins. Time that nobody used is lost, so that there
// is no burst above burst bytes.
type pace struct {
	perSecond int

	mu   sync.Mutex
	next time.Time // when the next stretch may begin
}

// pieces bounds what one turn takes, so that a large write does not keep the small ones of others waiting.
const pieces = 16 << 10

// burst is how much unused time may be made up for: timers are late by about a millisecond.
const burst = 20 * time.Millisecond

// spend waits until n bytes may be sent.
func (p *pace) spend(ctx context.Context, n int) error {
	worth := time.Duration(float64(n) / float64(p.perSecond) * float64(time.Second))
	now := time.Now()
	p.mu.Lock()
	if earliest := now.Add(-burst); p.next.Before(earliest) {
		p.next = earliest
	}
	begin := p.next
	p.next = begin.Add(worth)
	p.mu.Unlock()
	return sleep(ctx, begin.Sub(now))
}

// sleep waits for d, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
