package observe

import (
	"log/slog"
	"testing"

	"github.com/headcount-go/headcount/internal/leak"
)

// What the tests do on purpose would fill the log.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	leak.Main(m)
}
