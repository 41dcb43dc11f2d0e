package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
	"github.com/headcount-go/headcount/cmd/headcount/internal/token"
)

// process is one running application, started by this demo and ended by it.
//
// It cannot outlive the demo: its standard input is a pipe from here (see Lifeline), which the operating system closes
// however the demo ends. Its output goes to a file, not to a pipe, so that an application left running with --stay does
// not die of writing to nobody.
type process struct {
	cmd      *exec.Cmd
	lifeline io.WriteCloser
	secret   string
	addr     string
	page     string // its URL; the unlimited application has none
	dir      string // holds its data and its log

	exited chan struct{} // closed when it has ended and was waited for; exit is set before
	exit   int
}

const (
	logFile  = "output.log"
	dataDir  = "data"
	addrFile = "addr"
	pageFile = "page-addr"
)

const (
	maxPixels = 3_000_000 // of a picture
	maxMemory = 512 << 20 // that the protected application lets its children declare
)

// startWithin bounds the start of the application.
const startWithin = 15 * time.Second

// launch starts the application in a new directory below parent and returns when it says that it is ready.
func launch(ctx context.Context, command []string, p *plan, unlimited bool, parent string) (*process, error) {
	dir, err := os.MkdirTemp(parent, "app-")
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, logFile))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own

	a := &process{secret: token.NewSecret(), dir: dir, exited: make(chan struct{})}
	args := append(command[1:len(command):len(command)], "serve",
		"-addr", "127.0.0.1:0",
		"-addr-file", filepath.Join(dir, addrFile),
		"-data", filepath.Join(dir, dataDir),
		"-chaos",
		// Enough for the pictures of the job flood on any machine.
		"-max-pixels", strconv.Itoa(maxPixels),
		"-max-memory", strconv.Itoa(maxMemory),
		"-stop-within", p.stopWithin.String(),
		"-h2c",
	)
	if unlimited {
		args = append(args, "-unlimited")
	} else {
		args = append(args, "-page-addr", "127.0.0.1:0", "-page-addr-file", filepath.Join(dir, pageFile))
		args = append(args, limitFlags(p)...)
	}
	a.cmd = exec.Command(command[0], args...)
	a.cmd.Env = environment(a.secret)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	ownGroup(a.cmd)
	if a.lifeline, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the application: %w", err)
	}
	go func() {
		// The error repeats the exit status, or is about the pipe, which is closed on purpose.
		_ = a.cmd.Wait()
		a.exit = a.cmd.ProcessState.ExitCode()
		close(a.exited)
	}()
	if err := a.awaitReady(ctx); err != nil {
		a.kill()
		return nil, fmt.Errorf("%w\n%s", err, a.tail(2048))
	}
	return a, nil
}

func limitFlags(p *plan) []string {
	var args []string
	for _, f := range []struct {
		name  string
		value int
	}{
		{"-max-users", p.limits.Users},
		{"-max-per-user", p.limits.PerUser},
		{"-max-jobs", p.limits.Jobs},
		{"-job-queue", p.limits.JobQueue},
		{"-max-requests", p.limits.Requests},
		{"-max-requests-per-user", p.limits.RequestsPerUser},
		{"-max-conns", p.limits.Conns},
		{"-user-queue", p.userQueue},
	} {
		args = append(args, f.name, strconv.Itoa(f.value))
	}
	args = append(args, "-job-wait", p.jobWait.String(),
		"-header-within", p.slow.String(), "-stall", p.slow.String(), "-write-within", p.slow.String())
	if loopback.Many() {
		return append(args, "-max-conns-per-client", strconv.Itoa(p.limits.ConnsPerClient), "-max-conns-per-prefix", strconv.Itoa(p.limits.ConnsPerPrefix))
	}
	// Honest users and attackers are one client here.
	for _, name := range []string{"-max-conns-per-client", "-max-conns-per-prefix", "-max-requests-per-client", "-conn-rate", "-request-rate"} {
		args = append(args, name, "unlimited")
	}
	return args
}

// environment is ours without what would change the application's flags, and with its secret, which an argument would
// show to every user of the machine.
func environment(secret string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MYAPP_") {
			env = append(env, e)
		}
	}
	return append(env, "MYAPP_SECRET="+secret)
}

func (a *process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("the application was not ready within %s", startWithin))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-a.exited:
			return fmt.Errorf("the application ended at once, exit status %d", a.exit)
		case <-tick.C:
		}
		if a.addr == "" {
			raw, err := os.ReadFile(filepath.Join(a.dir, addrFile))
			if err != nil {
				continue
			}
			a.addr = strings.TrimSpace(string(raw))
		}
		client := api.New(a.addr, 1)
		err := client.Ready(ctx)
		client.Close()
		if err == nil {
			return a.findPage()
		}
	}
}

// findPage reads where the page is, which the application writes before it is ready.
func (a *process) findPage() error {
	raw, err := os.ReadFile(filepath.Join(a.dir, pageFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	a.page = "http://" + strings.TrimSpace(string(raw)) + "/"
	return nil
}

func (a *process) pid() int { return a.cmd.Process.Pid }

// token signs in a user for an hour.
func (a *process) token(user string, proven bool) string {
	return token.Make(a.secret, user, proven, time.Now().Add(time.Hour))
}

// hasExited reports whether the application has ended.
func (a *process) hasExited() bool {
	select {
	case <-a.exited:
		return true
	default:
		return false
	}
}

// kill ends the application at once and waits for its end. Once it has ended, it does nothing: a process id that may
// belong to somebody else by now is never used.
func (a *process) kill() {
	if err := a.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		// Without the right to signal it, the closed lifeline still ends it.
		a.lifeline.Close()
	}
	<-a.exited
}

// stop asks the application to stop in order and reports how it did. refusing are the ids of the jobs that will not stop.
func (a *process) stop(within time.Duration, refusing []string) report.Stop {
	const grace = 3 * time.Second
	before := a.logSize()
	began := time.Now()
	s := report.Stop{Within: within, Refusing: len(refusing)}
	if err := askToStop(a.cmd.Process); err != nil {
		a.kill()
		s.Killed = true
	}
	select {
	case <-a.exited:
	case <-time.After(within + grace):
		a.kill()
		s.Killed = true
	}
	s.Took = time.Since(began)
	s.ExitCode = a.exit
	s.Named = named(a.logFrom(before, 1<<20), refusing)
	return s
}

// release lets the application outlive the demo.
func (a *process) release() error {
	if _, err := io.WriteString(a.lifeline, stayWord); err != nil {
		return fmt.Errorf("leave the application running: %w", err)
	}
	return a.lifeline.Close()
}

func (a *process) logPath() string { return filepath.Join(a.dir, logFile) }

func (a *process) logSize() int64 {
	fi, err := os.Stat(a.logPath())
	if err != nil {
		return 0
	}
	return fi.Size()
}

// logFrom returns at most most bytes of the log from offset on.
func (a *process) logFrom(offset, most int64) string {
	f, err := os.Open(a.logPath())
	if err != nil {
		return ""
	}
	defer f.Close()
	raw, _ := io.ReadAll(io.NewSectionReader(f, offset, most)) // what could be read is good enough to show
	return string(raw)
}

func (a *process) tail(most int64) string { return a.logFrom(max(0, a.logSize()-most), most) }

// lastWords returns the first line that the Go runtime wrote about the end of the program, "" if there is none.
func (a *process) lastWords() string {
	f, err := os.Open(a.logPath())
	if err != nil {
		return ""
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadString('\n')
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
		if err != nil {
			return ""
		}
	}
}

// named returns the paths in text that belong to the given jobs, one for each job that is named at all.
func named(text string, jobs []string) []string {
	paths := make(map[string]string)
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \n,[]\"", r) }) {
		if _, id, ok := strings.Cut(word, "/job-"); ok {
			paths[id] = word
		}
	}
	names := []string{}
	for _, id := range jobs {
		if path, ok := paths[id]; ok {
			names = append(names, path)
		}
	}
	return names
}
