// Myapp is a small service under Headcount: jobs, websockets, streams and message queues, each with a limit that holds.
package main

import (
	"os"

	"github.com/headcount-go/headcount/examples/myapp/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }
