// Package compare is one small program, written with Headcount and with three other libraries, and as Elixir text, for
// docs/coming-from.md. A test keeps that page and these files the same.
//
// The program is the part of a service that does work for requests: each request starts a worker. At most so many run
// at once, a request above that is told so at once. A worker that crashes is run again, and hurts no other. Stop ends
// the workers through their contexts and waits for them.
package compare

import (
	"context"
	"errors"
)

// errFull is what a request gets when all workers are taken.
var errFull = errors.New("full")

// work is what one request asks for.
type work = func(ctx context.Context) error
