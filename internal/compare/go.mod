module github.com/headcount-go/headcount/internal/compare

go 1.26.0

require (
	github.com/headcount-go/headcount v0.0.0
	github.com/panjf2000/ants/v2 v2.12.1
	github.com/thejerf/suture/v4 v4.0.6
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.24.0
)

replace github.com/headcount-go/headcount => ../..
