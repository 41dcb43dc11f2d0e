package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// hashed is the result of a hash.
type hashed struct {
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

// slept is the result of a sleep.
type slept struct {
	Millis int `json:"millis"`
}

// work does the job once. try counts from 1. A *Problem is an error that another try cannot mend.
func work(ctx context.Context, req Request, input []byte, try int, limits Limits) (json.RawMessage, error) {
	if req.Kind == Crash && (req.Fails == 0 || try <= req.Fails) {
		panic(fmt.Sprintf("try %d was asked to crash", try))
	}
	if try <= req.Fails {
		return nil, fmt.Errorf("try %d was asked to fail", try)
	}
	switch req.Kind {
	case Resize:
		return resize(ctx, input, req.Width, limits)
	case Hash:
		return hash(ctx, input)
	case Sleep:
		timer := time.NewTimer(time.Duration(req.Millis) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
			return json.Marshal(slept{req.Millis})
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case Crash:
		return json.Marshal(struct{}{}) // this try was not to crash
	case Hang:
		return hang(req.Millis)
	}
	return nil, bad("kind %q is not known", req.Kind)
}

func hash(ctx context.Context, input []byte) (json.RawMessage, error) {
	const piece = 1 << 20
	h := sha256.New()
	for rest := input; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(len(rest), piece)
		h.Write(rest[:n])
		rest = rest[n:]
	}
	return json.Marshal(hashed{hex.EncodeToString(h.Sum(nil)), len(input)})
}

// hang is the child that every operator meets one day: it does not listen to its context.
func hang(millis int) (json.RawMessage, error) {
	if millis == 0 {
		select {}
	}
	time.Sleep(time.Duration(millis) * time.Millisecond)
	return json.Marshal(slept{millis})
}
