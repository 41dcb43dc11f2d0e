module github.com/headcount-go/headcount/limitfile

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	github.com/headcount-go/headcount v0.0.0
	go.uber.org/goleak v1.3.0
)

replace github.com/headcount-go/headcount => ..
