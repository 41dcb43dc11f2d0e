package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/cmd/headcount/internal/rules"
)

// fromTree tells, in the help of commands, what they can be given.
const fromTree = `With the URL of a running program, a file, or - for standard input, what is printed is made for that tree: for its
supervisors only, and without what it has not got. The file is the JSON of a program's tree: json.Marshal(root.Tree()), or a
list of such trees. Without an argument it is made for any tree.

` + address

func rulesCommand() *cobra.Command {
	o, conn := rules.Defaults(), connection{}
	cmd := &cobra.Command{
		Use:   "rules [URL | FILE]",
		Short: "Print Prometheus alerting and recording rules",
		Long: `Rules prints a rule file for Prometheus over the metrics of github.com/headcount-go/headcount/metrics/prom. Each alert
links to the section of the runbook that tells what it means and what to do.

` + fromTree + `

Exit status: 0 if they were printed; 2 if not; 3 and 4 if a program cannot be reached, or does not let one in.`,
		Example: `  headcount rules > headcount.rules.yaml
  headcount rules http://127.0.0.1:7070
  headcount rules --match 'job="myapp"' tree.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTree(cmd, args, o, &conn)
			if err != nil {
				return err
			}
			return rules.For(t, o).Write(cmd.OutOrStdout())
		},
	}
	conn.flags(cmd)
	cmd.Flags().Float64Var(&o.Near, "near", o.Near, "share of a limit from which a supervisor is near it")
	cmd.Flags().Float64Var(&o.Refusing, "refusing", o.Refusing, "share of starts refused that is too much")
	cmd.Flags().StringVar(&o.Match, "match", "", "label `matchers` for all series, such as job=\"myapp\"")
	cmd.Flags().StringVar(&o.Runbook, "runbook", o.Runbook, "`address` of the runbook")
	return cmd
}

func dashboardCommand() *cobra.Command {
	o, conn := rules.Defaults(), connection{}
	cmd := &cobra.Command{
		Use:   "dashboard [URL | FILE]",
		Short: "Print a Grafana dashboard",
		Long: `Dashboard prints a dashboard for Grafana over the metrics of github.com/headcount-go/headcount/metrics/prom, to be imported
or provisioned. It does not need the rules of headcount rules.

` + fromTree + `

Exit status: 0 if it was printed; 2 if not; 3 and 4 if a program cannot be reached, or does not let one in.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTree(cmd, args, o, &conn)
			if err != nil {
				return err
			}
			return rules.Dashboard(cmd.OutOrStdout(), t, o)
		},
	}
	conn.flags(cmd)
	cmd.Flags().StringVar(&o.Match, "match", "", "label `matchers` for what can be chosen, such as env=\"live\"")
	return cmd
}

// readTree reads the tree that the arguments name, and checks the options with it.
func readTree(cmd *cobra.Command, args []string, o rules.Options, conn *connection) (rules.Tree, error) {
	if err := o.Check(); err != nil {
		return rules.Tree{}, err
	}
	if len(args) == 0 {
		return rules.Any, nil
	}
	from := args[0]
	switch {
	case from == "-":
		return rules.ReadTree(cmd.InOrStdin())
	case strings.Contains(from, "://"), strings.HasPrefix(from, "unix:"):
		return askTree(cmd, from, conn)
	}
	f, err := os.Open(from)
	if err != nil {
		return rules.Tree{}, err
	}
	defer f.Close()
	t, err := rules.ReadTree(f)
	if err != nil {
		return rules.Tree{}, fmt.Errorf("%s: %w", from, err)
	}
	return t, nil
}

// askTree asks a program for its tree.
func askTree(cmd *cobra.Command, address string, conn *connection) (rules.Tree, error) {
	c, err := conn.connect(address, cmd.ErrOrStderr())
	if err != nil {
		return rules.Tree{}, err
	}
	defer c.Close()
	all, err := c.Limits(cmd.Context(), "")
	if err != nil {
		return rules.Tree{}, explain(cmd.Context(), c, err, "", "")
	}
	return rules.TreeOf(all)
}
