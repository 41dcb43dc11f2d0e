//go:build go1.21

// Package older has the version of Go before that.
package older

import (
	"net/http"
	"time"
)

func handler(w http.ResponseWriter, r *http.Request) {
	for range time.Tick(time.Second) { // want `time.Tick is called for each request or message and never stopped: .* high external`
		return
	}
	t := time.NewTicker(time.Second) // want `time.NewTicker`
	<-t.C
}

func stopped(w http.ResponseWriter, r *http.Request) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	<-t.C
}

func once() { <-time.Tick(time.Second) }
