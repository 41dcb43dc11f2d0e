package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

func eventsCommand() *cobra.Command {
	var (
		conn   connection
		asJSON bool
		follow bool
		last   int
	)
	cmd := &cobra.Command{
		Use:   "events URL [PATH]",
		Short: "Show what happens in a running program: refusals, restarts, stuck children, changed limits",
		Long: `Events prints the last events of a program, or those at a path and below it, the newest last. With -f it goes on with each
new event. A connection that is lost is made again; that it was lost, and how many events were missed, is told on
standard error.

` + address + "\n" + statuses,
		Example: `  headcount events -f http://127.0.0.1:7070
  headcount events -n 20 http://127.0.0.1:7070 myapp/users
  headcount events -json -f http://127.0.0.1:7070 | jq 'select(.type == "ChildStuck")'`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if last < 0 || last > 1000 {
				return fmt.Errorf("--last is %d; it must be between 0 and 1000", last)
			}
			c, err := conn.connect(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer c.Close()
			out := &eventPrinter{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), asJSON: asJSON}
			if len(args) == 2 {
				out.path = args[1]
				if _, err := c.Node(cmd.Context(), out.path); err != nil {
					return explain(cmd.Context(), c, err, out.path, "")
				}
			}
			if !follow {
				return out.lastOf(cmd.Context(), c, last)
			}
			return out.follow(cmd.Context(), c, last)
		},
		ValidArgsFunction: completePath(&conn, 1),
	}
	conn.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each event as JSON in a line")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new events until interrupted")
	cmd.Flags().IntVarP(&last, "last", "n", 100, "how many of the last events to begin with")
	return cmd
}

// An eventPrinter prints events, each once.
type eventPrinter struct {
	out, err io.Writer
	asJSON   bool
	path     string // only at it and below it

	life string // of the program, to which ids belong
	last uint64 // id of the newest that was printed
}

func (p *eventPrinter) print(events []wire.Event) error {
	for _, e := range events {
		if e.ID <= p.last {
			continue
		}
		p.last = e.ID
		if p.path != "" && e.Path != p.path && !strings.HasPrefix(e.Path, p.path+"/") {
			continue
		}
		if p.asJSON {
			if err := writeJSON(p.out, e, false); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(p.out, "%s  %-17s %s\n", e.Time.Local().Format(time.DateTime), plain.Shown(e.Type), plain.Shown(e.Text)); err != nil {
			return err
		}
	}
	return nil
}

// lastOf prints the last n events.
func (p *eventPrinter) lastOf(ctx context.Context, c *client.Client, n int) error {
	if n == 0 {
		return nil
	}
	page, err := c.Log(ctx, p.path, n)
	if err != nil {
		return explain(ctx, c, err, p.path, "")
	}
	slices.Reverse(page.Events)
	return p.print(page.Events)
}

// follow prints the last n events and then new ones, until the context ends. What is wrong at first is an error; later the
// program may just be starting again.
func (p *eventPrinter) follow(ctx context.Context, c *client.Client, n int) error {
	for u := range c.Follow(ctx) {
		var err error
		switch {
		case u.Err != nil && (p.life == "" || notAllowed(u.Err)):
			return explain(ctx, c, u.Err, "", "")
		case u.Err != nil:
			fmt.Fprintf(p.err, "headcount: the connection is lost: %v; the next attempt is in %.1f s\n", u.Err, u.Retry.Seconds())
		case u.Snapshot != nil:
			err = p.resume(ctx, c, u.Snapshot, n)
		default:
			p.missed(u.Delta.Missed)
			err = p.print(u.Delta.Events)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// resume goes on at a snapshot: the first one, or one after a gap.
func (p *eventPrinter) resume(ctx context.Context, c *client.Client, s *wire.Snapshot, n int) error {
	life, _, _ := strings.Cut(s.ID, "-")
	first := p.life == ""
	if !first && p.life != life {
		p.last = 0
		fmt.Fprintln(p.err, "headcount: the program has been started again")
	}
	p.life = life
	if first {
		if err := p.lastOf(ctx, c, n); err != nil {
			return err
		}
		if len(s.Events) > 0 { // older than these are the last n
			p.last = max(p.last, s.Events[len(s.Events)-1].ID)
		}
		return nil
	}
	if len(s.Events) > 0 && s.Events[0].ID > p.last {
		p.missed(s.Events[0].ID - p.last - 1)
	}
	return p.print(s.Events)
}

func (p *eventPrinter) missed(n uint64) {
	if n > 0 {
		fmt.Fprintf(p.err, "headcount: %d events were missed\n", n)
	}
}

func notAllowed(err error) bool {
	problem := (*wire.Problem)(nil)
	return errors.As(err, &problem) && (problem.Status == http.StatusUnauthorized || problem.Status == http.StatusForbidden)
}
