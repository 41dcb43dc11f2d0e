// Package closing ends a connection with its first answer.
package closing

import (
	"net/http"
	"time"
)

func serve(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadHeaderTimeout: 5 * time.Second}
	srv.SetKeepAlivesEnabled(false)
	return srv.ListenAndServe()
}
