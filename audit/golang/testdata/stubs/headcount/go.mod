module github.com/headcount-go/headcount

go 1.26.0
