package apptest

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// MisbehaveEnv is the environment variable that lists how the stand-in of Main misbehaves, with commas in between.
const MisbehaveEnv = "APPTEST_MISBEHAVE"

// Ways to misbehave.
const (
	OverLimit   = "over-limit"   // lets one more child of a user in than it may
	DropHonest  = "drop-honest"  // closes websockets in use
	IgnoreStop  = "ignore-stop"  // does not stop when told to
	EndAtOnce   = "end-at-once"  // is not there long enough to be ready
	NameNothing = "name-nothing" // does not say what it could not stop
)

// Main is the stand-in as a program, with the command line of the application. It returns the exit status.
func Main(args []string) int {
	ways := strings.Split(os.Getenv(MisbehaveEnv), ",")
	misbehave := func(way string) bool { return slices.Contains(ways, way) }
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	var (
		addr      = flags.String("addr", "", "")
		addrFile  = flags.String("addr-file", "", "")
		pageFile  = flags.String("page-addr-file", "", "")
		data      = flags.String("data", "", "")
		unlimited = flags.Bool("unlimited", false, "")
		app       = App{JobTakes: 20 * time.Millisecond}
	)
	flags.Bool("chaos", false, "")
	flags.String("page-addr", "", "")
	flags.IntVar(&app.MaxUsers, "max-users", 0, "")
	flags.IntVar(&app.MaxPerUser, "max-per-user", 0, "")
	flags.IntVar(&app.MaxJobs, "max-jobs", 0, "")
	for _, name := range []string{"job-queue", "max-requests", "max-conns", "user-queue", "max-pixels", "max-memory"} {
		flags.Int(name, 0, "")
	}
	for _, name := range []string{"max-conns-per-client", "max-conns-per-prefix", "max-requests-per-user", "max-requests-per-client", "conn-rate", "request-rate"} {
		flags.String(name, "", "")
	}
	for _, name := range []string{"job-wait", "stop-within", "header-within", "stall", "write-within"} {
		flags.Duration(name, 0, "")
	}
	flags.Bool("h2c", false, "")
	if len(args) == 0 || args[0] != "serve" || flags.Parse(args[1:]) != nil || len(os.Getenv("MYAPP_SECRET")) < 16 {
		fmt.Fprintln(os.Stderr, "wrong command line", args)
		return 2
	}
	if misbehave(EndAtOnce) {
		fmt.Fprintln(os.Stderr, "no mood today")
		return 1
	}
	if !*unlimited {
		if misbehave(OverLimit) {
			app.MaxPerUser++
		}
		if misbehave(DropHonest) {
			app.CloseAfter = 5
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go http.Serve(listener, app.Handler()) // ends with the process
	if *pageFile != "" {                   // the stand-in has its page where all else is
		if err := publish(*pageFile, *data, listener.Addr().String()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := publish(*addrFile, *data, listener.Addr().String()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for <-stop; misbehave(IgnoreStop); <-stop {
	}
	if !misbehave(NameNothing) {
		for _, id := range app.Hung() {
			fmt.Fprintln(os.Stderr, "stuck: myapp/workers/job-"+id)
		}
	}
	return 1
}

// publish writes the address in one step, as the application does.
func publish(file, data, addr string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	part := filepath.Join(data, "addr.part")
	if err := os.WriteFile(part, []byte(addr+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(part, file)
}
