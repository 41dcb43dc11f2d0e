package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asService makes the test binary the service.
const asService = "MYAPP_TEST_AS_SERVICE"

// process is the service in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	page   string
	stderr lockedBuffer
}

func launch(t *testing.T, args ...string) *process {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a process")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pageAddr := filepath.Join(dir, "page-addr")
	p := &process{t: t}
	p.cmd = exec.Command(self, append([]string{
		"serve", "-addr", "127.0.0.1:0", "-data", filepath.Join(dir, "data"), "-page-addr", "127.0.0.1:0", "-page-addr-file", pageAddr,
	}, args...)...)
	p.cmd.Env = append(os.Environ(), asService+"=1", "MYAPP_SECRET="+testSecret)
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(soon, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		if err := p.cmd.Wait(); err != nil && runtime.GOOS != "windows" {
			t.Errorf("the service ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the service said:\n%s", p.stderr.String())
		}
	})
	p.until("the page's address", func() bool {
		text, err := os.ReadFile(pageAddr)
		p.page = "http://" + strings.TrimSpace(string(text))
		return err == nil
	})
	return p
}

func (p *process) until(what string, done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for over := time.After(soon); !done(); {
		select {
		case <-tick.C:
		case <-over:
			p.t.Fatalf("%s: it does not happen; the service said:\n%s", what, p.stderr.String())
		}
	}
}

type setLimit struct {
	Name, Source, By, Why string
	Value                 any
}

// limit asks the page.
func (p *process) limit(path, name string) setLimit {
	p.t.Helper()
	resp, err := http.Get(p.page + "/api/v1/node?path=" + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var node struct{ Limits []setLimit }
	if err := json.NewDecoder(resp.Body).Decode(&node); err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %v", resp.Status, err)
	}
	for _, l := range node.Limits {
		if l.Name == name {
			return l
		}
	}
	p.t.Fatalf("%s has no %s", path, name)
	return setLimit{}
}

func TestTheLimitsOfAFileAreThoseOfTheService(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	file := filepath.Join(t.TempDir(), "limits.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("myapp/users: {max_per_key: 3}\n")
	p := launch(t, "-limits", file, "-max-per-user", "9")
	p.until("the start", func() bool { return strings.Contains(p.stderr.String(), "limits loaded") })
	if l := p.limit("myapp/users", "max_per_key"); l.Value != 3.0 || l.Source != "file" {
		t.Errorf("max_per_key is %+v from the start, want 3 by the file", l)
	}
	write("myapp/users: {max_per_key: 5}\n")
	p.until("the change of the file", func() bool { return p.limit("myapp/users", "max_per_key").Value == 5.0 })

	write("myapp/users:\n  max_per_key: 7\n  max_chidren: 100\n")
	p.until("the refusal of the file", func() bool {
		return strings.Contains(p.stderr.String(), "max_children") && strings.Contains(p.stderr.String(), "line=3")
	})
	if l := p.limit("myapp/users", "max_per_key"); l.Value != 5.0 {
		t.Errorf("a wrong file set max_per_key to %v, want 5 as before", l.Value)
	}

	resp, err := http.Post(p.page+"/api/v1/limits", "application/json", strings.NewReader(`{"path":"myapp/users","limit":"max_per_key","value":8}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	write("myapp/users: {max_per_key: 5}\n")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.until("SIGHUP", func() bool { return p.limit("myapp/users", "max_per_key").Value == 5.0 })
}

func TestAlertsAreInTheLogAndAtTheWebhook(t *testing.T) {
	posted := make(chan string, 16)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted <- string(body)
	}))
	defer hook.Close()
	file := filepath.Join(t.TempDir(), "limits.yaml")
	text := "myapp/users:\n  max_per_key: {value: 3, owner: ann, review: 2020-02-02}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "-limits", file, "-alert-webhook", hook.URL)
	p.until("the alert in the log", func() bool {
		return strings.Contains(p.stderr.String(), "alert fires") && strings.Contains(p.stderr.String(), "HeadcountLimitReviewOverdue")
	})
	select {
	case body := <-posted:
		for _, want := range []string{"HeadcountLimitReviewOverdue", "myapp/users", "2020-02-02"} {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in %s", want, body)
			}
		}
	case <-time.After(soon):
		t.Error("nothing was posted")
	}
}

func TestTheSampleOfLimitsFitsTheService(t *testing.T) {
	p := launch(t, "-limits", "../limits.yaml", "-max-conns", "500")
	p.until("the file to be loaded", func() bool { return strings.Contains(p.stderr.String(), `msg="limits loaded"`) })
	if l := p.limit("myapp/users", "max_per_key"); l.Value != 12.0 {
		t.Errorf("max_per_key is %+v, want 12", l)
	}
}
