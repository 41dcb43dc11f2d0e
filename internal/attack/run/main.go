// Command run attacks servers on this machine and prints how they stood it.
//
//	go run ./internal/attack/run                                # every attack on every target
//	go run ./internal/attack/run -quick -target net/http        # a short look at one target
//	go run ./internal/attack/run -attack slow-header,slow-body
//	go run ./internal/attack/run -markdown                      # the tables of docs/defence.md
//
// With -strict it ends with status 1 if a target failed or fell.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/headcount-go/headcount/internal/attack"
	"github.com/headcount-go/headcount/internal/attack/target"
	"github.com/headcount-go/headcount/internal/attack/trial"
)

func main() {
	trial.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var kindNames []string
	for _, k := range target.Kinds() {
		kindNames = append(kindNames, k.Name)
	}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	quick := flags.Bool("quick", false, fmt.Sprintf("attack for %s each instead of %s", trial.Quick.Attack, trial.Full.Attack))
	markdown := flags.Bool("markdown", false, "print Markdown")
	strict := flags.Bool("strict", false, "fail if a target does not hold")
	p99 := flags.Bool("p99", true, "with -strict, fail for a p99 alone too; false for a machine that others use")
	attackNames := flags.String("attack", "", "only these attacks, separated by commas")
	targets := flags.String("target", strings.Join(kindNames, ","), "only these targets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	kinds, err := target.ByName(*targets)
	if err != nil {
		return err
	}
	attacks := attack.All()
	if *attackNames != "" {
		attacks = nil
		for name := range strings.SplitSeq(*attackNames, ",") {
			a, err := attack.ByName(name)
			if err != nil {
				return err
			}
			attacks = append(attacks, a)
		}
	}
	plan := trial.Full
	if *quick {
		plan = trial.Quick
	}

	lab := trial.NewLab(plan)
	var results []trial.Result
	failed := 0
	for _, a := range attacks {
		for _, kind := range kinds {
			r, err := lab.Try(ctx, a, kind)
			if err != nil {
				return fmt.Errorf("%s against %s: %w", a.Name, kind.Name, err)
			}
			results = append(results, r)
			if r.Verdict == trial.Fell || r.Verdict == trial.Failed && (*p99 || !r.SlowOnly()) {
				failed++
			}
			fmt.Fprintf(os.Stderr, "%s against %s: %s %s (attacker: %d opened, %d closed by the target, %d sent, %d refused)\n", a.Name, kind.Name,
				r.Verdict, strings.Join(r.Reasons, "; "), r.Attacker.Opened, r.Attacker.Closed, r.Attacker.Sent, r.Attacker.Refused)
		}
	}
	if *markdown {
		command := strings.TrimSpace("go run ./internal/attack/run " + strings.Join(args, " "))
		err = trial.Markdown(os.Stdout, results, plan, command)
	} else {
		err = trial.Text(os.Stdout, results)
	}
	if err == nil && *strict && failed > 0 {
		err = fmt.Errorf("%d of %d trials not held", failed, len(results))
	}
	return err
}
