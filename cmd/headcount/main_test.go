package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what the tests do on purpose would fill the log
	// os/signal keeps its goroutine once a program has asked for a signal.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.signal_recv"), goleak.IgnoreTopFunction("os/signal.loop"))
}

func TestLongFlagsMayHaveOneDash(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"demo -quick -json", "demo --quick --json"},
		{"demo --quick -stay=true", "demo --quick --stay=true"},
		{"demo -ceiling 512", "demo --ceiling 512"},
		{"demo -h -x", "demo -h -x"},
		{"demo -- -quick", "demo -- -quick"},
		{"demo -help", "demo --help"},
		{"limits set u p n 5 -reason x -for 2h -y", "limits set u p n 5 --reason x --for 2h -y"},
		{"events -f -json u", "events -f --json u"},
	} {
		got := doubleDashes(rootCommand(), strings.Fields(c.in))
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s became %q, want %s", c.in, got, c.want)
		}
	}
}

func TestWrongCommandLinesExitWith2(t *testing.T) {
	for _, line := range []string{"demo -fast", "demo extra", "demo -ceiling many", "nonsense", "limits nonsense", "tree", "events -n 1001 x", "limits set a b c d", "top", "top URL"} {
		if got := run(strings.Fields(line)); got != exitError {
			t.Errorf("headcount %s: exit status %d, want %d", line, got, exitError)
		}
	}
}

func TestTheApplicationIsNotInTheHelp(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		if c.Name() == myappCommand {
			t.Errorf("%s is a command for people", myappCommand)
		}
	}
}

func TestAReportThatFailedIsAFailure(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := answer(&report.Report{}, true, null); err != errFailed {
		t.Errorf("error %v, want %v", err, errFailed)
	}
}

func TestWhoStaysIsToldHowToReachAndStopIt(t *testing.T) {
	text := leftRunning(report.Left{URL: "http://127.0.0.1:1234", Page: "http://127.0.0.1:7070/", PID: 4321, Token: "abc.def"})
	for _, want := range []string{"http://127.0.0.1:1234/poll", "http://127.0.0.1:7070/", "Bearer abc.def", "kill 4321"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
