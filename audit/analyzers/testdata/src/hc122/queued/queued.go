// Package queued queues what comes from outside.
package queued

import (
	"net/http"

	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
)

var pool = pond.NewPool(16) // want `the queue of this pool has no bound: .* medium unbounded`

var workers = workerpool.New(16) // want `has no bound and can have none.* medium`

func handle(w http.ResponseWriter, r *http.Request) {
	pool.Submit(func() {})
	workers.Submit(func() {})
}
