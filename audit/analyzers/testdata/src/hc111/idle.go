// Package hc111 keeps connections for ever, or not.
package hc111

import (
	"net/http"
	"time"
)

func headerOnly(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadHeaderTimeout: 5 * time.Second} // want `neither IdleTimeout nor ReadTimeout: .* \(HC111\)`
	return srv.ListenAndServe()
}

func noneAtAllIsAnotherRule(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h}
	return srv.ListenAndServe()
}

func readStandsForIdle(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadTimeout: 5 * time.Second}
	return srv.ListenAndServe()
}

func negativeIdleIsNone(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadTimeout: 5 * time.Second, IdleTimeout: -1} // want `HC111`
	return srv.ListenAndServe()
}

func both(h http.Handler) error {
	srv := &http.Server{Addr: ":8080", Handler: h, ReadHeaderTimeout: 5 * time.Second}
	srv.IdleTimeout = time.Minute
	return srv.ListenAndServe()
}
