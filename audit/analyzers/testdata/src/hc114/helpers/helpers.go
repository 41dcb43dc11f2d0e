// Package helpers reads bodies in functions of its own.
package helpers

import (
	"encoding/json"
	"io"
	"net/http"
)

func create(w http.ResponseWriter, r *http.Request) {
	var v struct{}
	unlimited(r, &v)
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	limited(r, &v)
	decode(r.Body, &v)
}

func update(w http.ResponseWriter, r *http.Request) {
	var v struct{}
	decode(r.Body, &v) // want `helpers.decode takes the body`
	limit(w, r)
	limited(r, &v)
	decode(reader(w, r), &v)
}

func unlimited(r *http.Request, v any) error {
	return json.NewDecoder(r.Body).Decode(v) // want `HC114\) high external`
}

func limited(r *http.Request, v any) error { return json.NewDecoder(r.Body).Decode(v) }

func decode(body io.Reader, v any) error { return json.NewDecoder(body).Decode(v) }

func limit(w http.ResponseWriter, r *http.Request) { limitTo(w, r, 1<<10) }

func limitTo(w http.ResponseWriter, r *http.Request, n int64) {
	r.Body = http.MaxBytesReader(w, r.Body, n)
}

func reader(w http.ResponseWriter, r *http.Request) io.Reader {
	return http.MaxBytesReader(w, r.Body, 1<<10)
}
