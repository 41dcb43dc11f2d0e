// Package hc121 has pools.
package hc121

import (
	"math"
	"net/http"

	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/pool"
	"github.com/sourcegraph/conc/stream"
)

func work() {}

func unlimited(items []int, size int) {
	p := pool.New()
	for range items {
		p.Go(work) // want `conc's pool without a limit starts a goroutine for each item`
	}
	e := pool.New().WithErrors()
	for range items {
		e.Go(func() error { return nil }) // want `HC121`
	}
	r := pool.NewWithResults[int]()
	for range items {
		r.Go(func() int { return 0 }) // want `HC121`
	}
	s := stream.New()
	for range items {
		s.Go(func() stream.Callback { return nil }) // want `conc's stream`
	}
	var wg conc.WaitGroup
	for range items {
		wg.Go(work) // want `conc.WaitGroup without a limit`
	}

	ants.Submit(work)                      // want `ants.Submit uses the default pool, .* medium unbounded`
	ants.NewPool(-1)                       // want `ants.NewPool with size -1 makes a pool without a limit`
	ants.NewPool(math.MaxInt32)            // want `ants.NewPool with size 2147483647 makes a pool whose limit limits nothing`
	ants.NewPoolWithFunc(0, nil)           // want `without a limit`
	ants.NewPool(ants.DefaultAntsPoolSize) // want `limits nothing`
	ants.NewMultiPool(8, -1, 0)            // want `HC121`
	pond.NewPool(0)                        // want `pond.NewPool with size 0`
	pond.NewResultPool[int](0)             // want `pond.NewResultPool with size 0`
	pond.Submit(work)                      // want `pond.Submit uses the default pool`
	workerpool.New(math.MaxInt)            // want `HC121`

	// From here on nothing is to be found.
	ants.NewPool(size)
	ants.NewPool(1000)
	ants.NewMultiPool(8, 100, 0)
	pond.NewPool(10)
	workerpool.New(8)
}

func handler(w http.ResponseWriter, r *http.Request) {
	ants.Submit(work) // want `ants.Submit uses the default pool, .* high external`
}

func limited(items []int) {
	p := pool.New().WithMaxGoroutines(8)
	for range items {
		p.Go(work)
	}
	e := pool.New().WithMaxGoroutines(8).WithErrors()
	for range items {
		e.Go(func() error { return nil })
	}
	l := pool.New()
	l = l.WithMaxGoroutines(4)
	for range items {
		l.Go(work)
	}
	once := pool.New()
	once.Go(work)
	once.Go(work)
	var wg conc.WaitGroup
	for range 3 {
		wg.Go(work)
	}
}
