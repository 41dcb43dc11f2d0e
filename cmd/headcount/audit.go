package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/audit"
	"github.com/headcount-go/headcount/audit/report"
)

// auditFlags are what the command line says.
type auditFlags struct {
	config        audit.Config
	format        string
	output        string
	failOn        string
	confidence    string
	explain       string
	url           string
	conn          connection
	writeBaseline bool
}

// never is the value of --fail-on with which findings do not count.
const never = "never"

func auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit PATH... | -url URL",
		Short: "Review Go, Elixir and Erlang code, or a running program, for what has no limit",
		Long: `Audit finds the supervisors, goroutines and listeners in code that have no limit, says which of them an outsider reaches,
and what to write there. A path is a directory, with all Go modules and Elixir and Erlang projects below it, or a file.
Nothing of the code is run.

A comment beside a finding, with a reason, answers for it:

  go serve(l) //headcount:ignore HC101 the listeners are in the configuration

With --url it reviews a running program instead: limits that are missing, that are hit often or that nothing comes near,
restarts that are nearly used up, and limits whose review is due.

` + address + `

Exit status: 0 if there is no finding at or above --fail-on, 1 if there is, 2 if something could not be read.`,
		Example: `  headcount audit ./...
  headcount audit --format markdown -o gaps.md .
  headcount audit --new-from origin/main --format github .
  headcount audit --baseline audit.json --write-baseline .
  headcount audit --explain HC101
  headcount audit --url http://127.0.0.1:7070`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.explain != "" {
				return audit.Explain(cmd.OutOrStdout(), f.explain)
			}
			f.config.Paths = args
			return f.run(cmd)
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "text", strings.Join(report.Formats(), ", ")+"; markdown is the gap report")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "write to this `file` instead of standard output")
	cmd.Flags().StringVar(&f.failOn, "fail-on", "warning", "the lowest `severity` that makes the exit status 1: note, warning, error, never")
	cmd.Flags().StringVar(&f.confidence, "confidence", "medium", "the lowest `confidence` to tell of: low, medium, high")
	cmd.Flags().StringVar(&f.config.Baseline, "baseline", "", "leave out the findings in this `file`")
	cmd.Flags().BoolVar(&f.writeBaseline, "write-baseline", false, "write the findings to the file of --baseline instead of telling them")
	cmd.Flags().StringVar(&f.config.NewFrom, "new-from", "", "tell only findings on lines that have changed since this `revision` of git")
	cmd.Flags().StringVar(&f.explain, "explain", "", "print the page of a `rule`")
	cmd.Flags().StringVar(&f.url, "url", "", "review the program that serves its page at this `address`")
	f.conn.flags(cmd)
	for flag, words := range map[string][]string{
		"format": report.Formats(), "fail-on": {"note", "warning", "error", never}, "confidence": {"low", "medium", "high"}, "explain": ruleIDs(),
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // there is no such flag
		}
	}
	return cmd
}

func ruleIDs() []string {
	var ids []string
	for _, r := range audit.Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}

func (f *auditFlags) run(cmd *cobra.Command) error {
	stdout := cmd.OutOrStdout()
	failOn, err := f.check()
	if err != nil {
		return err
	}
	if f.writeBaseline {
		return f.newBaseline(cmd)
	}
	r, err := f.review(cmd)
	if err != nil {
		return err
	}
	if err := f.write(stdout, func(w io.Writer) error { return report.Write(w, f.format, r) }); err != nil {
		return err
	}
	switch worst := r.Worst(); {
	case len(r.Unread) > 0:
		return incomplete(r)
	case worst >= failOn:
		return errFailed
	}
	return nil
}

// review reviews the paths, or the running program.
func (f *auditFlags) review(cmd *cobra.Command) (*report.Report, error) {
	ctx := cmd.Context()
	if f.url == "" {
		return audit.Run(ctx, f.config)
	}
	program, err := f.conn.connect(f.url, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	defer program.Close()
	r, err := audit.Live(ctx, f.config, program)
	if err == nil {
		return r, nil
	}
	// What to do about it is the same as for other commands; the exit status is that of a review that could not read.
	err = explain(ctx, program, err, "", "")
	if s := (*statusError)(nil); errors.As(err, &s) {
		s.status = exitError
	}
	return nil, err
}

// check reads the words among the flags. Never to fail is to fail above the highest severity.
func (f *auditFlags) check() (failOn report.Severity, err error) {
	if err := report.CheckFormat(f.format); err != nil {
		return 0, err
	}
	if f.config.Confidence, err = report.ParseConfidence(f.confidence); err != nil {
		return 0, fmt.Errorf("--confidence: %w", err)
	}
	if failOn = report.Error + 1; f.failOn != never {
		if failOn, err = report.ParseSeverity(f.failOn); err != nil {
			return 0, fmt.Errorf("--fail-on: %w, %s", err, never)
		}
	}
	switch {
	case f.url != "" && len(f.config.Paths) > 0:
		return 0, errors.New("either paths or --url are reviewed, not both")
	case f.url != "" && f.config.NewFrom != "":
		return 0, errors.New("--new-from is for code; leave it out with --url")
	case f.writeBaseline && f.config.Baseline == "":
		return 0, errors.New("--write-baseline needs the file, as --baseline FILE")
	case f.writeBaseline && f.config.NewFrom != "":
		return 0, errors.New("--write-baseline is for all findings; leave out --new-from")
	}
	return failOn, nil
}

// newBaseline writes all findings into the file of the baseline.
func (f *auditFlags) newBaseline(cmd *cobra.Command) error {
	stdout, file := cmd.OutOrStdout(), f.config.Baseline
	f.config.Baseline = ""
	r, err := f.review(cmd)
	if err != nil {
		return err
	}
	if len(r.Unread) > 0 {
		// It would make findings look new that are there already.
		if err := report.Write(stdout, "text", r); err != nil {
			return err
		}
		return fmt.Errorf("no baseline was written: %w", incomplete(r))
	}
	f.output = file
	if err := f.write(stdout, func(w io.Writer) error { return audit.WriteBaseline(w, r) }); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "findings in %s: %d\n", file, len(r.Findings))
	return nil
}

// write writes to the output file, or to standard output where there is none. What is in the file stays until all is made.
func (f *auditFlags) write(stdout io.Writer, to func(io.Writer) error) error {
	if f.output == "" {
		return to(stdout)
	}
	var b bytes.Buffer
	if err := to(&b); err != nil {
		return err
	}
	return os.WriteFile(f.output, b.Bytes(), 0o666)
}

func incomplete(r *report.Report) error {
	if n := len(r.Unread); n > 1 {
		return fmt.Errorf("%d places could not be read; the report names them", n)
	}
	return errors.New("one place could not be read; the report names it")
}
