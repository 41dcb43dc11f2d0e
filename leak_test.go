package headcount

import (
	"context"
	"testing"

	"github.com/headcount-go/headcount/internal/leak"
)

// nilContext is what must be an error and not a panic.
var nilContext context.Context

func TestMain(m *testing.M) { leak.Main(m) }
