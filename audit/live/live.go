// Package live reviews the supervisors of a running program, over the admin API of package observe.
package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/headcount-go/headcount/audit/report"
	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

// maxAsked is how many supervisors are asked for, the first in the order of the tree. A program has as many as it likes.
const maxAsked = 1000

// Review asks a program for its tree, and then for each of its supervisors, one after another. It only reads.
//
// A supervisor that cannot be asked for is among what could not be read; one that is gone meanwhile is not missed. An error means that the program
// does not answer, or no more.
func Review(ctx context.Context, c *client.Client) (report.Result, error) {
	tree, err := c.Tree(ctx)
	if err != nil {
		return report.Result{}, err
	}
	var r report.Result
	if n := len(tree.Rows); n > maxAsked {
		why := fmt.Sprintf("it has %d supervisors; the first %d were looked at", n, maxAsked)
		r.Unread = append(r.Unread, report.Unread{Position: report.Position{File: tree.Root}, Reason: why})
		tree.Rows = tree.Rows[:maxAsked]
	}
	for _, row := range tree.Rows {
		node, err := c.Node(ctx, row.Path)
		problem, unreached := (*wire.Problem)(nil), (*client.ConnectError)(nil)
		switch {
		case ctx.Err() != nil:
			return report.Result{}, ctx.Err()
		case errors.As(err, &unreached): // it will not answer for the others either
			return report.Result{}, err
		case errors.As(err, &problem) && problem.Status == http.StatusNotFound:
		case err != nil:
			r.Unread = append(r.Unread, report.Unread{Position: report.Position{File: row.Path}, Reason: err.Error()})
		default:
			r.Supervisors = append(r.Supervisors, supervisor(node.Row))
			r.Findings = append(r.Findings, look(moment{tree.Time, tree.Since}, node)...)
		}
	}
	return r, nil
}

func supervisor(row wire.Row) report.Supervisor {
	s := report.Supervisor{
		Language: "go", Kind: row.Kind, Name: row.Name, Symbol: row.Path, Strategy: row.Strategy, Criticality: criticality(row),
		Limit: report.Limit{State: report.Set, Value: int64(row.Limit)},
	}
	if row.RestartsMost > 0 {
		s.Restarts = fmt.Sprintf("%d in %gs", row.RestartsMost, row.RestartsWithin)
	}
	switch {
	case row.Kind == declared && row.MaxDescendants != wire.Unlimited:
		s.Limit = report.Limit{State: report.Set, Value: int64(row.MaxDescendants), Text: fmt.Sprintf("%d descendants", row.MaxDescendants)}
	case row.Kind == declared:
		s.Limit = report.Limit{State: report.NotApplicable}
	case row.Limit == wire.Unlimited:
		s.Limit = report.Limit{State: report.Unlimited}
	}
	return s
}

// criticality is all that a running program shows of who decides the number: a key is somebody's.
func criticality(row wire.Row) report.Criticality {
	if row.Kind == keyed {
		return report.UserOwned
	}
	return report.NotKnown
}
