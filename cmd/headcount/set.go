package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/limitfile"
	"github.com/headcount-go/headcount/observe/wire"
)

// maxLimit is the ceiling of a limit that has none of its own.
const maxLimit = wire.Value(headcount.MaxLimit)

func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

func limitsSetCommand() *cobra.Command {
	var (
		conn                connection
		asJSON, yes, dryRun bool
		reason              string
		lasts               time.Duration
	)
	cmd := &cobra.Command{
		Use:   "set URL PATH NAME VALUE --reason TEXT",
		Short: "Change a limit of a running program",
		Long: `Set changes a limit of the supervisor at a path: max_children, max_per_key, max_descendants, or a gate by its name. It says
what the change will do and asks whether to make it. The change is refused if somebody else has changed the limit
meanwhile. It is in force when the command ends, and written down in the program's audit log with the reason.

VALUE is a whole number, 50000, 50_000 or 50k, or unlimited. Children above a lower limit go on; new starts are refused.

` + address + "\n" + statuses,
		Example: `  headcount limits set http://127.0.0.1:7070 myapp/users max_per_key 4 -reason 'one user floods us' -for 2h
  headcount limits set -dry-run http://127.0.0.1:7070 myapp/users max_children 60k -reason 'the sale'`,
		Args: cobra.ExactArgs(4),
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := limitfile.ParseValue(args[3])
			switch {
			case err != nil:
				return err
			case strings.TrimSpace(reason) == "":
				return errors.New("--reason is missing: why the limit is changed, for those who come after you")
			case cmd.Flags().Changed("for") && lasts <= 0:
				return fmt.Errorf("--for is %v; it must be a time to come", lasts)
			}
			c, err := conn.connect(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, to := cmd.Context(), wire.Value(value)
			change := wire.LimitChange{Path: args[1], Limit: args[2], Value: &to, Why: reason, By: userName(), Source: "command"}
			if lasts > 0 {
				change.Expires = time.Now().Add(lasts).Truncate(time.Second)
			}
			p, err := c.Preview(ctx, change)
			if err != nil {
				return explain(ctx, c, err, change.Path, change.Limit)
			}
			talk := cmd.OutOrStdout()
			if asJSON {
				talk = cmd.ErrOrStderr()
			}
			fmt.Fprint(talk, previewText(p, change))
			switch {
			case dryRun && asJSON:
				return writeJSON(cmd.OutOrStdout(), p, true)
			case dryRun:
				return nil
			case !p.Allowed:
				return &statusError{exitNotAllowed, errors.New("not allowed: the program does not allow changes here"), ""}
			case !yes:
				if err := confirm(ctx, cmd.InOrStdin(), talk); err != nil {
					return err
				}
			}
			change.Expected = &p.From
			e, err := c.SetLimit(ctx, change)
			if err != nil {
				return explain(ctx, c, err, change.Path, change.Limit)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), e, true)
			}
			_, err = fmt.Fprintf(talk, "Changed by %s; %s is in force. It is entry %d of the audit log.\n", plain.Shown(e.By), e.InForce, e.ID)
			return err
		},
		ValidArgsFunction: completeLimit(&conn),
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) { // a number with a minus looks like a flag
			if n := unknown.GetSpecifiedShortnames(); n != "" && strings.Trim(n, "0123456789_kM") == "" {
				return fmt.Errorf("VALUE -%s is negative; 0 admits nothing, unlimited any number", n)
			}
		}
		return err
	})
	conn.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&reason, "reason", "", "why; at most 500 bytes")
	f.DurationVar(&lasts, "for", 0, "let the value before come back after this `time`, such as 2h")
	f.BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.BoolVar(&dryRun, "dry-run", false, "only say what the change would do")
	f.BoolVar(&asJSON, "json", false, "print the entry of the audit log as JSON, with --dry-run what the change would do; the rest goes to standard error")
	return cmd
}

// userName is who is at this machine; the program believes it only where there is no authentication.
func userName() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return plain.Cut(cmp.Or(name, "somebody"), 90)
}

func previewText(p *wire.Preview, change wire.LimitChange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s -> %s", plain.Shown(p.Path), plain.Shown(p.Limit), p.From, p.To)
	if !change.Expires.IsZero() {
		fmt.Fprintf(&b, " until %s", stamp(change.Expires))
	}
	b.WriteString("\n")
	for _, effect := range p.Effects {
		fmt.Fprintf(&b, "  %s\n", plain.Shown(effect))
	}
	return b.String()
}

// confirm asks whether to go on. Who is no person is not asked.
func confirm(ctx context.Context, in io.Reader, out io.Writer) error {
	if f, ok := in.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		return errors.New("standard input is no terminal to ask on: give --yes to make the change")
	}
	fmt.Fprint(out, "Make the change? [y/N] ")
	answer := make(chan string, 1)
	go func() { // the read cannot be interrupted; it ends with the command
		line, _ := bufio.NewReader(in).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
		fmt.Fprintln(out, "Nothing is changed.")
		return errFailed
	case <-ctx.Done():
		return ctx.Err()
	}
}
