module github.com/headcount-go/headcount/audit

go 1.26.0
