package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/apptest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
	"github.com/headcount-go/headcount/examples/myapp/app"
)

// What makes this test program an application when it is its first argument.
const (
	standIn = "stand-in"
	realApp = "real-app"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case standIn:
			go Lifeline(os.Stdin)
			os.Exit(apptest.Main(os.Args[2:]))
		case realApp:
			go Lifeline(os.Stdin)
			os.Exit(app.Main(os.Args[2:], os.Stdout, os.Stderr))
		}
	}
	goleak.VerifyTestMain(m)
}

// small is a run of some seconds.
func small(p *plan) {
	p.budget = 20 * time.Second
	p.calm = 100 * time.Millisecond
	p.long = timing{attack: 300 * time.Millisecond, fire: 150 * time.Millisecond, recover: 200 * time.Millisecond}
	p.honest = honest.Config{
		Users: 4, EchoEvery: 40 * time.Millisecond, OpenEvery: 40 * time.Millisecond,
		JobEvery: 100 * time.Millisecond, MailEvery: 50 * time.Millisecond, Patience: 3 * time.Second,
	}
	p.limits = withShares(report.Limits{
		Users: 50, PerUser: 8, Jobs: 10, JobQueue: 10, Requests: 1000,
		Conns: 1000, ConnsPerClient: 64, ConnsPerPrefix: 256, RequestsPerUser: 64,
	})
	p.stopWithin = 200 * time.Millisecond
	p.jobs, p.websockets, p.newUsers, p.crashes, p.hangs = 60, 60, 100, 60, 30
	// The stand-in knows nothing of connections.
	p.flood, p.slowHeaders, p.slowBodies, p.slowReaders, p.resets, p.spoofs, p.refusedBodies = 0, 0, 0, 0, 0, 0, 0
}

// demo runs a small demo against the stand-in, which misbehaves as told.
func demo(t *testing.T, misbehave string, change func(*Config)) (*report.Report, string, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes and takes seconds")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is stopped by a signal")
	}
	t.Setenv(apptest.MisbehaveEnv, misbehave)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	cfg := Config{Command: []string{self, standIn}, Progress: &told, shrink: small}
	if change != nil {
		change(&cfg)
	}
	t.Setenv("TMPDIR", t.TempDir())
	r, err := Run(t.Context(), cfg)
	return r, told.String(), err
}

// TestTheExampleApplicationHolds is the demo end to end, only smaller.
func TestTheExampleApplicationHolds(t *testing.T) {
	var onlooker *onlooker
	r, told, err := demo(t, "", func(c *Config) {
		onlooker = newOnlooker(c.Progress)
		c.Progress = onlooker
		c.Command[1] = realApp
		c.CeilingMiB = 2048 // the race detector takes a multiple
		c.shrink = func(p *plan) {
			small(p)
			p.stopWithin = 2 * time.Second
			p.budget = time.Minute
			p.calm = 500 * time.Millisecond
			p.long = timing{attack: time.Second, fire: 600 * time.Millisecond, recover: 500 * time.Millisecond}
			p.short, p.slow = p.long, 300*time.Millisecond
			p.short.attack = 1500 * time.Millisecond
			p.limits.ConnsPerClient, p.limits.ConnsPerPrefix = 32, 80
			p.flood, p.slowHeaders, p.slowBodies, p.slowReaders, p.resets, p.spoofs, p.refusedBodies = 200, 60, 60, 90, 4, 900, 60
		}
	})
	onlooker.done(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	if !r.OK {
		var table bytes.Buffer
		_ = r.Table(&table)
		t.Errorf("failed: %q\n%s\n%s", failed(r), told, &table)
	}
	for _, a := range r.Attacks[1:] {
		// Streams that are reset too fast are net/http's own business as well.
		if a.Unprotected == nil || a.Unprotected.Attack.RefusedTotal() != 0 && a.Name != "rapid reset" {
			t.Errorf("%s: the application without limits: %+v, want it attacked, and nothing refused", a.Name, a.Unprotected)
		}
	}
}

func failed(r *report.Report) (names []string) {
	for _, c := range r.Checks {
		if !c.OK {
			names = append(names, c.Name+": "+c.Detail)
		}
	}
	return names
}

func TestADefenceThatHoldsPasses(t *testing.T) {
	r, told, err := demo(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK {
		t.Errorf("failed: %q\n%s", failed(r), told)
	}
	for _, a := range r.Attacks {
		if a.Protected == nil || a.Unprotected == nil {
			t.Errorf("%s was not made on both applications", a.Name)
		}
	}
	if one := r.Attacks[2]; one.Protected.Attack.HeldPeak != 8 || one.Unprotected.Attack.HeldPeak != 60 {
		t.Errorf("one user held %d and %d websockets, want its limit of 8 and all 60", one.Protected.Attack.HeldPeak, one.Unprotected.Attack.HeldPeak)
	}
	if entries, _ := os.ReadDir(os.Getenv("TMPDIR")); len(entries) != 0 {
		t.Errorf("%v is left behind", entries)
	}
}

func TestADefenceThatDoesNotHoldFails(t *testing.T) {
	r, told, err := demo(t, strings.Join([]string{apptest.OverLimit, apptest.DropHonest, apptest.NameNothing}, ","), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	names := strings.Join(failed(r), "\n")
	for _, check := range []string{
		"children of one user, counted inside: peak 9, limit 8",
		"one user, many websockets: held by the attacker: peak 9, limit 8",
		"honest websockets dropped",
		"stopped in time, naming what refuses to: exit status 1",
	} {
		if r.OK || !strings.Contains(names, check) {
			t.Errorf("no failed check with %q in\n%s", check, names)
		}
	}
	if entries, _ := os.ReadDir(os.Getenv("TMPDIR")); len(entries) != 1 {
		t.Errorf("%d directories are left, want the one with the output of what failed", len(entries))
	}
}

func TestAnApplicationThatDoesNotStartIsAnError(t *testing.T) {
	_, _, err := demo(t, apptest.EndAtOnce, nil)
	if err == nil || !strings.Contains(err.Error(), "no mood today") {
		t.Errorf("error %v, want what the application said", err)
	}
}

func TestMemoryAboveTheCeilingIsARow(t *testing.T) {
	// A mebibyte is less than any Go program has, so both applications are ended at once. The unprotected one may be.
	_, told, err := demo(t, "", func(c *Config) { c.CeilingMiB = 1 })
	if err == nil || !strings.Contains(err.Error(), "protected application") {
		t.Errorf("error %v, want that the protected application did not come to its first attack\n%s", err, told)
	}
}

func TestStayLeavesTheApplicationReachable(t *testing.T) {
	r, told, err := demo(t, "", func(c *Config) { c.Stay = true })
	if err != nil {
		t.Fatal(err)
	}
	if r.Left == nil {
		t.Fatalf("nothing is left running\n%s", told)
	}
	left, err := os.FindProcess(r.Left.PID)
	if err != nil {
		t.Fatal(err)
	}
	defer left.Signal(syscall.SIGKILL)
	resp, err := http.Get(r.Left.URL + "/readyz")
	if err != nil {
		t.Fatalf("not reachable: %v", err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if !strings.Contains(told, "see it while it is attacked: "+r.Left.Page) || r.Left.Page == "" {
		t.Errorf("the page at %q was not told of:\n%s", r.Left.Page, told)
	}
	if _, err := os.Stat(r.Left.Log); err != nil {
		t.Errorf("its output is gone: %v", err)
	}
	if !r.OK {
		t.Errorf("failed: %q", failed(r))
	}
}

func TestInterruptEndsTheRunAndTheApplication(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if testing.Short() {
		t.Skip("starts processes")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	told, writer := io.Pipe()
	go func() {
		// Cancelled in the middle of the first attack.
		var seen strings.Builder
		buf := make([]byte, 256)
		for {
			n, err := told.Read(buf)
			if err != nil {
				return
			}
			if seen.Write(buf[:n]); strings.Contains(seen.String(), "job flood") {
				cancel(cause)
			}
		}
	}()
	began := time.Now()
	r, err := Run(ctx, Config{Command: []string{self, standIn}, Progress: writer, shrink: small})
	writer.Close()
	if r != nil || !errors.Is(err, cause) {
		t.Errorf("report %v, error %v, want no report and %q", r, err, cause)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s to end", took)
	}
	if entries, _ := os.ReadDir(os.Getenv("TMPDIR")); len(entries) != 0 {
		t.Errorf("%v is left behind", entries)
	}
}
