module github.com/headcount-go/headcount/examples/myapp

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/headcount-go/headcount v0.0.0
	github.com/headcount-go/headcount/endpoint/websocket v0.0.0
	go.etcd.io/bbolt v1.5.0
	go.uber.org/goleak v1.3.0
	golang.org/x/image v0.47.0
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/headcount-go/headcount => ../..

replace github.com/headcount-go/headcount/endpoint/websocket => ../../endpoint/websocket
