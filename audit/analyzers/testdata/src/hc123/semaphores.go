package hc123

import (
	"math"

	"golang.org/x/sync/semaphore"
)

func semaphores(n int64) {
	semaphore.NewWeighted(math.MaxInt64) // want `a semaphore of weight 9223372036854775807 limits nothing`
	semaphore.NewWeighted(64)
	semaphore.NewWeighted(4 << 30) // bytes
	semaphore.NewWeighted(n)
}
