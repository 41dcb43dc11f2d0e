package endpoint

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestBadInputIsNamedBeforeAnythingListens(t *testing.T) {
	h := http.HandlerFunc(hello)
	for _, c := range []struct {
		addr string
		opts []Option
		want string // in the error
	}{
		{"", nil, `addr: ""`},
		{"nonsense", nil, `addr: "nonsense"`},
		{":http-of-old", nil, `addr: ":http-of-old"`},
		{":70000", nil, `addr: ":70000"`},
		{"unix:", nil, `addr: "unix:"`},
		{":0", []Option{nil}, "options[0]"},
		{":0", []Option{Limits{Conns: -1}}, "Limits.Conns: -1"},
		{":0", []Option{Limits{Requests: headcount.MaxLimit + 1}}, "Limits.Requests: 536870911"},
		{":0", []Option{Limits{StreamsPerConn: 1 << 32}}, "Limits.StreamsPerConn: 4294967296"},
		{":0", []Option{Timeouts{Header: -time.Second}}, "Timeouts.Header: -1s"},
		{":0", []Option{Sizes{Body: -1}}, "Sizes.Body: -1"},
		{":0", []Option{Sizes{Header: 4096}}, "Sizes.Header: 4096"},
		{":0", []Option{Limits{Descriptors: 1 << 30}}, "Limits.Descriptors: 1073741824"},
		{":0", []Option{Rates{Resets: -5}}, "Rates.Resets: -5"},
		{":0", []Option{TLS(nil)}, "TLS"},
		{":0", []Option{TLS(&tls.Config{})}, "has no certificate"},
		{":0", []Option{TLS(certificate(t)), H2C()}, "contradicts TLS"},
		{":0", []Option{TLS(certificate(t)), Answer503()}, "contradicts TLS"},
		{":0", []Option{TrustedProxies("10.0.0.0/33")}, "10.0.0.0/33"},
		{":0", []Option{TrustedProxies()}, "names no proxy"},
		{":0", []Option{ProxyProtocol()}, "needs TrustedProxies"},
		{":0", []Option{ClientHeader("Forwarded")}, "needs TrustedProxies"},
		{":0", []Option{ClientHeader("X-Real-IP"), TrustedProxies("10.0.0.1")}, `"X-Real-IP"`},
		{":0", []Option{ProxyProtocol(), TrustedProxies("10.0.0.1"), ClientHeader("Forwarded")}, "contradicts ProxyProtocol"},
		{":0", []Option{Route("api", 3)}, "has no effect without RouteFunc"},
		{":0", []Option{RouteFunc(func(*http.Request) string { return "" })}, "has no effect without a Route"},
		{":0", []Option{Route("api", -3), RouteFunc(func(*http.Request) string { return "" })}, "Route api: -3"},
		{":0", []Option{Route("No Word", 3), RouteFunc(func(*http.Request) string { return "" })}, "No Word"},
		{":0", []Option{Timeouts{Wait: NoWait}, Limits{Waiting: 5}}, "contradicts Timeouts.Wait"},
		{":0", []Option{Shares(0.5)}, "Classes"},
		{":0", []Option{Observe(99)}, "Observe"},
		{":0", []Option{Logger(nil)}, "Logger"},
		{":0", []Option{On(nil)}, "On"},
	} {
		err := headcount.Check(New("web", c.addr, h, c.opts...).Supervisor())
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "web") {
			t.Errorf("New(%q, %v): Check is %v, want an error of web that names %q", c.addr, c.opts, err, c.want)
		}
		if n := strings.Count(err.Error(), "\n"); n > 0 {
			t.Errorf("New(%q, %v): one fault is told as several:\n%v", c.addr, c.opts, err)
		}
	}
	for name, sup := range map[string]*headcount.Supervisor{
		"handler":      New("web", ":0", nil).Supervisor(),
		"TCP handler":  NewTCP("web", ":0", nil).Supervisor(),
		"KeyFunc":      NewTCP("web", ":0", func(ctx ctx, c net.Conn) error { return nil }, KeyFunc(func(*http.Request) string { return "" })).Supervisor(),
		"Limits.Conns": NewLimitHandler("limit", h, Limits{Conns: 3}).Supervisor(),
		"next":         NewLimitHandler("limit", nil).Supervisor(),
		"On":           NewListener("listener", nil).Supervisor(),
	} {
		if err := headcount.Check(sup); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(name, "TCP ")) {
			t.Errorf("%s: Check is %v, want an error that names it", name, err)
		}
	}
	if err := headcount.Check(New("web", "127.0.0.1:0", h).Supervisor()); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}

func TestSettingsListEveryOption(t *testing.T) {
	e := New("web", "127.0.0.1:0", http.HandlerFunc(hello),
		TrustedProxies("10.0.0.0/8"), KeyFunc(func(*http.Request) string { return "" }), Observe(LayerStarts),
		RouteFunc(func(*http.Request) string { return "" }), Route("api", 7))
	shown := make(map[string]string)
	for _, s := range e.Settings() {
		shown[s.Name] = s.Value
	}
	for _, group := range []any{Limits{}, Rates{}, Timeouts{}, Sizes{}} {
		for f := range reflect.TypeOf(group).Fields() {
			name := reflect.TypeOf(group).Name() + "." + f.Name
			if shown[name] == "" || shown[name] == "0" {
				t.Errorf("%s is %q, want its default", name, shown[name])
			}
		}
	}
	for name, want := range map[string]string{
		"TrustedProxies": "10.0.0.0/8", "ClientHeader": "X-Forwarded-For", "KeyFunc": "yes", "Observe": "starts", "Route api": "7",
		"Timeouts.Response": "none", "Limits.RequestsPerKey": "32",
	} {
		if shown[name] != want {
			t.Errorf("%s is shown as %q, want %q", name, shown[name], want)
		}
	}
}

func TestStartIsLoggedWithAddressAndSettings(t *testing.T) {
	var log syncBuffer
	e := start(t, hello, Logger(slog.New(slog.NewTextHandler(&log, nil))), Limits{Conns: 77})
	for _, want := range []string{"endpoint: listening", "path=web", "addr=" + addr(e), "settings.Limits.Conns=77", "settings.Timeouts.Header=5s"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
}
