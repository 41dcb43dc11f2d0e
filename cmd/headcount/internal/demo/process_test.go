package demo

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
	"github.com/headcount-go/headcount/cmd/headcount/internal/apptest"
)

// start starts the stand-in, which misbehaves as told.
func start(t *testing.T, misbehave string) *process {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is stopped by a signal")
	}
	t.Setenv(apptest.MisbehaveEnv, misbehave)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := fullPlan()
	small(&p)
	a, err := launch(t.Context(), []string{self, standIn}, &p, false, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.kill)
	return a
}

func TestStopTellsHowItWent(t *testing.T) {
	a := start(t, "")
	client := api.New(a.addr, 1)
	defer client.Close()
	var ids []string
	for range 3 {
		id, err := client.PostJob(t.Context(), a.token("alice", true), api.Job{Kind: "hang"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	s := a.stop(time.Second, ids)
	if s.Killed || s.ExitCode != 1 || s.Refusing != 3 || len(s.Named) != 3 || s.Named[0] != "myapp/workers/job-"+ids[0] {
		t.Errorf("got %+v, want exit status 1 and the paths of the three that hang", s)
	}
}

func TestOnlyWholeNamesCount(t *testing.T) {
	got := named("stuck: 2\n  a/workers/job-12\nerr=\"still running: a/workers/job-3, a/workers/job-4\"", []string{"1", "2", "12", "4"})
	if len(got) != 2 || got[0] != "a/workers/job-12" || got[1] != "a/workers/job-4" {
		t.Errorf("named %q, want 12 and 4", got)
	}
}

func TestLastWordsAreThoseOfTheRuntime(t *testing.T) {
	a := &process{dir: t.TempDir()}
	if got := a.lastWords(); got != "" {
		t.Errorf("%q of an application without output", got)
	}
	text := "time=1 err=\"panic: a child\"\npanic: close of closed channel\n\ngoroutine 1:\n"
	if err := os.WriteFile(a.logPath(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := a.lastWords(); got != "panic: close of closed channel" {
		t.Errorf("got %q", got)
	}
}

func TestAnApplicationThatIgnoresItsStopIsKilled(t *testing.T) {
	a := start(t, apptest.IgnoreStop)
	s := a.stop(100*time.Millisecond, nil)
	if !s.Killed || !a.hasExited() {
		t.Errorf("got %+v, ended: %v; want it to be killed", s, a.hasExited())
	}
}

func TestAnApplicationEndsWhenItsDemoIsGone(t *testing.T) {
	a := start(t, apptest.IgnoreStop)
	a.lifeline.Close() // as the operating system does for a demo that was killed
	select {
	case <-a.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("the application outlives its demo")
	}
	if a.exit != orphaned {
		t.Errorf("exit status %d, want %d", a.exit, orphaned)
	}
}

func TestAReleasedApplicationStays(t *testing.T) {
	a := start(t, "")
	if err := a.release(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-a.exited:
		t.Error("it ended")
	case <-time.After(200 * time.Millisecond):
	}
}

func TestTheSecretIsNotOnTheCommandLine(t *testing.T) {
	t.Setenv("MYAPP_MAX_USERS", "1") // of the user's own, and not for this application
	a := start(t, "")
	if strings.Contains(strings.Join(a.cmd.Args, " "), a.secret) {
		t.Errorf("arguments %q show the secret", a.cmd.Args)
	}
	for _, e := range a.cmd.Env {
		if strings.HasPrefix(e, "MYAPP_") && e != "MYAPP_SECRET="+a.secret {
			t.Errorf("%s reaches the application", e)
		}
	}
}
