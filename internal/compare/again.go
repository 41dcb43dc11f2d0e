package compare

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// tryAgain is the supervision that errgroup and ants leave to their user: a crash is an error, and is tried again.
func tryAgain(ctx context.Context, w work) {
	for try := range 4 {
		err := once(ctx, w)
		if err == nil || ctx.Err() != nil {
			return
		}
		slog.Error("worker failed", "try", try, "error", err)
		select {
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

func once(ctx context.Context, w work) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return w(ctx)
}
