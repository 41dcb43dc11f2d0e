package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/headcount-go/headcount/cmd/headcount/internal/top"
)

func topCommand() *cobra.Command {
	var conn connection
	cmd := &cobra.Command{
		Use:   "top URL",
		Short: "Watch the supervisors of a running program live, and change their limits",
		Long: `Top shows the tree of supervisors in the terminal, live, problems first: state, children of limit, refused and restarted in
the last minute, waiting, stuck. It needs 80 columns, and works over ssh. A connection that is lost is made again.

  arrows or hjkl  move, fold and unfold       enter  open a supervisor: its limits, top keys, events
  /               filter                      s      sort
  L               change a limit, with a preview, a reason and a confirmation; where the program allows it
  e  events       u  only unlimited           p  pause       ?  help       q  quit

` + address + "\n" + statuses,
		Example: `  headcount top http://127.0.0.1:7070
  HEADCOUNT_TOKEN_FILE=~/.myapp-token headcount top https://myapp.example/observe`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
				return errors.New("top needs a terminal; headcount tree prints the same once, headcount events -f what happens")
			}
			c, err := conn.connect(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer c.Close()
			return explain(cmd.Context(), c, top.Run(cmd.Context(), c, userName(), os.Stdin, os.Stdout), "", "")
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	conn.flags(cmd)
	return cmd
}
