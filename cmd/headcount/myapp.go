package main

import (
	"os"

	"github.com/headcount-go/headcount/cmd/headcount/internal/demo"
	"github.com/headcount-go/headcount/examples/myapp/app"
)

// myappCommand starts the example application in this program. It is not for people and in no help: the demo starts
// itself again with it, so that nothing else than this program has to be built or found.
const myappCommand = "myapp"

func myapp(args []string) int {
	go demo.Lifeline(os.Stdin)
	return app.Main(args, os.Stdout, os.Stderr)
}
