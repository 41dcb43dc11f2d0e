package tests

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

// What the tests do on purpose would fill the log.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}
