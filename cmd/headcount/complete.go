package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

// askWithin bounds what a completion asks a program: a shell waits for it.
const askWithin = 2 * time.Second

// completePath completes the argument at this place by the paths of the program that the first argument names.
func completePath(conn *connection, place int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) != place {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var paths []string
		for _, s := range limitsNow(cmd, conn, args[0], "") {
			paths = append(paths, plain.Shown(s.Path))
		}
		return paths, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeLimit completes the path, and then the name of a limit there.
func completeLimit(conn *connection) cobra.CompletionFunc {
	path := completePath(conn, 1)
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) != 2 {
			return path(cmd, args, word)
		}
		var names []string
		if at := limitsNow(cmd, conn, args[0], args[1]); len(at) > 0 {
			for _, l := range at[0].Limits {
				names = append(names, plain.Shown(l.Name))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// limitsNow asks a program for what a completion needs; nothing is said where it does not answer.
func limitsNow(cmd *cobra.Command, conn *connection, address, path string) []wire.LimitList {
	c, err := conn.connect(address, io.Discard)
	if err != nil {
		return nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), askWithin)
	defer cancel()
	all, err := c.Limits(ctx, path)
	if err != nil {
		return nil
	}
	return all.Supervisors
}
