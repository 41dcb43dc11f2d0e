package target

import (
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Main()
	goleak.VerifyTestMain(m)
}

func start(t *testing.T, withTLS bool) *Process {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes are watched by /proc")
	}
	p, err := Start(plain, withTLS, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func TestTargetServesInAProcessOfItsOwn(t *testing.T) {
	for _, withTLS := range []bool{false, true} {
		p := start(t, withTLS)
		if p.Pid() == os.Getpid() {
			t.Fatal("it is this process")
		}
		transport := &http.Transport{TLSClientConfig: p.TLS}
		scheme := "http://"
		if withTLS {
			scheme = "https://"
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+p.Addr+"/hello?n=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		transport.CloseIdleConnections()
		inside, err := p.Inside(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if inside.Entered != 1 || inside.PeakHandlers != 1 || inside.Goroutines < 3 || inside.Heap == 0 {
			t.Errorf("the page says %+v after one request", inside)
		}
		s, err := ReadSample(p.Pid())
		if err != nil || s.RSS < 1<<20 || s.Descriptors < 4 {
			t.Errorf("the system says %+v, %v", s, err)
		}
	}
}

func TestFallenSaysWhy(t *testing.T) {
	p := start(t, false)
	if why := p.Fallen(); why != "" {
		t.Errorf("fallen while it runs: %s", why)
	}
	p.watch.note(Sample{RSS: MemoryCeiling + 1})
	p.kill()
	<-p.Ended()
	if why := p.Fallen(); !strings.Contains(why, "MiB") {
		t.Errorf("why = %q, want the memory", why)
	}
}

func TestTargetEndsWhenItsStarterIsGone(t *testing.T) {
	p := start(t, false)
	p.lifeline.Close()
	select {
	case <-p.Ended():
	case <-time.After(10 * time.Second):
		t.Error("it runs on")
	}
}

func TestCountsKeepPeaksUntilTheNextBegin(t *testing.T) {
	var c Counts
	c.enter("a")
	c.enter("a")
	c.enter("b")
	c.leave("a")
	if got := c.Now(); got.Handlers != 2 || got.PeakHandlers != 3 || got.PeakPerAddress != 2 || got.Entered != 3 {
		t.Errorf("%+v", got)
	}
	c.begin()
	if got := c.Now(); got.PeakHandlers != 2 || got.PeakPerAddress != 1 {
		t.Errorf("after begin: %+v", got)
	}
	c.leave("a")
	c.leave("b")
	if len(c.from) != 0 {
		t.Errorf("addresses without requests are kept: %v", c.from)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var words tail
	for range 3 {
		_, _ = words.Write([]byte(strings.Repeat("x", tailSize)))
	}
	_, _ = words.Write([]byte("\nfatal error: out of memory\n"))
	if n := len(words.String()); n != tailSize {
		t.Errorf("%d bytes kept, want %d", n, tailSize)
	}
	if got := words.firstOf("fatal error: ", "panic: ", "nothing"); got != "fatal error: out of memory" {
		t.Errorf("first = %q", got)
	}
}
