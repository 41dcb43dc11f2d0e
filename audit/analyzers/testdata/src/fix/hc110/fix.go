package hc110

import (
	"net/http"
	clock "time"
)

const grace = clock.Second

func serve(h http.Handler) {
	a := &http.Server{Addr: ":1"} // want `HC110`
	b := &http.Server{            // want `HC110`
		Addr:    ":2",
		Handler: h,
	}
	c := &http.Server{} // want `HC110`
	go a.ListenAndServe()
	go b.ListenAndServe()
	go c.ListenAndServe()
}
