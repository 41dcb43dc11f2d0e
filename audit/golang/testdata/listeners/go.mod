module example.com/listeners

go 1.26.0

require golang.org/x/net v0.0.0

replace golang.org/x/net => ../stubs/net

require golang.org/x/sync v0.0.0

replace golang.org/x/sync => ../stubs/sync

require github.com/headcount-go/headcount v0.0.0

replace github.com/headcount-go/headcount => ../stubs/headcount
