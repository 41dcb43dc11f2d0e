module github.com/headcount-go/headcount/examples/myapp

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/headcount-go/headcount v0.0.0
	github.com/headcount-go/headcount/endpoint/websocket v0.0.0
	github.com/headcount-go/headcount/limitfile v0.0.0
	github.com/headcount-go/headcount/metrics/prom v0.0.0
	github.com/prometheus/client_golang v1.25.0
	go.etcd.io/bbolt v1.5.0
	go.uber.org/goleak v1.3.0
	golang.org/x/image v0.47.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/goccy/go-yaml v1.19.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/headcount-go/headcount => ../..

replace github.com/headcount-go/headcount/endpoint/websocket => ../../endpoint/websocket

replace github.com/headcount-go/headcount/limitfile => ../../limitfile

replace github.com/headcount-go/headcount/metrics/prom => ../../metrics/prom
