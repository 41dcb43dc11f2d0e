// Package hc131 registers functions with contexts.
package hc131

import (
	"context"
	"net/http"
)

type server struct{ ctx context.Context }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	context.AfterFunc(s.ctx, func() {}) // want `context.AfterFunc is registered for each request or message .* medium external`
}

func messages(ctx context.Context, in chan string) {
	for range in {
		context.AfterFunc(ctx, func() {})         // want `in a loop that does not end .* unbounded`
		stop := context.AfterFunc(ctx, func() {}) // want `HC131`
		_ = stop
	}
}

// From here on nothing is to be found.

func (s *server) stopping(w http.ResponseWriter, r *http.Request) {
	stop := context.AfterFunc(s.ctx, func() {})
	defer stop()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	context.AfterFunc(ctx, func() {})
	context.AfterFunc(r.Context(), func() {})
}

func each(ctx context.Context, in chan string) {
	for range in {
		ctx, cancel := context.WithCancel(ctx)
		context.AfterFunc(ctx, func() {})
		cancel()
	}
}

func once(ctx context.Context) { context.AfterFunc(ctx, func() {}) }
