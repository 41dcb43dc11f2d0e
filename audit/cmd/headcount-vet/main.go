// Command headcount-vet runs the rules that need one package only under go vet:
//
//	go install github.com/headcount-go/headcount/audit/cmd/headcount-vet@latest
//	go vet -vettool=$(which headcount-vet) ./...
//
// Flags go to go vet: -confidence=low shows what is doubtful too, -confidence=high only what is sure; -HC120=false leaves a rule
// out. A comment lets a rule pass at a line, with a reason: //headcount:ignore HC112 the balancer has the timeouts.
//
// Who reaches a place from outside is a question of the whole program: headcount audit answers it.
package main

import (
	"flag"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/headcount-go/headcount/audit/analyzers"
)

func main() {
	rules := analyzers.All()
	flag.Func("confidence", "the least confidence of what is reported by any rule: high, medium or low", func(least string) error {
		for _, a := range rules {
			if err := a.Flags.Set("confidence", least); err != nil {
				return err
			}
		}
		return nil
	})
	unitchecker.Main(rules...)
}
