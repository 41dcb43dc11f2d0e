module example.com/inventory

go 1.26.0

require github.com/headcount-go/headcount v0.0.0

replace github.com/headcount-go/headcount => ../stubs/headcount

require golang.org/x/sync v0.0.0

replace golang.org/x/sync => ../stubs/sync

require golang.org/x/net v0.0.0

replace golang.org/x/net => ../stubs/net

require github.com/panjf2000/ants/v2 v2.0.0

replace github.com/panjf2000/ants/v2 => ../stubs/ants

require github.com/sourcegraph/conc v0.0.0

replace github.com/sourcegraph/conc => ../stubs/conc

require github.com/thejerf/suture/v4 v4.0.0

replace github.com/thejerf/suture/v4 => ../stubs/suture
