package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

func treeCommand() *cobra.Command {
	var (
		conn   connection
		asJSON bool
		filter string
	)
	cmd := &cobra.Command{
		Use:   "tree URL [PATH]",
		Short: "Show the supervisors of a running program with their limits and use",
		Long: `Tree prints a line for each supervisor, or for that at a path and those below it: its state, its children and their limit,
what was refused and restarted in the last minute, how many starts wait, and how many children are stuck.

` + address + "\n" + statuses,
		Example: `  headcount tree http://127.0.0.1:7070
  headcount tree http://127.0.0.1:7070 myapp/web
  headcount tree -filter state:problem -json https://myapp.example/observe`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := conn.connect(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer c.Close()
			ctx := cmd.Context()
			tree, err := c.Tree(ctx)
			if err != nil {
				return explain(ctx, c, err, "", "")
			}
			if len(args) == 2 {
				if tree.Rows = below(tree.Rows, args[1]); len(tree.Rows) == 0 {
					return explain(ctx, c, &wire.Problem{Status: 404, Detail: fmt.Sprintf("there is no supervisor at %q", args[1])}, args[1], "")
				}
			}
			tree.Rows = slices.DeleteFunc(tree.Rows, func(r wire.Row) bool { return !r.Matches(filter) })
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), tree, true)
			}
			return writeTable(cmd.OutOrStdout(), []string{"SUPERVISOR", "STATE", "CHILDREN", "REFUSED", "RESTARTS", "WAITING", "STUCK"}, "llrrrrr", treeRows(tree.Rows, filter != ""))
		},
		ValidArgsFunction: completePath(&conn, 1),
	}
	conn.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as api/v1/tree answers")
	cmd.Flags().StringVar(&filter, "filter", "", "only those that match `words`: part of a path, state:full, state:problem, unlimited")
	return cmd
}

// below are the rows at a path and below it.
func below(rows []wire.Row, path string) []wire.Row {
	return slices.DeleteFunc(rows, func(r wire.Row) bool { return r.Path != path && !strings.HasPrefix(r.Path, path+"/") })
}

// treeRows are the cells of a line for each row: by its name in its place, or by its whole path.
func treeRows(rows []wire.Row, wholePath bool) [][]string {
	var lines [][]string
	for _, r := range rows {
		name := strings.Repeat("  ", max(0, min(r.Depth-rows[0].Depth, 20))) + plain.Shown(r.Name)
		if wholePath || len(lines) == 0 {
			name = plain.Shown(r.Path)
		}
		refused := plain.Number(int64(r.RefusedMinute))
		if len(r.RefusedBy) > 0 {
			refused += " " + plain.Shown(r.RefusedBy[0].Reason)
		}
		use := r.Use()
		lines = append(lines, []string{
			name, r.Status.Shape() + " " + plain.Shown(string(r.Status)), plain.Number(int64(use.Count)) + " of " + use.Limit.String(), refused,
			plain.Number(int64(r.RestartsMinute)), plain.Number(int64(r.Waiting)), plain.Number(int64(r.Stuck)),
		})
	}
	return lines
}
