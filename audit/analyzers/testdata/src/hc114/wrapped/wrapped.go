// Package wrapped limits in a middleware. What it wraps is not seen here, so its handlers are doubted, no more.
package wrapped

import (
	"io"
	"net/http"
)

func limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		next.ServeHTTP(w, r)
	})
}

func handle(w http.ResponseWriter, r *http.Request) {
	io.ReadAll(r.Body) // want `HC114\) low external`
}
