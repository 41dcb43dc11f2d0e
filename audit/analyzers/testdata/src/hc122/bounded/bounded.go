// Package bounded bounds its queues, or fills them by itself.
package bounded

import (
	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
)

func bounded(o pond.Option, more ...pond.Option) {
	pond.NewPool(16, pond.WithQueueSize(100))
	pond.NewPool(16, o)
	pond.NewPool(16, more...)
	pond.NewPool(0) // another rule: nothing is queued
}

func once(files []string) {
	w := workerpool.New(4) // want `low unbounded`
	for _, f := range files {
		w.Submit(func() { _ = f })
	}
}
