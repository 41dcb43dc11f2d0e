package target

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/headcount-go/headcount/internal/attack"
)

// Process is a target that runs, from Start to Stop.
type Process struct {
	attack.Target
	// Cert is its certificate in PEM, for another process that connects to it; nil without TLS.
	Cert []byte

	page     string
	client   *http.Client
	cmd      *exec.Cmd
	lifeline io.WriteCloser
	words    tail
	exited   chan struct{} // closed when it has ended and was waited for

	stopWatch context.CancelFunc
	watched   sync.WaitGroup
	watch     watch
}

// startWithin bounds the start of a target.
const startWithin = 10 * time.Second

// Start starts a target in a process of its own, which is this program run once more, and returns when it can be
// connected to. The caller has to stop it.
func Start(kind Kind, withTLS, proxy bool) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(order{Kind: kind.Name, TLS: withTLS, Proxy: proxy})
	if err != nil {
		return nil, err
	}
	p := &Process{
		cmd:    exec.Command(self),
		exited: make(chan struct{}),
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}},
	}
	p.cmd.Env = append(os.Environ(), Env+"="+string(raw))
	p.cmd.Stderr = &p.words
	if p.lifeline, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	timeout := time.AfterFunc(startWithin, p.kill)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	timeout.Stop()
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}()
	var said hello
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err == nil {
		p.Target.TLS, err = clientConfig(said.Cert)
	}
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("the target did not start: %w %s", err, p.words.String())
	}
	p.Target.Addr, p.Cert, p.page = said.Addr, said.Cert, said.Page

	ctx, cancel := context.WithCancel(context.Background())
	p.stopWatch = cancel
	p.watch.init(p)
	p.watched.Go(func() { p.watch.run(ctx) })
	return p, nil
}

// Pid is its process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// kill does nothing to a process that has ended.
func (p *Process) kill() { _ = p.cmd.Process.Kill() }

// Exited reports whether it has ended, by itself or because it went past a ceiling.
func (p *Process) Exited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.exited }

// Fallen says why it has ended, "" while it runs.
func (p *Process) Fallen() string {
	if !p.Exited() {
		return ""
	}
	if why := p.watch.why(); why != "" {
		return why
	}
	return "ended: " + p.words.firstOf("fatal error: ", "panic: ", p.cmd.ProcessState.String())
}

// Stop ends it and waits for its end.
func (p *Process) Stop() {
	if p.stopWatch != nil {
		p.stopWatch()
		p.watched.Wait()
	}
	p.kill()
	p.lifeline.Close()
	<-p.exited
	p.client.CloseIdleConnections()
}

// Inside reads the page of the target. collect has it collect garbage first.
func (p *Process) Inside(ctx context.Context, collect bool) (Inside, error) {
	query := ""
	if collect {
		query = "?collect=1"
	}
	return p.read(ctx, query)
}

// Begin forgets all peaks.
func (p *Process) Begin(ctx context.Context) error {
	p.watch.begin()
	_, err := p.read(ctx, "?begin=1")
	return err
}

func (p *Process) read(ctx context.Context, query string) (Inside, error) {
	var s Inside
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.page+"/debug"+query, nil)
	if err != nil {
		return s, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// tail keeps the end of what a process writes.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-tailSize):]...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// firstOf returns the first line that begins with one of the two words, or instead.
func (t *tail) firstOf(a, b, instead string) string {
	for line := range strings.Lines(t.String()) {
		if strings.HasPrefix(line, a) || strings.HasPrefix(line, b) {
			return strings.TrimSpace(line)
		}
	}
	return instead
}
