// Package testing helps tests, so nothing is to be found in it.
package testing

import (
	"io"
	"net/http"
	"net/http/httptest"
)

func server() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.ReadAll(r.Body) }))
}
