package alert

import (
	"testing"

	"github.com/headcount-go/headcount/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
