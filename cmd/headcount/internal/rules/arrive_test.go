package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/demo"
	"github.com/headcount-go/headcount/cmd/headcount/internal/token"
	"github.com/headcount-go/headcount/examples/myapp/app"
)

// realApp makes the test program the example application.
const realApp = "myapp"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == realApp {
		go demo.Lifeline(os.Stdin)
		os.Exit(app.Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// minutes are the times in the rules that are to be seconds, so that nobody has to wait. Names such as rate5m stay.
var minutes = regexp.MustCompile(`\b(\d+)m\b`)

// hurried makes a minute last a second.
func hurried(f File) File {
	hurry := func(s string) string {
		return minutes.ReplaceAllString(strings.ReplaceAll(strings.ReplaceAll(s, "1h", "60m"), "3600", "60"), "${1}s")
	}
	for _, g := range f.Groups {
		for i := range g.Rules {
			r := &g.Rules[i]
			r.Expr, r.For, r.KeepFiringFor = hurry(r.Expr), hurry(r.For), hurry(r.KeepFiringFor)
		}
	}
	return f
}

// An inbox is a webhook as Alertmanager calls it.
type inbox struct {
	sync.Mutex
	seen map[string]map[string]string // "firing HeadcountFull myapp/users" -> annotations
	news chan struct{}
}

func (i *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var message struct {
		Alerts []struct {
			Status              string
			Labels, Annotations map[string]string
		}
	}
	if json.NewDecoder(r.Body).Decode(&message) != nil {
		return
	}
	i.Lock()
	for _, a := range message.Alerts {
		i.seen[a.Status+" "+a.Labels["alertname"]+" "+a.Labels["supervisor"]] = a.Annotations
	}
	i.Unlock()
	select {
	case i.news <- struct{}{}:
	default:
	}
}

// await gives the annotations of an alert once it has arrived.
func (i *inbox) await(t *testing.T, within time.Duration, what string) map[string]string {
	t.Helper()
	over := time.After(within)
	for {
		i.Lock()
		annotations, arrived := i.seen[what]
		var all []string
		for key := range i.seen {
			all = append(all, key)
		}
		i.Unlock()
		if arrived {
			return annotations
		}
		select {
		case <-i.news:
		case <-over:
			t.Fatalf("%s has not arrived within %v; what has: %q", what, within, all)
		}
	}
}

// run runs a program until the test ends, and shows what it said if that has failed.
func run(t *testing.T, env []string, command string, args ...string) {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, said, said
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = lifeline.Close()
		_ = cmd.Wait()
		_ = said.Close()
		if text, err := os.ReadFile(said.Name()); t.Failed() && err == nil {
			t.Logf("%s said:\n%s", filepath.Base(command), text[max(0, len(text)-4096):])
		}
	})
}

// freeAddr is an address of this machine that nobody listens on now.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// awaitOK waits until the address answers.
func awaitOK(t *testing.T, url string) {
	t.Helper()
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := client.Get(url)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", url, err)
		}
	}
}

// awaitText waits until there is something in the file.
func awaitText(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(path)
		if found := strings.TrimSpace(string(text)); err == nil && found != "" {
			return found
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing in %s: %v", path, err)
		}
	}
}

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The whole way: the example application in a process of its own, attacked over real sockets, scraped by Prometheus, which
// evaluates the rules that headcount rules prints, and Alertmanager, which calls a webhook.
func TestAnAttackArrivesAtTheWebhookAsAnAlertAndIsResolved(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some twenty seconds")
	}
	for _, name := range []string{"prometheus", "prometheus-alertmanager"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not installed: the Debian packages prometheus and prometheus-alertmanager have what is needed")
		}
	}
	dir, secret := t.TempDir(), token.NewSecret()
	hook := &inbox{seen: map[string]map[string]string{}, news: make(chan struct{}, 1)}
	server := httptest.NewServer(hook)
	t.Cleanup(server.Close)
	metrics, prometheus, manager := freeAddr(t), freeAddr(t), freeAddr(t)

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	addrFile := filepath.Join(dir, "addr")
	run(t, append(os.Environ(), "MYAPP_SECRET="+secret), self, realApp, "serve", "-addr", "127.0.0.1:0", "-addr-file", addrFile,
		"-metrics-addr", metrics, "-data", filepath.Join(dir, "data"), "-max-users", "20", "-max-conns", "500",
		// The attackers all come from one address, and it is the users' limit that is to be seen.
		"-max-conns-per-client", "unlimited", "-max-conns-per-prefix", "unlimited", "-max-requests-per-client", "unlimited",
		"-conn-rate", "unlimited", "-request-rate", "unlimited")

	run(t, nil, "prometheus-alertmanager", "--config.file="+put(t, filepath.Join(dir, "alertmanager.yaml"), fmt.Sprintf(`
route: {receiver: hook, group_by: [alertname, supervisor], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: "%s"}]}]
`, server.URL)), "--storage.path="+filepath.Join(dir, "alertmanager"), "--web.listen-address="+manager, "--cluster.listen-address=")

	rules, _ := write(t, dir, hurried(For(Any, Defaults())))
	awaitOK(t, "http://"+metrics+"/metrics")
	awaitOK(t, "http://"+manager+"/-/ready")
	run(t, nil, "prometheus", "--config.file="+put(t, filepath.Join(dir, "prometheus.yaml"), fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%s]
alerting: {alertmanagers: [{static_configs: [{targets: ["%s"]}]}]}
scrape_configs: [{job_name: myapp, static_configs: [{targets: ["%s"]}]}]
`, rules, manager, metrics)), "--storage.tsdb.path="+filepath.Join(dir, "prometheus"), "--web.listen-address="+prometheus)
	awaitOK(t, "http://"+prometheus+"/-/ready")
	addr := awaitText(t, addrFile)

	ctx, end := context.WithCancel(t.Context())
	defer end()
	var tally attack.Tally
	var attacker sync.WaitGroup
	began := time.Now()
	attacker.Go(func() {
		attack.WebsocketsOfNewUsers(6000).Run(ctx, attack.Target{
			Addr: addr,
			// New users would leave the headroom of proven ones free.
			Token: func(user string) string { return token.Make(secret, user, true, time.Now().Add(time.Hour)) },
		}, time.Minute, &tally)
	})
	defer attacker.Wait()
	defer end()

	const within = time.Minute
	for _, name := range []string{"HeadcountNearLimit", "HeadcountFull", "HeadcountRefusing"} {
		annotations := hook.await(t, within, "firing "+name+" myapp/users")
		t.Logf("%s arrived after %v: %s", name, time.Since(began).Round(time.Second), annotations["description"])
		if annotations["runbook_url"] != Runbook+"#"+strings.ToLower(name) {
			t.Errorf("%s leads to %q", name, annotations["runbook_url"])
		}
	}
	end()
	attacker.Wait()
	c := tally.Counts()
	if c.HeldPeak == 0 || c.HeldPeak > 20 || c.RefusedTotal() == 0 {
		t.Errorf("the attacker held %d at once and was refused %d times, want at most 20 and some", c.HeldPeak, c.RefusedTotal())
	}
	hook.await(t, within, "resolved HeadcountFull myapp/users")
	t.Logf("resolved after %v", time.Since(began).Round(time.Second))
}
