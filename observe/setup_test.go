package observe

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

const secret = "a secret of the tests"

// A bundle is a small service and a page of it.
type bundle struct {
	t     *testing.T
	app   *headcount.Supervisor
	jobs  *headcount.DynamicSupervisor
	users *headcount.KeyedSupervisor[string]
	gate  *headcount.Gate
	page  *Handler
	url   string
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// setup starts a service and its page, mounted below /x/.
func setup(t *testing.T, opts ...Option) *bundle {
	t.Helper()
	b := &bundle{t: t, gate: headcount.NewGate("rate", 9, nil)}
	b.jobs = headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4, headcount.Ceiling(100)), headcount.Gates(b.gate))
	b.users = headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50), headcount.MaxPerKey(3))
	b.app = headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()},
		headcount.ChildSpec{Name: "store", Run: untilStopped}, b.jobs, b.users)
	b.page = NewHandler("page", b.app, append([]Option{Token("ann", secret), Logger(quiet())}, opts...)...)
	b.start(b.app)
	b.start(b.page.Supervisor())
	mux := http.NewServeMux()
	mux.Handle("/x/", http.StripPrefix("/x", b.page))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url = server.URL + "/x/"
	return b
}

func (b *bundle) start(s *headcount.Supervisor) {
	b.t.Helper()
	if err := s.Start(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			b.t.Error(err)
		}
	})
}

// fillJobs has n jobs run.
func (b *bundle) fillJobs(n int) {
	b.t.Helper()
	for range n {
		if _, err := b.jobs.Go(b.t.Context(), untilStopped); err != nil {
			b.t.Fatal(err)
		}
	}
}

// ask makes a request; body nil is a GET.
func (b *bundle) ask(path string, body any, change ...func(*http.Request)) (int, http.Header, string) {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.url+path, nil)
	if body != nil {
		text, isText := body.(string)
		if !isText {
			raw, err := json.Marshal(body)
			if err != nil {
				b.t.Fatal(err)
			}
			text = string(raw)
		}
		r, err = http.NewRequest("POST", b.url+path, strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	for _, f := range change {
		f(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// get asks for something that must succeed.
func get[T any](b *bundle, path string, body any) (v T) {
	b.t.Helper()
	status, _, text := b.ask(path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, status, text)
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.t.Fatalf("%s: %v in %s", path, err, text)
	}
	return v
}

// refused asks for something that must fail with this status and code.
func (b *bundle) refused(path string, body any, status int, code string, change ...func(*http.Request)) problem {
	b.t.Helper()
	got, head, text := b.ask(path, body, change...)
	var p problem
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		b.t.Fatalf("%s: %v in %s", path, err, text)
	}
	if got != status || p.Status != status || p.Code != code || p.Title == "" || p.Detail == "" || p.Type != "urn:headcount:problem:"+code {
		b.t.Errorf("%s: %d %s, want %d %s", path, got, text, status, code)
	}
	if kind := head.Get("Content-Type"); kind != "application/problem+json" {
		b.t.Errorf("%s: the problem is %s", path, kind)
	}
	return p
}

func limitTo(name string, n int) wire.LimitChange {
	v := wire.Value(n)
	path := "app/jobs"
	if name == "max_per_key" {
		path = "app/users"
	}
	return wire.LimitChange{Path: path, Limit: name, Value: &v, Why: "a test"}
}

func (b *bundle) eventually(holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("it does not come to hold within ten seconds")
		}
	}
}
