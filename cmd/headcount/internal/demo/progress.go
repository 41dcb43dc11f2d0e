package demo

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows what goes on: on a terminal as one line that is written over, elsewhere as plain lines, fewer of them.
type progress struct {
	width int // of the terminal, 0 where there is none
	began time.Time

	mu struct {
		sync.Mutex
		out   io.Writer
		shown time.Time // when the last plain live line was written
		open  bool      // the terminal's line is not ended yet
	}
}

const (
	plainEvery    = time.Second
	terminalEvery = 200 * time.Millisecond
	// clearLine returns to the start of the line and erases it.
	clearLine = "\r\x1b[2K"
)

func newProgress(out io.Writer, width int) *progress {
	p := &progress{width: width, began: time.Now()}
	p.mu.out = out
	return p
}

// line writes a line that stays.
func (p *progress) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLive()
	fmt.Fprintf(p.mu.out, "%s  %s\n", p.clock(), fmt.Sprintf(format, args...))
}

// live shows the state of something that goes on.
func (p *progress) live(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s    %s", p.clock(), fmt.Sprintf(format, args...))
	if p.width > 0 {
		// A line that wraps cannot be written over.
		fmt.Fprint(p.mu.out, clearLine, text[:min(len(text), p.width-1)])
		p.mu.open = true
		return
	}
	if time.Since(p.mu.shown) < plainEvery {
		return
	}
	p.mu.shown = time.Now()
	fmt.Fprintln(p.mu.out, text)
}

// close leaves the terminal at the start of a line.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLive()
}

func (p *progress) endLive() {
	if p.mu.open {
		fmt.Fprint(p.mu.out, clearLine)
		p.mu.open = false
	}
}

func (p *progress) clock() string {
	return fmt.Sprintf("%5.1fs", time.Since(p.began).Seconds())
}
