package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe"
)

const secret = "a secret of the tests"

// A program is a small service with its page, as the commands meet it.
type program struct {
	app   *headcount.Supervisor
	jobs  *headcount.DynamicSupervisor
	users *headcount.KeyedSupervisor[string]
	page  *observe.Handler
	url   string
}

// start runs a program that a token lets in, which the environment of the test has.
func start(t *testing.T, opts ...observe.Option) *program {
	t.Helper()
	t.Setenv("HEADCOUNT_TOKEN", secret)
	quiet := slog.New(slog.DiscardHandler)
	p := &program{}
	p.jobs = headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4, headcount.Ceiling(100)), headcount.Gates(headcount.NewGate("rate", 9, nil)))
	p.users = headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50), headcount.MaxPerKey(3))
	p.app = headcount.NewSupervisor("shop", headcount.SupervisorConfig{Logger: quiet}, p.jobs, p.users)
	p.page = observe.NewHandler("page", p.app, append([]observe.Option{observe.Token("ann", secret), observe.Logger(quiet)}, opts...)...)
	for _, s := range []*headcount.Supervisor{p.app, p.page.Supervisor()} {
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/ops/", http.StripPrefix("/ops", p.page))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL + "/ops"
	return p
}

// fill has n jobs run.
func (p *program) fill(t *testing.T, n int) {
	t.Helper()
	for range n {
		if _, err := p.jobs.Go(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// A lockedBuffer is read while a command writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A result is what came of a command line.
type result struct {
	status   int
	out, err string
}

// command runs a command line; URL in it is the program's.
func (p *program) command(t *testing.T, stdin, line string, more ...string) result {
	t.Helper()
	var out, errOut lockedBuffer
	root := rootCommand()
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&errOut)
	args := strings.Fields(strings.ReplaceAll(line, "URL", p.url))
	status := execute(t.Context(), root, append(args, more...))
	return result{status, out.String(), errOut.String()}
}

// has checks the status, and that the output and the errors have these words.
func (r result) has(t *testing.T, status int, words ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d", r.status, status)
	}
	for _, w := range words {
		if !strings.Contains(r.out+r.err, w) {
			t.Errorf("no %q", w)
		}
	}
	if t.Failed() {
		t.Logf("output:\n%s\nerrors:\n%s", r.out, r.err)
	}
}
