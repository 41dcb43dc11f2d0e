// Package hc120 has groups of goroutines.
package hc120

import (
	"context"
	"net/http"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

func fetch(string) error { return nil }

func perItem(ctx context.Context, urls []string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, url := range urls {
		g.Go(func() error { return fetch(url) }) // want `errgroup.Group without a limit starts a goroutine for each item \(HC120\) low not known`
	}
	return g.Wait()
}

func perMessage(messages chan string) error {
	var g errgroup.Group
	for m := range messages {
		g.Go(func() error { return fetch(m) }) // want `for each message of a loop that does not end .* high unbounded`
	}
	return g.Wait()
}

func forEver(next func() string) {
	g := new(errgroup.Group)
	g.SetLimit(-1)
	for {
		m := next()
		g.TryGo(func() error { return fetch(m) }) // want `high unbounded`
	}
}

func inHandler(w http.ResponseWriter, r *http.Request) {
	var g errgroup.Group
	for _, id := range r.URL.Query()["id"] {
		g.Go(func() error { return fetch(id) }) // want `medium external`
	}
	g.Wait()
}

type server struct{ background errgroup.Group }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.background.Go(func() error { return fetch(r.URL.Path) }) // want `for each request or message .* high external`
}

func limitOfTheWorkOnly(urls []string, sem chan struct{}) error {
	var g errgroup.Group
	for _, url := range urls {
		g.Go(func() error { // want `HC120\) low`
			sem <- struct{}{}
			defer func() { <-sem }()
			return fetch(url)
		})
	}
	return g.Wait()
}

func semaphoreOnOnePath(urls []string, sem chan struct{}, fast bool) {
	var g errgroup.Group
	for _, url := range urls {
		if !fast {
			sem <- struct{}{}
		}
		g.Go(func() error { return fetch(url) }) // want `HC120`
	}
}

func semaphoreWithAWayRound(urls []string, sem chan struct{}, full func()) {
	var g errgroup.Group
	for _, url := range urls {
		select {
		case sem <- struct{}{}:
		default:
			full()
		}
		g.Go(func() error { return fetch(url) }) // want `HC120`
	}
}

func signalsAreNoSlots(notify chan struct{}, quit chan struct{}, next func() []string) {
	var g errgroup.Group
	done := make(chan struct{})
	for {
		select {
		case <-quit:
			return
		case <-notify:
			g.Go(func() error { return nil }) // want `high unbounded`
		}
		<-notify
		done <- struct{}{}
		g.Go(func() error { return nil }) // want `high unbounded`
	}
}

// From here on nothing is to be found.

func limited(urls []string) error {
	var g errgroup.Group
	g.SetLimit(8)
	for _, url := range urls {
		g.Go(func() error { return fetch(url) })
	}
	return g.Wait()
}

func limitedBy(n int, urls []string) error {
	g, _ := errgroup.WithContext(context.Background())
	g.SetLimit(n)
	for _, url := range urls {
		g.Go(func() error { return fetch(url) })
	}
	return g.Wait()
}

func fixedNumber(workers int, queue chan string, n int) error {
	var g errgroup.Group
	for range 4 {
		g.Go(func() error { return fetch("") })
	}
	for i := 0; i < workers; i++ {
		g.Go(func() error { return fetch(<-queue) })
	}
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error { return fetch("") })
	}
	for i := 0; i < min(n, 8); i++ {
		g.Go(func() error { return fetch("") })
	}
	for _, f := range []func() error{nil, nil} {
		g.Go(f)
	}
	for _, part := range [...]string{"a", "b"} {
		g.Go(func() error { return fetch(part) })
	}
	regions := []string{"eu", "us"}
	for _, region := range regions {
		g.Go(func() error { return fetch(region) })
	}
	return g.Wait()
}

func withSemaphores(ctx context.Context, urls []string, sem chan struct{}, w *semaphore.Weighted) error {
	var g errgroup.Group
	for _, url := range urls {
		sem <- struct{}{}
		g.Go(func() error { defer func() { <-sem }(); return fetch(url) })
	}
	for _, url := range urls {
		select {
		case sem <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		g.Go(func() error { return fetch(url) })
	}
	for _, url := range urls {
		select {
		case sem <- struct{}{}:
			g.Go(func() error { return fetch(url) })
		default:
		}
	}
	for _, url := range urls {
		if err := w.Acquire(ctx, 1); err != nil {
			break
		}
		g.Go(func() error { defer w.Release(1); return fetch(url) })
	}
	for _, url := range urls {
		if w.TryAcquire(1) {
			g.Go(func() error { defer w.Release(1); return fetch(url) })
		}
	}
	return g.Wait()
}

func withTokens(urls []string, tokens chan struct{}) {
	var g errgroup.Group
	for _, url := range urls {
		<-tokens
		g.Go(func() error { defer func() { tokens <- struct{}{} }(); return fetch(url) })
	}
}

func groupOfEachRound(batches [][2]string) {
	for _, b := range batches {
		var g errgroup.Group
		g.Go(func() error { return fetch(b[0]) })
		g.Go(func() error { return fetch(b[1]) })
		g.Wait()
	}
}

func firstOnly(urls []string) error {
	var g errgroup.Group
	for _, url := range urls {
		if url != "" {
			g.Go(func() error { return fetch(url) })
			break
		}
	}
	return g.Wait()
}

func ofTheCaller(g *errgroup.Group, urls []string) {
	for _, url := range urls {
		g.Go(func() error { return fetch(url) })
	}
}

func newGroup() *errgroup.Group {
	g := new(errgroup.Group)
	g.SetLimit(4)
	return g
}

func ofAFunction(urls []string) {
	g := newGroup()
	for _, url := range urls {
		g.Go(func() error { return fetch(url) })
	}
}
