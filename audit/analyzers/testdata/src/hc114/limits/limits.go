// Package limits has helpers that other packages use.
package limits

import (
	"encoding/json"
	"io"
	"net/http"
)

func Body(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
}

// Maybe leaves large uploads alone, so it is no limit.
func Maybe(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upload") == "" {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	}
}

func Reader(r *http.Request) io.Reader { return io.LimitReader(r.Body, 1<<20) }

func Decode(from io.Reader, v any) error { return json.NewDecoder(from).Decode(v) }

// Exported helpers that are given a request may be given one with a limit.
func ReadRequest(r *http.Request) ([]byte, error) {
	return io.ReadAll(r.Body) // want `io.ReadAll takes the body .* low not known`
}
