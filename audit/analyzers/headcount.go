package analyzers

// The packages of Headcount itself.
const (
	headcountRoot     = "github.com/headcount-go/headcount"
	headcountEndpoint = headcountRoot + "/endpoint"
)
