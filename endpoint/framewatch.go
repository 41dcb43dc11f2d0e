package endpoint

import (
	"sync/atomic"
	"time"
)

// A frameWatch counts the resets of one HTTP/2 connection, those of the client and those that it forces from the server,
// against the budget of the endpoint. Reads belong to one goroutine and writes to another.
type frameWatch struct {
	in, out frameMeter
	budget  resetBudget
	most    *atomic.Int64 // resets within resetPeriod
	epoch   time.Time
}

// resetPeriod is the time that [Rates].Resets is about.
const resetPeriod = 10 * time.Second

func newFrameWatch(most *atomic.Int64) *frameWatch {
	return &frameWatch{out: frameMeter{direction: fromServer}, most: most, epoch: time.Now()}
}

// read sees what the client sent, and reports whether it is time to cut the connection.
func (f *frameWatch) read(p []byte) (tooMany bool) { return f.spend(f.in.pass(p)) }

// wrote sees what the server sends, and reports the same.
func (f *frameWatch) wrote(p []byte) (tooMany bool) { return f.spend(f.out.pass(p)) }

func (f *frameWatch) spend(resets int) (tooMany bool) {
	return resets > 0 && f.budget.spend(resets, time.Since(f.epoch), int(f.most.Load()), resetPeriod)
}
