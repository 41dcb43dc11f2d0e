module github.com/headcount-go/headcount/internal/attack

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	go.uber.org/goleak v1.3.0
	golang.org/x/net v0.62.0
)

require (
	github.com/headcount-go/headcount v0.0.0
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/headcount-go/headcount => ../..
