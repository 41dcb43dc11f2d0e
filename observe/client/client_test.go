package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/leak"
	"github.com/headcount-go/headcount/observe"
	"github.com/headcount-go/headcount/observe/wire"
)

func TestMain(m *testing.M) { leak.Main(m) }

const secret = "a secret of the tests"

type program struct {
	app   *headcount.Supervisor
	jobs  *headcount.DynamicSupervisor
	users *headcount.KeyedSupervisor[string]
	page  *observe.Handler
}

// start runs a small service and a handler of its page.
func start(t *testing.T, opts ...observe.Option) *program {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	p := &program{}
	p.jobs = headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(4, headcount.Ceiling(100)))
	p.users = headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(50), headcount.MaxPerKey(3))
	p.app = headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet}, p.jobs, p.users)
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
	return p
}

func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func connect(t *testing.T, address string, cfg Config) *Client {
	t.Helper()
	c, err := New(address, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func TestTheClientAsksTheAPIUnderAnyPrefix(t *testing.T) {
	p := start(t)
	mux := http.NewServeMux()
	mux.Handle("/ops/page/", http.StripPrefix("/ops/page", p.page))
	url := serve(t, mux)
	for _, address := range []string{url + "/ops/page/", url + "/ops/page", strings.TrimPrefix(url, "http://") + "/ops/page", url + "/ops/page/api/v1/"} {
		tree, err := connect(t, address, Config{Token: secret}).Tree(t.Context())
		if err != nil || tree.Root != "app" || len(tree.Rows) != 3 {
			t.Errorf("%s: tree %+v, error %v", address, tree, err)
		}
	}
}

func TestEachCallGetsWhatTheProgramHas(t *testing.T) {
	p := start(t, observe.AllowChanges())
	c := connect(t, serve(t, p.page), Config{Token: secret})
	for range 2 {
		if _, err := p.users.At("bob").Go(t.Context(), untilStopped); err != nil {
			t.Fatal(err)
		}
	}
	node, err := c.Node(t.Context(), "app/users")
	if err != nil || node.Started != 2 || !node.Keyed {
		t.Errorf("node %+v, error %v", node, err)
	}
	keys, err := c.TopKeys(t.Context(), "app/users", 5)
	if err != nil || len(keys.Keys) != 1 || keys.Keys[0].Count != 2 {
		t.Errorf("keys %+v, error %v", keys, err)
	}
	all, err := c.Limits(t.Context(), "")
	if err != nil || len(all.Supervisors) != 3 || all.Supervisors[1].Path != "app/jobs" || all.Supervisors[1].Kind != "dynamic_supervisor" || all.Supervisors[1].Limits[0].Ceiling != 100 {
		t.Errorf("limits %+v, error %v", all, err)
	}
	one, err := c.Limits(t.Context(), "app/users")
	if err != nil || len(one.Supervisors) != 1 || len(one.Supervisors[0].Limits) != 2 {
		t.Errorf("limits of one %+v, error %v", one, err)
	}
	value, was := wire.Value(1), wire.Value(3)
	change := wire.LimitChange{Path: "app/users", Limit: "max_per_key", Value: &value, Expected: &was, Why: "a test", Source: "command"}
	preview, err := c.Preview(t.Context(), change)
	if err != nil || preview.KeysAbove != 1 || !preview.Allowed {
		t.Errorf("preview %+v, error %v", preview, err)
	}
	entry, err := c.SetLimit(t.Context(), change)
	if err != nil || entry.By != "ann" || entry.From != 3 || p.users.MaxPerKey().Snapshot().InForce != 1 {
		t.Errorf("entry %+v, error %v", entry, err)
	}
	problem := (*wire.Problem)(nil)
	if _, err := c.SetLimit(t.Context(), change); !errors.As(err, &problem) || problem.Code != "conflict" || problem.Status != http.StatusConflict {
		t.Errorf("the second change: %v", err)
	}
	for range 100 { // the page hears of an event when it comes to it
		log, err := c.Log(t.Context(), "app/users", 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(log.Events) > 0 && log.Events[0].Type == "LimitChanged" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the log has no change of the limit")
}

func TestWhatTheAPIRefusesIsAProblem(t *testing.T) {
	p := start(t)
	url := serve(t, p.page)
	value := wire.Value(1)
	for name, c := range map[string]struct {
		ask    func() error
		status int
		code   string
	}{
		"no token": {func() error { _, err := connect(t, url, Config{}).Tree(t.Context()); return err }, 401, "unauthorized"},
		"unknown path": {func() error {
			_, err := connect(t, url, Config{Token: secret}).Node(t.Context(), "app/jbos")
			return err
		}, 404, "not-found"},
		"read-only": {func() error {
			_, err := connect(t, url, Config{Token: secret}).SetLimit(t.Context(), wire.LimitChange{Path: "app/jobs", Limit: "max_children", Value: &value})
			return err
		}, 403, "read-only"},
	} {
		problem := (*wire.Problem)(nil)
		if err := c.ask(); !errors.As(err, &problem) || problem.Status != c.status || problem.Code != c.code || problem.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNotTheAPIIsToldApart(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(secure.Close)
	answer := func(kind, text string, status int) string {
		return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}))
	}
	for name, c := range map[string]struct{ url, want string }{
		"a web site":        {answer("text/html", "<html>", 200), `200 OK with "text/html"`},
		"nothing there":     {serve(t, http.NotFoundHandler()), "404 Not Found"},
		"another API":       {answer("application/json", `{"id":5}`, 200), "cannot be read"},
		"one like it":       {answer("application/json", `{"rows":[]}`, 200), "no tree"},
		"another's problem": {answer("application/problem+json", `{"type":"about:blank"}`, 400), "400 Bad Request"},
		"a login page":      {serve(t, http.RedirectHandler("https://login.example/sign-in", http.StatusFound)), "leads to https://login.example/sign-in"},
		"TLS":               {strings.Replace(secure.URL, "https", "http", 1), "use https://"},
	} {
		_, err := connect(t, c.url, Config{Token: secret}).Tree(t.Context())
		other := (*NotAPIError)(nil)
		if !errors.As(err, &other) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.url) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestWhatCannotBeReachedIsToldWithItsAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	hung := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		ctx           context.Context
		address, want string
	}{{t.Context(), address, "refused"}, {ctx, hung, "enough"}, {t.Context(), "unix:" + filepath.Join(t.TempDir(), "none"), "no such file"}} {
		_, err := connect(t, c.address, Config{}).Tree(c.ctx)
		unreached := (*ConnectError)(nil)
		if !errors.As(err, &unreached) || !strings.HasPrefix(err.Error(), "cannot reach "+c.address+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.address, err)
		}
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for address, want := range map[string]string{
		"ftp://host":             "must be http:// or https://",
		"http://":                "has no host",
		"unix:":                  "names no socket",
		"http://host/?path=x":    "more than a host and a path",
		"http://ann:secret@host": "has a password in it",
		"http://ho st":           "cannot be read",
		"":                       "has no host",
	} {
		if _, err := New(address, Config{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		block := []byte(strings.Repeat(" ", 1<<20))
		for range maxAnswer/len(block) + 1 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	if _, err := connect(t, url, Config{}).Tree(t.Context()); err == nil || !strings.Contains(err.Error(), "more than 67108864 bytes") {
		t.Errorf("error %v", err)
	}
}

func TestATokenDoesNotFollowARedirect(t *testing.T) {
	got := make(chan string, 1)
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r.Header.Get("Authorization") }))
	url := serve(t, http.RedirectHandler(other, http.StatusTemporaryRedirect))
	_, err := connect(t, url, Config{Token: secret}).Tree(t.Context())
	select {
	case token := <-got:
		t.Errorf("the other server got %q", token)
	default:
	}
	if err == nil {
		t.Error("the redirect is no error")
	}
}

func TestTLSIsCheckedByTheGivenAuthority(t *testing.T) {
	p := start(t)
	server := httptest.NewUnstartedServer(p.page)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	if tree, err := connect(t, server.URL, Config{Token: secret, TLS: &tls.Config{RootCAs: pool}}).Tree(t.Context()); err != nil || tree.Root != "app" {
		t.Errorf("error %v", err)
	}
	unknown := (*tls.CertificateVerificationError)(nil)
	if _, err := connect(t, server.URL, Config{Token: secret}).Tree(t.Context()); !errors.As(err, &unknown) {
		t.Errorf("an unknown authority: %v", err)
	}
}

func TestAPageOnASocketIsReached(t *testing.T) {
	p := start(t)
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip("no sockets of this kind:", err)
	}
	server := httptest.NewUnstartedServer(p.page)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	if tree, err := connect(t, "unix:"+socket, Config{Token: secret}).Tree(t.Context()); err != nil || tree.Root != "app" {
		t.Errorf("error %v", err)
	}
}
