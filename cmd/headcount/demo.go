package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/headcount-go/headcount/cmd/headcount/internal/demo"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

func demoCommand() *cobra.Command {
	var (
		cfg    demo.Config
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Attack the example application with and without limits, and compare",
		Long: `Demo starts the example application in a process of its own, lets honest users in, and attacks it over real sockets.

Users attack it: a job flood, one user with thousands of websockets, thousands of newly signed-up users, a crash storm,
and children that refuse to stop. Strangers attack its connections: a flood, slow headers, slow bodies, slow readers,
HTTP/2 streams that are reset at once, forged addresses, and refused bodies that dribble.

Then it does the same to the application with its limits switched off, which is ended above a memory ceiling. At the
end stands one table of both.

While the protected application is attacked, its page can be looked at; the address is told at the start.

It uses the loopback interface only, where honest users and attackers have addresses of their own, and attacks only
what it has started. Where the system has a single loopback address, the attacks on connections are left out.

Exit status: 0 if every limit held, no honest websocket was dropped and honest users got at least 95 % of their work
done; 1 if not; 2 if the demo could not be run; 130 if it was interrupted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program, to start it again: %w", err)
			}
			cfg.Command = []string{self, myappCommand}
			progress := os.Stdout
			if asJSON {
				progress = os.Stderr
			}
			cfg.Progress, cfg.Width = progress, width(progress)
			r, err := demo.Run(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			return answer(r, asJSON, progress)
		},
	}
	cmd.Flags().BoolVar(&cfg.Quick, "quick", false, "shorter and smaller attacks, within thirty seconds instead of two minutes")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the result as JSON to standard output, and progress to standard error")
	cmd.Flags().BoolVar(&cfg.Stay, "stay", false, "leave the protected application running and say how to reach and stop it")
	cmd.Flags().IntVar(&cfg.CeilingMiB, "ceiling", 256, "memory in MiB above which an attacked application is ended")
	return cmd
}

// answer writes the report and turns its verdict into the command's.
func answer(r *report.Report, asJSON bool, people io.Writer) error {
	if asJSON {
		if err := r.JSON(os.Stdout); err != nil {
			return err
		}
	} else if err := r.Table(os.Stdout); err != nil {
		return err
	}
	if r.Left != nil {
		fmt.Fprint(people, leftRunning(*r.Left))
	}
	if !r.OK {
		return errFailed
	}
	return nil
}

// leftRunning tells how to reach and how to stop the application of --stay.
func leftRunning(l report.Left) string {
	return fmt.Sprintf(`
The protected application is still running.
  see it     %s
  reach it   curl -H 'Authorization: Bearer %s' '%s/poll?wait=1'
  inside     curl %s/debug/inside
  output     %s
  stop it    kill %d
  then       rm -r %s
`, l.Page, l.Token, l.URL, l.URL, l.Log, l.PID, l.Data)
}

// width returns the width of a terminal that can write over a line, and 0 for a file or a pipe.
func width(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || os.Getenv("TERM") == "dumb" {
		return 0
	}
	return max(columns, 0)
}
