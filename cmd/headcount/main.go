// Command headcount shows and operates programs that run under Headcount.
//
//	headcount top        watch the supervisors of a running program live, and change their limits
//	headcount tree       show them once
//	headcount limits     show, change and check limits
//	headcount events     show what happens
//	headcount rules      print Prometheus rules for the supervisors of a program
//	headcount dashboard  print a Grafana dashboard for them
//	headcount demo       attack the example application with and without limits
//	headcount audit      review Go, Elixir and Erlang code for what has no limit
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1 // the command did its work, and the answer is no
	exitError       = 2 // the command could not do its work, or was called wrongly
	exitUnreached   = 3 // no program can be reached, or something else answers
	exitNotAllowed  = 4 // the program does not let one in, or does not allow it
	exitInterrupted = 130
)

// errFailed is the error of a command whose answer, already written, is no.
var errFailed = errors.New("failed")

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && args[0] == myappCommand {
		return myapp(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once; what it has started ends with it.
	context.AfterFunc(ctx, stop)

	return execute(ctx, rootCommand(), args)
}

// execute runs a command line and gives its exit status.
func execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(doubleDashes(root, args))
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	case ctx.Err() != nil:
		root.PrintErrln("headcount: interrupted")
		return exitInterrupted
	}
	root.PrintErrln("headcount:", err)
	if s := (*statusError)(nil); errors.As(err, &s) {
		return s.status
	}
	return exitError
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "headcount",
		Short:         "Show and operate programs that run under Headcount",
		SilenceUsage:  true,
		SilenceErrors: true, // run reports them
	}
	root.AddCommand(topCommand(), treeCommand(), limitsCommand(), eventsCommand(), rulesCommand(), dashboardCommand(), demoCommand())
	root.AddCommand(auditCommand())
	return root
}

// doubleDashes writes -quick as --quick, for the names of long flags only: both are in use among Go programs, and the
// flag library would read the first as five short flags.
func doubleDashes(root *cobra.Command, args []string) []string {
	long := map[string]bool{"help": true}
	var learn func(c *cobra.Command)
	learn = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { long[f.Name] = true })
		for _, sub := range c.Commands() {
			learn(sub)
		}
	}
	learn(root)
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		name, isFlag := strings.CutPrefix(arg, "-")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && long[name] {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}
