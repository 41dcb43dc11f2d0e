package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/limitfile"
	"github.com/headcount-go/headcount/observe/wire"
)

func limitsCheckCommand() *cobra.Command {
	var (
		conn   connection
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "check FILE URL",
		Short: "Try a file of limits against a running program, without applying it",
		Long: `Check reads a file of limits, as package limitfile has it, and tells whether the program would take it: what is wrong, with
the line and an excerpt, or else what each limit would become. It changes nothing.

` + address + "\n" + strings.Replace(statuses, "0 if it was done; 1 if the answer is no;", "0 if the program would take the file; 1 if not;", 1),
		Example: `  headcount limits check limits.yaml http://127.0.0.1:7070
  headcount limits check -json limits.yaml https://myapp.example/observe`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := conn.connect(args[1], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer c.Close()
			all, err := c.Limits(cmd.Context(), "")
			if err != nil {
				return explain(cmd.Context(), c, err, "", "")
			}
			r, err := checkFile(args[0], all)
			switch {
			case err != nil:
				return err
			case asJSON:
				err = writeJSON(cmd.OutOrStdout(), r, true)
			case r.OK:
				err = writeTable(cmd.OutOrStdout(), []string{"SUPERVISOR", "LIMIT", "NOW", "IN THE FILE", "LINE"}, "llrrr", r.rows())
			default:
				for line := range strings.Lines(r.text) {
					cmd.Println(plain.Shown(strings.TrimRight(line, "\n")))
				}
			}
			if err == nil && !r.OK {
				return errFailed
			}
			return err
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	conn.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// A checkResult is what a program would make of a file.
type checkResult struct {
	OK       bool           `json:"ok"`
	Planned  []plannedLimit `json:"planned"`  // also those that stay as they are
	Problems []fileProblem  `json:"problems"` // the first hundred
	Total    int            `json:"problems_total"`

	text string // the problems, for people
}

type plannedLimit struct {
	Path  string     `json:"path"`
	Limit string     `json:"limit"`
	From  wire.Value `json:"from"`
	To    wire.Value `json:"to"`
	Line  int        `json:"line"`
}

type fileProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 0 if it is about the file as a whole
	Column  int    `json:"column"`
	Message string `json:"message"`
	Excerpt string `json:"excerpt"`
}

func (r *checkResult) rows() (rows [][]string) {
	for _, p := range r.Planned {
		to := p.To.String()
		if p.To == p.From {
			to = "the same"
		}
		rows = append(rows, []string{plain.Shown(p.Path), plain.Shown(p.Limit), p.From.String(), to, strconv.Itoa(p.Line)})
	}
	return rows
}

func checkFile(file string, all *wire.AllLimits) (*checkResult, error) {
	tree, err := treeOf(all)
	if err != nil {
		return nil, err
	}
	r := &checkResult{OK: true, Planned: []plannedLimit{}, Problems: []fileProblem{}}
	planned, err := limitfile.Check(file, tree)
	if wrong := (*limitfile.Error)(nil); errors.As(err, &wrong) {
		r.OK, r.Total, r.text = false, wrong.Total, wrong.Error()
		for _, p := range wrong.Problems {
			r.Problems = append(r.Problems, fileProblem(*p))
		}
	} else if err != nil {
		return nil, err
	}
	for _, p := range planned {
		r.Planned = append(r.Planned, plannedLimit{p.Path, p.Limit, wire.Value(p.From), wire.Value(p.To), p.Line})
	}
	return r, nil
}

// treeOf describes the supervisors of a program as far as a file of limits needs it: all are put below the root, since a
// file knows them by their paths.
func treeOf(all *wire.AllLimits) (headcount.TreeNode, error) {
	kinds := map[string]headcount.Kind{}
	for _, k := range []headcount.Kind{headcount.SupervisorKind, headcount.DynamicKind, headcount.KeyedKind} {
		kinds[k.String()] = k
	}
	nodes := make([]headcount.TreeNode, 0, len(all.Supervisors))
	for _, s := range all.Supervisors {
		n := headcount.TreeNode{Path: s.Path, Kind: cmp.Or(kinds[s.Kind], headcount.DynamicKind)}
		for _, l := range s.Limits {
			snapshot := headcount.LimitSnapshot{
				Name: l.Name, InForce: int(l.InForce), Ceiling: int(l.Ceiling), Setting: headcount.Setting{Value: int(l.Value)},
			}
			if l.Gate {
				n.Gates = append(n.Gates, headcount.GateSnapshot{LimitSnapshot: snapshot})
			} else {
				n.Limits = append(n.Limits, snapshot)
			}
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 0 {
		return headcount.TreeNode{}, fmt.Errorf("the program has no supervisors")
	}
	nodes[0].Children = nodes[1:]
	return nodes[0], nil
}
