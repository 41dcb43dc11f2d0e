package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	began  = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	firing = Alert{
		Rule: "HeadcountNearLimit", Severity: Warning, Path: "myapp/users", Limit: "max_children",
		Summary: "A supervisor is close to a limit", Details: "95 of max_children 100 (95 %)", Runbook: "https://example.org/runbook#headcountnearlimit", Began: began,
	}
	resolved = Alert{
		Rule: "HeadcountStuck", Severity: Warning, Path: "myapp/jobs",
		Summary: "Children do not stop", Details: "1 children", Runbook: "https://example.org/runbook#headcountstuck", Began: began, Ended: began.Add(time.Hour),
	}
)

// receive gives what the notifier sends for the alerts.
func receive(t *testing.T, make func(url string) Notifier, alerts ...Alert) (body []byte, r *http.Request) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ = io.ReadAll(req.Body)
		r = req
	}))
	defer s.Close()
	n := make(s.URL)
	defer n.(interface{ closeIdle() }).closeIdle()
	if err := n.Notify(t.Context(), alerts); err != nil {
		t.Fatal(err)
	}
	return body, r
}

func TestTheWebhookSendsVersionFourOfAlertmanagersMessage(t *testing.T) {
	body, r := receive(t, func(url string) Notifier {
		n := Webhook(url+"/hook?secret=1", HTTP{Header: http.Header{"Authorization": {"Bearer x"}}})
		n.(labelled).label(map[string]string{"job": "myapp"})
		return n
	}, firing, resolved)
	if r.Method != "POST" || r.URL.String() != "/hook?secret=1" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer x" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	// The message as the Alertmanager documentation describes it.
	type message struct {
		Version           string            `json:"version"`
		GroupKey          string            `json:"groupKey"`
		TruncatedAlerts   int               `json:"truncatedAlerts"`
		Status            string            `json:"status"`
		Receiver          string            `json:"receiver"`
		GroupLabels       map[string]string `json:"groupLabels"`
		CommonLabels      map[string]string `json:"commonLabels"`
		CommonAnnotations map[string]string `json:"commonAnnotations"`
		ExternalURL       string            `json:"externalURL"`
		Alerts            []struct {
			Status       string            `json:"status"`
			Labels       map[string]string `json:"labels"`
			Annotations  map[string]string `json:"annotations"`
			StartsAt     time.Time         `json:"startsAt"`
			EndsAt       time.Time         `json:"endsAt"`
			GeneratorURL string            `json:"generatorURL"`
			Fingerprint  string            `json:"fingerprint"`
		} `json:"alerts"`
	}
	var m message
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var fields map[string]any
	_ = json.Unmarshal(body, &fields)
	for _, f := range []string{"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "alerts"} {
		if v, ok := fields[f]; !ok || v == nil {
			t.Errorf("the message has no %s", f)
		}
	}
	if m.Version != "4" || m.Status != "firing" || m.Receiver != "headcount" || m.GroupKey == "" || len(m.Alerts) != 2 {
		t.Errorf("%+v", m)
	}
	if m.CommonLabels["severity"] != "warning" || m.CommonLabels["job"] != "myapp" || len(m.CommonLabels) != 2 {
		t.Errorf("common labels %v", m.CommonLabels)
	}
	f, e := m.Alerts[0], m.Alerts[1]
	if f.Status != "firing" || !f.EndsAt.IsZero() || !f.StartsAt.Equal(began) || f.Labels["alertname"] != firing.Rule || f.Labels["supervisor"] != "myapp/users" ||
		f.Labels["limit"] != "max_children" || f.Annotations["runbook_url"] != firing.Runbook || f.Annotations["description"] != "myapp/users: "+firing.Details {
		t.Errorf("%+v", f)
	}
	if e.Status != "resolved" || !e.EndsAt.Equal(resolved.Ended) || e.Fingerprint == f.Fingerprint || len(e.Fingerprint) != 16 {
		t.Errorf("%+v", e)
	}
}

func TestTheAlertmanagerGetsPostableAlerts(t *testing.T) {
	body, r := receive(t, func(url string) Notifier { return Alertmanager(url+"/prefix", HTTP{}) }, firing, resolved)
	if r.URL.Path != "/prefix/api/v2/alerts" {
		t.Errorf("sent to %s", r.URL)
	}
	// The definition of postableAlerts in Alertmanager's openapi.yaml.
	var alerts []struct {
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		Annotations  map[string]string `json:"annotations"`
		Labels       map[string]string `json:"labels"`
		GeneratorURL string            `json:"generatorURL"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&alerts); err != nil || len(alerts) != 2 {
		t.Fatalf("%v in %s", err, body)
	}
	if left := time.Until(alerts[0].EndsAt); left < 3*time.Minute || left > 5*time.Minute {
		t.Errorf("what fires ends in %v, want four minutes", left)
	}
	if !alerts[1].EndsAt.Equal(resolved.Ended) || alerts[0].Labels["alertname"] == "" {
		t.Errorf("%+v", alerts)
	}
}

func TestARefusingWebhookIsAnErrorWithoutItsAddress(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no such hook", http.StatusNotFound)
	}))
	defer s.Close()
	for address, want := range map[string]string{
		s.URL + "/secret":              "404 Not Found: no such hook",
		"http://127.0.0.1:1/secret":    "refused",
		"ftp://example.org/secret":     "not an http",
		"http://exa mple.org/secret":   "not a URL",
		"/secret":                      "not an http",
		"https://u:secret@127.0.0.1:1": "refused",
	} {
		n := Webhook(address, HTTP{})
		err := n.Notify(t.Context(), []Alert{firing})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(n.String(), "secret") {
			t.Errorf("%s: %v, called %s, want %q", address, err, n, want)
		}
		n.(interface{ closeIdle() }).closeIdle()
	}
}

func TestASlowWebhookIsGivenUpWithItsContext(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	n := Webhook(s.URL, HTTP{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := n.Notify(ctx, []Alert{firing}); err == nil {
		t.Error("no error")
	}
	n.(interface{ closeIdle() }).closeIdle()
}

// TestARealAlertmanagerTakesTheAlertsAndPassesThemOn uses the Debian package prometheus-alertmanager, if it is there: it
// gets our alerts, and passes them on to a webhook, whose message ours must equal in form.
func TestARealAlertmanagerTakesTheAlertsAndPassesThemOn(t *testing.T) {
	binary, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Skip("prometheus-alertmanager is not installed")
	}
	if testing.Short() {
		t.Skip("runs a server")
	}
	messages := make(chan map[string]any, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m map[string]any
		if json.NewDecoder(r.Body).Decode(&m) == nil {
			select {
			case messages <- m:
			default:
			}
		}
	}))
	defer hook.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	text := "route:\n  receiver: hook\n  group_wait: 100ms\n  group_interval: 1s\nreceivers:\n- name: hook\n  webhook_configs:\n  - url: " + hook.URL + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := port.Addr().String()
	port.Close()
	cmd := exec.Command(binary, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	}()

	n := Alertmanager("http://"+address, HTTP{})
	defer n.(interface{ closeIdle() }).closeIdle()
	now := firing
	now.Began = time.Now()
	deadline := time.Now().Add(30 * time.Second)
	for err = n.Notify(t.Context(), []Alert{now}); err != nil && time.Now().Before(deadline); err = n.Notify(t.Context(), []Alert{now}) {
		time.Sleep(50 * time.Millisecond) // it starts
	}
	if err != nil {
		t.Fatal(err)
	}
	next := func(status string) map[string]any {
		for {
			select {
			case m := <-messages:
				if m["status"] == status {
					return m
				}
			case <-time.After(time.Until(deadline)):
				t.Fatalf("no message with status %s", status)
			}
		}
	}
	theirs := next("firing")
	body, _ := receive(t, func(url string) Notifier { return Webhook(url, HTTP{}) }, now)
	var ours map[string]any
	if err := json.Unmarshal(body, &ours); err != nil {
		t.Fatal(err)
	}
	alertOf := func(m map[string]any) map[string]any { return m["alerts"].([]any)[0].(map[string]any) }
	for name, pair := range map[string][2]map[string]any{"message": {theirs, ours}, "alert": {alertOf(theirs), alertOf(ours)}} {
		for field, v := range pair[0] {
			if w, ok := pair[1][field]; !ok || kindOf(v) != kindOf(w) {
				t.Errorf("the %s of the real one has %s: %v, ours %v", name, field, v, w)
			}
		}
	}
	now.Ended = time.Now()
	if err := n.Notify(t.Context(), []Alert{now}); err != nil {
		t.Fatal(err)
	}
	if a := alertOf(next("resolved")); a["status"] != "resolved" {
		t.Errorf("%v", a)
	}
}

func kindOf(v any) string {
	return []string{"text", "number", "list", "object", "other"}[slices.Index([]bool{is[string](v), is[float64](v), is[[]any](v), is[map[string]any](v), true}, true)]
}

func is[T any](v any) bool { _, ok := v.(T); return ok }
