package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/cmd/headcount/internal/rules"
)

// fromTree tells, in the help of commands, what they can be given.
const fromTree = `With a file, or - for standard input, what is printed is made for the tree in it: for its supervisors only, and without
what it has not got. The file is the JSON of a program's tree: json.Marshal(root.Tree()), or a list of such trees. Without
an argument it is made for any tree.`

func rulesCommand() *cobra.Command {
	o := rules.Defaults()
	cmd := &cobra.Command{
		Use:   "rules [FILE]",
		Short: "Print Prometheus alerting and recording rules",
		Long: `Rules prints a rule file for Prometheus over the metrics of github.com/headcount-go/headcount/metrics/prom. Each alert
links to the section of the runbook that tells what it means and what to do.

` + fromTree + `

Exit status: 0 if they were printed, 2 if not.`,
		Example: `  headcount rules > headcount.rules.yaml
  headcount rules --match 'job="myapp"' tree.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTree(cmd.InOrStdin(), args, o)
			if err != nil {
				return err
			}
			return rules.For(t, o).Write(cmd.OutOrStdout())
		},
	}
	cmd.Flags().Float64Var(&o.Near, "near", o.Near, "share of a limit from which a supervisor is near it")
	cmd.Flags().Float64Var(&o.Refusing, "refusing", o.Refusing, "share of starts refused that is too much")
	cmd.Flags().StringVar(&o.Match, "match", "", "label `matchers` for all series, such as job=\"myapp\"")
	cmd.Flags().StringVar(&o.Runbook, "runbook", o.Runbook, "`address` of the runbook")
	return cmd
}

func dashboardCommand() *cobra.Command {
	o := rules.Defaults()
	cmd := &cobra.Command{
		Use:   "dashboard [FILE]",
		Short: "Print a Grafana dashboard",
		Long: `Dashboard prints a dashboard for Grafana over the metrics of github.com/headcount-go/headcount/metrics/prom, to be imported
or provisioned. It does not need the rules of headcount rules.

` + fromTree + `

Exit status: 0 if it was printed, 2 if not.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTree(cmd.InOrStdin(), args, o)
			if err != nil {
				return err
			}
			return rules.Dashboard(cmd.OutOrStdout(), t, o)
		},
	}
	cmd.Flags().StringVar(&o.Match, "match", "", "label `matchers` for what can be chosen, such as env=\"live\"")
	return cmd
}

// readTree reads the tree that the arguments name, and checks the options with it.
func readTree(stdin io.Reader, args []string, o rules.Options) (rules.Tree, error) {
	if err := o.Check(); err != nil {
		return rules.Tree{}, err
	}
	if len(args) == 0 {
		return rules.Any, nil
	}
	from := args[0]
	switch {
	case from == "-":
		return rules.ReadTree(stdin)
	case strings.HasPrefix(from, "http://"), strings.HasPrefix(from, "https://"):
		return rules.Tree{}, fmt.Errorf("%s: a running program cannot be asked yet; give its tree as JSON, in a file or on standard input", from)
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
