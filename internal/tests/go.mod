module github.com/headcount-go/headcount/internal/tests

go 1.26.0

require (
	github.com/headcount-go/headcount v0.0.0
	go.uber.org/goleak v1.3.0
	pgregory.net/rapid v1.3.0
)

replace github.com/headcount-go/headcount => ../..
