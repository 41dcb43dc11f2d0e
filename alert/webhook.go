package alert

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// HTTP says how alerts are sent over HTTP. The zero value is fine.
type HTTP struct {
	// Client sends; nil is a client of its own. Each attempt ends after ten seconds, whatever the client allows.
	Client *http.Client
	// Header is added to each request: an Authorization, say.
	Header http.Header
	// Receiver is the name of the receiver in a message to a webhook, headcount if empty.
	Receiver string
	// Resend is how often an Alertmanager is told of what still fires, a minute if zero. It takes an alert that it has
	// not heard of for four times as long to be over.
	Resend time.Duration
}

// labelled takes the labels that each alert gets.
type labelled interface{ label(map[string]string) }

type sender struct {
	HTTP
	url    string
	shown  string
	labels map[string]string
	err    error
	own    bool // the client is
}

func newSender(kind, address string, h HTTP) *sender {
	s := &sender{HTTP: h, url: address}
	u, err := url.Parse(address)
	if err == nil && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		err = fmt.Errorf("alert: %s: the address is not an http or https URL", kind)
	} else if err != nil {
		err = fmt.Errorf("alert: %s: the address is not a URL", kind) // the parser's own error repeats it, secrets included
	}
	s.shown, s.err = kind, err
	if err == nil {
		s.shown = kind + " " + u.Host // paths of webhooks are secrets often enough
	}
	if s.own = s.Client == nil; s.own {
		s.Client = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true}}
	}
	if s.Receiver == "" {
		s.Receiver = "headcount"
	}
	if s.Resend <= 0 {
		s.Resend = time.Minute
	}
	return s
}

func (s *sender) String() string { return s.shown }
func (s *sender) closeIdle() {
	if s.own {
		s.Client.CloseIdleConnections()
	}
}

func (s *sender) label(of map[string]string) { s.labels = maps.Clone(of) }

// post sends a message. An answer other than 2xx is an error.
func (s *sender) post(ctx context.Context, message any) error {
	if s.err != nil {
		return s.err
	}
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return s.plain(err)
	}
	maps.Copy(req.Header, s.Header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "headcount-alert")
	resp, err := s.Client.Do(req)
	if err != nil {
		return s.plain(err)
	}
	defer resp.Body.Close()
	const most = 4 << 10
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, most)) // read, so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s: %s", s.shown, resp.Status, strings.TrimSpace(string(answer[:min(len(answer), 200)])))
	}
	return nil
}

// plain leaves out the address, which http.Client puts into its errors.
func (s *sender) plain(err error) error {
	if e, ok := err.(*url.Error); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", s.shown, err)
}

func (s *sender) labelsOf(a Alert) map[string]string {
	labels := maps.Clone(s.labels)
	if labels == nil {
		labels = make(map[string]string)
	}
	labels["alertname"], labels["severity"], labels["supervisor"] = a.Rule, string(a.Severity), a.Path
	if a.Limit != "" {
		labels["limit"] = a.Limit
	}
	return labels
}

func annotationsOf(a Alert) map[string]string {
	return map[string]string{"summary": a.Summary, "description": a.Path + ": " + a.Details, "runbook_url": a.Runbook}
}

// Webhook posts alerts in the form in which a Prometheus Alertmanager posts them to its receivers, version 4: whatever
// takes webhooks of an Alertmanager takes these. A message holds up to 64 alerts; its status is firing if one of them
// does. Only the host of the address is shown in Status and in errors.
func Webhook(address string, h HTTP) Notifier { return &webhook{newSender("webhook", address, h)} }

type webhook struct{ *sender }

// webhookMessage is version 4 of the message of Alertmanager's webhook_config.
type webhookMessage struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []webhookAlert    `json:"alerts"`
}

type webhookAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"` // the zero time while it fires
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

func (w *webhook) Notify(ctx context.Context, alerts []Alert) error {
	m := webhookMessage{Version: "4", GroupKey: "{}:{}", Status: "resolved", Receiver: w.Receiver, GroupLabels: map[string]string{}}
	for _, a := range alerts {
		status := "resolved"
		if !a.Resolved() {
			status, m.Status = "firing", "firing"
		}
		labels := w.labelsOf(a)
		m.Alerts = append(m.Alerts, webhookAlert{
			Status: status, Labels: labels, Annotations: annotationsOf(a), StartsAt: a.Began, EndsAt: a.Ended, Fingerprint: fingerprint(labels),
		})
	}
	m.CommonLabels = common(m.Alerts, func(a webhookAlert) map[string]string { return a.Labels })
	m.CommonAnnotations = common(m.Alerts, func(a webhookAlert) map[string]string { return a.Annotations })
	return w.post(ctx, m)
}

// fingerprint is the same for the same labels.
func fingerprint(labels map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(h, "%q=%q,", name, labels[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// common is what all alerts have alike.
func common(alerts []webhookAlert, of func(webhookAlert) map[string]string) map[string]string {
	alike := make(map[string]string)
	for i, a := range alerts {
		if i == 0 {
			alike = maps.Clone(of(a))
			continue
		}
		maps.DeleteFunc(alike, func(name, value string) bool { return of(a)[name] != value })
	}
	return alike
}

// Alertmanager sends alerts to a Prometheus Alertmanager, by its API version 2: address is where that is, such as
// http://alertmanager:9093. It groups, silences and routes. What fires is sent each Resend with an end that lies four
// times as long ahead, as Prometheus does: so the alerts of a process that has died end by themselves.
func Alertmanager(address string, h HTTP) Notifier {
	if u, err := url.Parse(address); err == nil {
		address = u.JoinPath("api/v2/alerts").String()
	}
	return &alertmanager{newSender("alertmanager", address, h)}
}

type alertmanager struct{ *sender }

// postableAlert is what POST /api/v2/alerts takes a list of.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (m *alertmanager) repeat() time.Duration { return m.Resend }

func (m *alertmanager) Notify(ctx context.Context, alerts []Alert) error {
	post := make([]postableAlert, 0, len(alerts))
	for _, a := range alerts {
		ends := a.Ended
		if !a.Resolved() {
			ends = time.Now().Add(4 * m.Resend)
		}
		post = append(post, postableAlert{Labels: m.labelsOf(a), Annotations: annotationsOf(a), StartsAt: a.Began, EndsAt: ends})
	}
	return m.post(ctx, post)
}
