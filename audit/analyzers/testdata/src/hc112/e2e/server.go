// Package e2e serves what tests ask for.
package e2e

import "net/http"

func Serve(h http.Handler) error { return http.ListenAndServe(":8080", h) }
