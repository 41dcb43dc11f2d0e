module github.com/headcount-go/headcount/cmd/headcount

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/headcount-go/headcount v0.0.0
	github.com/headcount-go/headcount/examples/myapp v0.0.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	go.uber.org/goleak v1.3.0
	golang.org/x/term v0.47.0
)

require (
	github.com/headcount-go/headcount/endpoint/websocket v0.0.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/image v0.47.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/headcount-go/headcount => ../..

replace github.com/headcount-go/headcount/endpoint/websocket => ../../endpoint/websocket

replace github.com/headcount-go/headcount/examples/myapp => ../../examples/myapp
