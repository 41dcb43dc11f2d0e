// Package limits has what other packages limit bodies with.
package limits

import "net/http"

// Body limits the body of a request.
func Body(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
}
