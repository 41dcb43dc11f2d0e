package hc111

import (
	"net/http"
	"time"
)

func serve(h http.Handler) error {
	srv := &http.Server{Addr: ":1", ReadHeaderTimeout: time.Second} // want `HC111`
	return srv.ListenAndServe()
}
