package main

import (
	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

func limitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "limits",
		Short: "Show and change the limits of a running program, and try a file of limits",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(limitsGetCommand(), limitsSetCommand(), limitsCheckCommand())
	return cmd
}

func limitsGetCommand() *cobra.Command {
	var (
		conn   connection
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "get URL [PATH]",
		Short: "Show all limits, with who has set them and why",
		Long: `Get prints the limits of all supervisors of a program, or of that at a path and those below it, gates included: what is in
force, what a person has set, the ceiling in code, where the value comes from, and the caps of machines that hold it
down.

` + address + "\n" + statuses,
		Example: `  headcount limits get http://127.0.0.1:7070
  headcount limits get -json http://127.0.0.1:7070 myapp/users`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := conn.connect(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer c.Close()
			path := ""
			if len(args) == 2 {
				path = args[1]
			}
			all, err := c.Limits(cmd.Context(), path)
			if err != nil {
				return explain(cmd.Context(), c, err, path, "")
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), all, true)
			}
			var rows [][]string
			for _, s := range all.Supervisors {
				for _, l := range s.Limits {
					rows = append(rows, []string{plain.Shown(s.Path), plain.Shown(l.Name), l.InForce.String(), l.Value.String(), ceiling(l), origin(l)})
				}
			}
			return writeTable(cmd.OutOrStdout(), []string{"SUPERVISOR", "LIMIT", "IN FORCE", "SET", "CEILING", "FROM"}, "llrrrl", rows)
		},
		ValidArgsFunction: completePath(&conn, 1),
	}
	conn.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as api/v1/limits/all answers")
	return cmd
}

// ceiling is that of a limit, or a dash for one that has only that of all limits.
func ceiling(l wire.Limit) string {
	if l.Ceiling == wire.Unlimited || l.Ceiling >= maxLimit {
		return "-"
	}
	return l.Ceiling.String()
}

// origin tells in words where the value in force comes from.
func origin(l wire.Limit) string {
	text := plain.Shown(l.Source)
	if l.By != "" {
		text += " by " + plain.Shown(l.By)
	}
	if l.Why != "" {
		text += ": " + plain.Shown(l.Why)
	}
	if !l.Expires.IsZero() {
		text += ", until " + stamp(l.Expires)
	}
	if !l.Review.IsZero() {
		text += ", to be looked at again on " + stamp(l.Review)
	}
	for _, c := range l.Caps {
		text += "; capped at " + c.Value.String() + " by " + plain.Shown(c.Name) + " since " + stamp(c.Since)
	}
	if l.Observing {
		text += "; only observing"
	}
	return text
}
