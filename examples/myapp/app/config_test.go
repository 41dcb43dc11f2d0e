package app

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

func env(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, found := pairs[name]
		return value, found
	}
}

var small = machine{cores: 2, memory: 1 << 30, files: 1024}

func TestDefaultsFitEveryMachine(t *testing.T) {
	for _, m := range []machine{
		{cores: 1, memory: 64 << 20, files: 256},
		small,
		{cores: 64, memory: 256 << 30, files: 1 << 20},
		{cores: 512, memory: 4 << 40, files: 1 << 24},
	} {
		c := defaults(m)
		c.secret = testSecret
		if err := c.check(m); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
		if c.maxConns > m.files-spareFiles || c.jobQueue+c.maxJobs >= c.maxRequests+c.maxJobs || c.requestsBytes()+c.workersBytes()+c.usersBytes() > c.maxMemory {
			t.Errorf("%+v: %+v", m, c)
		}
	}
	c := defaults(thisMachine())
	c.secret = testSecret
	if err := c.check(thisMachine()); err != nil {
		t.Errorf("this machine: %v", err)
	}
}

func TestArgumentsBeatTheEnvironmentBeatsDefaults(t *testing.T) {
	c, err := readConfig([]string{"-max-users", "7"}, env(map[string]string{
		"MYAPP_SECRET": testSecret, "MYAPP_MAX_USERS": "5", "MYAPP_JOB_WAIT": "3s", "MYAPP_CHAOS": "true",
	}), small, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	if c.maxUsers != 7 || c.jobWait != 3*time.Second || !c.chaos || c.maxPerUser != defaults(small).maxPerUser {
		t.Errorf("got %+v", c)
	}
}

func TestBadConfigurationNamesTheSetting(t *testing.T) {
	secret := map[string]string{"MYAPP_SECRET": testSecret}
	for _, row := range []struct {
		args []string
		env  map[string]string
		want string
	}{
		{nil, nil, "-secret"},
		{[]string{"-secret", "too short"}, nil, "-secret"},
		{[]string{"-max-users", "-1"}, secret, "-max-users"},
		{[]string{"-max-conns", "0"}, secret, "-max-conns"},
		{[]string{"-max-conns-per-client", "few"}, secret, "-max-conns-per-client"},
		{[]string{"-conn-rate", "0"}, secret, "-conn-rate"},
		{[]string{"-max-conns", "1000"}, secret, "ulimit"},
		{[]string{"-body-within", "0s"}, secret, "-body-within"},
		{[]string{"-max-body", "999999999"}, secret, "-max-memory"},
		{[]string{"-max-pixels", "999999999"}, secret, "-max-memory"},
		{[]string{"-limits", "limits.yaml", "-unlimited"}, secret, "-limits and -unlimited"},
		{[]string{"-page-addr-file", "addr"}, secret, "-page-addr"},
		{[]string{"-alert-webhook", "example.org/hook"}, secret, "-alert-webhook"},
		{[]string{"extra"}, secret, "extra"},
		{nil, map[string]string{"MYAPP_MAX_JOBS": "many"}, "MYAPP_MAX_JOBS"},
	} {
		_, err := readConfig(row.args, env(row.env), small, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v %v: %v, want an error with %q", row.args, row.env, err, row.want)
		}
	}
}

func TestLimitsOfClientsCanBeNone(t *testing.T) {
	c, err := readConfig([]string{"-conn-rate", "unlimited", "-max-conns", "unlimited"}, env(map[string]string{
		"MYAPP_SECRET": testSecret, "MYAPP_REQUEST_RATE": "unlimited",
	}), small, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	if c.connRate != headcount.Unlimited || c.requestRate != headcount.Unlimited || c.maxConns != headcount.Unlimited {
		t.Errorf("got %+v", c)
	}
	var help bytes.Buffer
	if _, err := readConfig([]string{"-h"}, env(nil), small, &help); err == nil || !strings.Contains(help.String(), "-conn-rate number\n") {
		t.Errorf("%v, and the help is\n%s", err, help.String())
	}
}

func TestWrongEndpointIsWrongUsage(t *testing.T) {
	for _, spoil := range []func(*config){
		func(c *config) { c.trustedProxies = "nonsense" },
		func(c *config) { c.proxyProtocol = true },
		func(c *config) { c.tlsCert = "missing.pem" },
		func(c *config) { c.clientHeader = "X-Real-IP" },
	} {
		c := testConfig(t)
		spoil(&c)
		var said lockedBuffer
		if code := serve(t.Context(), c, &said, hooks{}); code != codeUsage {
			t.Errorf("exit status %d, want %d:\n%s", code, codeUsage, said.String())
		}
	}
}

func TestTreeIsValidWithAndWithoutLimits(t *testing.T) {
	for _, unlimited := range []bool{false, true} {
		c := testConfig(t)
		c.unlimited = unlimited
		r := start(t, c)
		ada := token(t, "ada", true)
		echo(t, r.mustWS(ada), "ping")
		if j := r.finished(ada, r.submit(ada, `{"kind":"hash","data":"aGk="}`)); j.State != "done" {
			t.Errorf("%+v", j)
		}
		if code := r.stop(); code != 0 {
			t.Errorf("exit status %d", code)
		}
	}
}

func TestTokenCommandMakesWhatTheServiceTakes(t *testing.T) {
	var out, said bytes.Buffer
	if code := Main([]string{"token", "-secret", testSecret, "-proven", "-ttl", "5m", "ada"}, &out, &said); code != 0 {
		t.Fatalf("exit status %d: %s", code, said.String())
	}
	signer, err := auth.NewSigner(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := signer.Verify(strings.TrimSpace(out.String()), time.Now())
	if err != nil || claims.User != "ada" || !claims.Proven || time.Until(claims.Expires) > 5*time.Minute {
		t.Errorf("got %+v, %v", claims, err)
	}
}

func TestBadCommandLinesEndWithTwo(t *testing.T) {
	t.Setenv("MYAPP_SECRET", "")
	for _, args := range [][]string{
		nil, {"dance"}, {"serve"}, {"serve", "-no-such-flag"}, {"token"}, {"token", "-secret", testSecret},
		{"token", "-secret", testSecret, "a b"}, {"token", "-secret", testSecret, "-ttl", "-1h", "ada"}, {"token", "ada"},
	} {
		var out, said bytes.Buffer
		if code := Main(args, &out, &said); code != 2 || said.Len() == 0 || out.Len() != 0 {
			t.Errorf("%v: status %d, out %q, said %q", args, code, out.String(), said.String())
		}
	}
	var out, said bytes.Buffer
	if code := Main([]string{"help"}, &out, &said); code != 0 || !strings.Contains(out.String(), "myapp serve") {
		t.Errorf("help: %d %s", code, fmt.Sprint(out.String(), said.String()))
	}
}

func TestTotalMemoryIsReadFromMeminfo(t *testing.T) {
	if got := totalMemory("MemFree: 1 kB\nMemTotal:       16311896 kB\n"); got != 16311896<<10 {
		t.Errorf("got %d", got)
	}
	for _, text := range []string{"", "MemTotal:\n", "MemTotal: many kB\n", "MemTotal: 99999999999999999 kB\n"} {
		if got := totalMemory(text); got < 1<<60 {
			t.Errorf("%q: got %d, want no limit", text, got)
		}
	}
}
