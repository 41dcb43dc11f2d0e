// Package app is the command myapp: its flags, and the tree that it runs.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

const usage = `usage:
  myapp serve [flags]                                        run the service
  myapp token [-secret S] [-proven] [-ttl 1h] USER           print a token for a user
  myapp serve -h                                             all flags and their defaults on this machine
Each flag can be set in the environment: -max-users as MYAPP_MAX_USERS.
`

// codeUsage is the exit status of a command line that is wrong, the same as headcount.Main's for a wrong configuration.
const codeUsage = 2

// Main runs the command and returns its exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return codeUsage
	}
	switch args[0] {
	case "serve":
		c, err := readConfig(args[1:], os.LookupEnv, thisMachine(), stderr)
		if err != nil {
			return badUsage(stderr, err)
		}
		return serve(context.Background(), c, stderr, hooks{})
	case "token":
		if err := printToken(args[1:], os.LookupEnv, stdout, stderr); err != nil {
			return badUsage(stderr, err)
		}
		return 0
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	fmt.Fprintf(stderr, "myapp: unknown command %q\n%s", args[0], usage)
	return codeUsage
}

func badUsage(stderr io.Writer, err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var told errUsage
	if !errors.As(err, &told) {
		fmt.Fprintf(stderr, "myapp: %v\n", err)
	}
	return codeUsage
}

// hooks is what a test reaches in with. The zero value is for everyone else.
type hooks struct {
	signals   <-chan os.Signal
	listening func(net.Addr)
}

// serve runs the service until it is told to stop, and returns the exit status.
func serve(ctx context.Context, c config, stderr io.Writer, h hooks) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	var reload <-chan os.Signal
	if c.limitsFile != "" {
		var release func()
		reload, release = hangups()
		defer release()
	}
	root, err := tree(c, log, reload, h.listening)
	if err != nil {
		return badUsage(stderr, err)
	}
	stopOperator, err := startOperator(ctx, c, root, log)
	if err != nil {
		return badUsage(stderr, err)
	}
	defer stopOperator()
	return headcount.Main(ctx, root, headcount.MainConfig{StopWithin: c.stopWithin, Signals: h.signals, Output: stderr, Logger: log})
}

// printToken is the sign-up desk of this example: whoever knows the secret can make anybody a user.
func printToken(args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("myapp token", flag.ContinueOnError)
	fs.SetOutput(stderr)
	secret := fs.String("secret", "", "the `secret` of the service")
	proven := fs.Bool("proven", false, "the user may use the headroom that new users leave free")
	ttl := fs.Duration("ttl", time.Hour, "how long the token is good")
	if err := setFromEnv(fs, lookup); err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return errUsage{err}
	}
	if fs.NArg() != 1 {
		return errors.New("token: one user is needed, after the flags")
	}
	signer, err := auth.NewSigner(*secret)
	if err != nil {
		return fmt.Errorf("token: %w; set -secret or %sSECRET", err, envPrefix)
	}
	if *ttl <= 0 {
		return fmt.Errorf("token: -ttl is %v: it must be above 0", *ttl)
	}
	token, err := signer.Sign(auth.Claims{User: fs.Arg(0), Proven: *proven, Expires: time.Now().Add(*ttl)})
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	_, err = fmt.Fprintln(stdout, token)
	return err
}
