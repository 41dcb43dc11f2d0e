package demo

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPlainProgressIsOneLiveLineASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newProgress(&b, 0)
		p.line("begins")
		for range 30 {
			p.live("children %d", 7)
			time.Sleep(100 * time.Millisecond)
		}
		p.close()
		if got := strings.Count(b.String(), "\n"); got != 4 || strings.Contains(b.String(), "\x1b") {
			t.Errorf("%d lines in three seconds, want the first and three plain live ones:\n%q", got, b.String())
		}
	})
}

func TestTerminalProgressWritesOverItsLine(t *testing.T) {
	const width = 60
	var b bytes.Buffer
	p := newProgress(&b, width)
	p.live("one")
	p.live("%s", strings.Repeat("long ", 100))
	p.line("done")
	p.live("three")
	p.close()
	if strings.Count(b.String(), "\n") != 1 || !strings.HasSuffix(b.String(), clearLine) {
		t.Errorf("%q: want one line that stays and the cursor at the start of a clear one", b.String())
	}
	for part := range strings.SplitSeq(b.String(), clearLine) {
		if len(strings.TrimSuffix(part, "\n")) >= width {
			t.Errorf("a live line of %d bytes would wrap", len(part))
		}
	}
}
