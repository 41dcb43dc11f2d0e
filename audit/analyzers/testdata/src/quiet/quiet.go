// Package quiet has what is found with a low confidence, which is not told unasked.
package quiet

import "net/http"

func serve(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h}
	return srv.ListenAndServe()
}
