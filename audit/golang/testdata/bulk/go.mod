module example.com/bulk

go 1.26.0

require github.com/gin-gonic/gin v0.0.0

replace github.com/gin-gonic/gin => ../stubs/gin

require golang.org/x/sync v0.0.0

replace golang.org/x/sync => ../stubs/sync

require github.com/headcount-go/headcount v0.0.0

replace github.com/headcount-go/headcount => ../stubs/headcount

require github.com/sourcegraph/conc v0.0.0

replace github.com/sourcegraph/conc => ../stubs/conc

require github.com/panjf2000/ants/v2 v2.0.0

replace github.com/panjf2000/ants/v2 => ../stubs/ants
